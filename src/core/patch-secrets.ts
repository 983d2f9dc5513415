import { SECRET_PATTERNS } from "./secret-patterns.ts";
import { plural } from "./words.ts";

/** Files that a warning names; the others are counted. */
const MOST_NAMED = 3;
const KEY_LINE = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----/;

/** What a person should know of a patch that adds lines with what looks like a key in them; null: none does. */
export function secretsWarning(patch: string): string | null {
  const files = new Set<string>();
  let file = "";
  for (const line of patch.split("\n")) {
    if (line.startsWith("+++ ")) file = line.slice("+++ b/".length).replace(/"$/, "");
    else if (line.startsWith("+") && (line.search(SECRET_PATTERNS) >= 0 || KEY_LINE.test(line))) files.add(file);
  }
  if (files.size === 0) return null;
  const named = [...files].slice(0, MOST_NAMED).join(", ");
  const more = files.size > MOST_NAMED ? ` and ${plural(files.size - MOST_NAMED, "other file")}` : "";
  return `adds what looks like a key, in ${named}${more}: look at it before you pass it on`;
}
