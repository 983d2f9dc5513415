/** How many pages a list fills. */
export function pageCount(items, perPage) {
  return Math.floor(items.length / perPage);
}

/** The items of one page, counted from 1; none for a page that does not exist. */
export function pageItems(items, page, perPage) {
  if (page < 1 || page > pageCount(items, perPage)) return [];
  const start = (page - 1) * perPage;
  return items.slice(start, start + perPage);
}
