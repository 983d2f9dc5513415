import type { FileView, Stretch } from "./matching.ts";
import { reindent } from "./reindent.ts";
import { squeezed } from "./squeezed.ts";

/** The one place of a file whose whole lines differ from what was sought in white space only. */
export interface LooseMatch extends Stretch {
  /** The new text, indented as the place is. */
  readonly replacement: string;
  readonly firstLine: number;
  readonly lastLine: number;
}

/** Looks for whole lines that differ in white space only; null when none or several do, or when the indentation is unclear. */
export function looseMatch(view: FileView, sought: string, replacement: string): LooseMatch | null {
  const soughtLines = withoutFinalNewline(sought).split("\n");
  if (soughtLines.every((line) => squeezed(line) === "")) return null;
  const lines = view.text.split("\n");
  const places = placesOf(lines.map(squeezed), soughtLines.map(squeezed));
  const place = places[0];
  if (place === undefined || places.length > 1) return null;

  const matched = lines.slice(place, place + soughtLines.length);
  const indented = reindent(withoutFinalNewline(replacement).split("\n"), soughtLines, matched);
  if (indented === null) return null;
  const start = lines.slice(0, place).reduce((sum, line) => sum + line.length + 1, 0);
  const end = start + matched.join("\n").length;
  const takesNewline = replacement === "" && end < view.text.length;
  return {
    start,
    end: takesNewline ? end + 1 : end,
    replacement: indented.join("\n"),
    firstLine: place + 1,
    lastLine: place + soughtLines.length,
  };
}

function withoutFinalNewline(text: string): string {
  return text.endsWith("\n") ? text.slice(0, -1) : text;
}

function placesOf(lines: readonly string[], sought: readonly string[]): readonly number[] {
  const places: number[] = [];
  for (let at = 0; at + sought.length <= lines.length; at++)
    if (sought.every((line, index) => lines[at + index] === line)) places.push(at);
  return places;
}
