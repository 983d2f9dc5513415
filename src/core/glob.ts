import { globMatcher } from "./glob-match.ts";

/**
 * True when the whole of `text` matches `pattern`. In paths `*` stays within a segment and `**` crosses them;
 * `?` is one character and `{a,b}` a choice.
 */
export function matchesPath(pattern: string, text: string): boolean {
  return globMatcher(pattern)(text);
}
