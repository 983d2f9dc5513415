import { pageCount, pageItems } from "./pages.js";

const PER_PAGE = 3;

/** One page of the guestbook as plain text, newest entry first. */
export function renderPage(entries, page) {
  const newestFirst = entries.toReversed();
  const lines = pageItems(newestFirst, page, PER_PAGE).map(({ name, text }) => `${name}: ${text}`);
  return [...lines, `Page ${page} of ${pageCount(newestFirst, PER_PAGE)}`].join("\n");
}
