import { HOLE } from "./permission-glob.ts";

/** The forms of a path that rules are held against. */
export interface PathForms {
  /** Its one plain form, from the root of the worktree: what a rule that allows is held against. Empty: it has none. */
  readonly exact: readonly string[];
  /** All that it may be taken for, in small letters: what a rule that denies or asks is held against. */
  readonly wide: readonly string[];
}

/**
 * `.`, `..` and doubled slashes are worked out. The root of the worktree is not known here, so of an absolute path (and
 * of one that leaves the root) every end is matched by rules that deny or ask, and none by those that allow.
 */
export function pathForms(path: string): PathForms {
  const isAbsolute = path.startsWith("/") || path.startsWith(HOLE);
  const segments = worked(path);
  const plain = segments.join("/") || ".";
  const leaves = isAbsolute || segments[0] === "..";
  const isKnown = !path.includes(HOLE);
  const ends = leaves ? segments.map((_, index) => segments.slice(index).join("/")) : [];
  // What is not known of a path may lead anywhere.
  const wide = [plain, ...(isAbsolute ? [path] : []), ...ends, ...(isKnown ? [] : [HOLE])];
  return {
    exact: leaves || !isKnown ? [] : [plain],
    wide: [...new Set(wide.map((form) => form.normalize("NFC").toLowerCase()))],
  };
}

function worked(path: string): readonly string[] {
  const segments: string[] = [];
  for (const segment of path.split("/")) {
    const last = segments.at(-1);
    if (segment === "" || segment === ".") continue;
    if (segment === ".." && last !== undefined && last !== ".." && !last.includes(HOLE)) segments.pop();
    else segments.push(segment);
  }
  return segments;
}
