import { closestPlaces } from "./closest.ts";
import { fromBytes, hasMostlyCrlf, toBytes, viewOf } from "./matching.ts";
import { type FileLine, joinLines, type PatchedLine, splitLines } from "./patch-lines.ts";
import { type Placed, placeHunk } from "./patch-place.ts";
import type { Hunk } from "./patch-text.ts";
import { omissionIn } from "./placeholder.ts";

/** What hunks made of a file, or why they could not; bytes are one character each. */
export type PatchedFile =
  | { readonly ok: true; readonly bytes: string; readonly notes: readonly string[] }
  | { readonly ok: false; readonly reason: string };

/** Whose file it is that is patched. */
export interface PatchManner {
  readonly path: string;
  /** False: the model quotes a file that it was never shown, so only its exact words count. */
  readonly hasRead: boolean;
}

/** Applies the hunks of one file, all or none. Lines that no hunk takes out or puts in stay byte for byte. */
export function patchFile(bytes: string, hunks: readonly Hunk[], { path, hasRead }: PatchManner): PatchedFile {
  const file = splitLines(bytes);
  const placed: (Placed & { readonly number: number })[] = [];
  const notes: string[] = [];
  for (const [index, hunk] of hunks.entries()) {
    const name = hunks.length === 1 ? `The hunk of ${path}` : `Hunk ${index + 1} of ${hunks.length} of ${path}`;
    const omission = omissionOf(hunk, file.lines);
    if (omission !== null) return refuse(`${name} has ${JSON.stringify(omission)} in place of code. Give it in full.`);
    const place = placeHunk(file.lines, hunk, { from: placed.at(-1)?.end ?? 0, mayBeLoose: hasRead });
    if (!place.ok)
      return refuse(`${name}: ${place.reason}${place.isMissing ? closest(file.lines, hunk, hasRead) : ""}`);
    if (place.note !== null) notes.push(`Note: ${name[0]?.toLowerCase()}${name.slice(1)} ${place.note}`);
    placed.push({ ...place, number: index + 1 });
  }
  const inOrder = placed.toSorted((a, b) => a.start - b.start || a.number - b.number);
  const clash = inOrder.find((place, index) => place.start < (inOrder[index - 1]?.end ?? 0));
  if (clash) return refuse(`Hunk ${clash.number} of ${path} changes lines that another hunk changes too.`);
  const crlf = hasMostlyCrlf(viewOf(bytes));
  const result = joinLines({ ...file, lines: rebuilt(file.lines, inOrder) }, crlf ? "\r\n" : "\n");
  return result === bytes ? refuse(`The hunks leave ${path} as it is.`) : { ok: true, bytes: result, notes };
}

function omissionOf(hunk: Hunk, lines: readonly FileLine[]): string | null {
  const added = hunk.lines.filter(({ sign }) => sign === "+").map(({ text }) => text);
  return added.length === 0 ? null : omissionIn(added.join("\n"), textsOf(lines).join("\n"));
}

function closest(lines: readonly FileLine[], hunk: Hunk, hasRead: boolean): string {
  const sought = hunk.lines.filter(({ sign }) => sign !== "+").map(({ text }) => text);
  const places = closestPlaces(textsOf(lines), sought.length > 0 ? sought : hunk.heads);
  const advice = hasRead ? "" : "\nYou have not read this file yet: read it first.";
  return places === null
    ? ` Nothing like it is there: read the file again.${advice}`
    : ` What comes closest, with line numbers:\n${places}${advice}`;
}

function textsOf(lines: readonly FileLine[]): readonly string[] {
  return lines.map(({ text }) => fromBytes(text));
}

/** The lines afterwards: what is kept is the file's own, what is new has the line end of its surroundings. */
function rebuilt(lines: readonly FileLine[], placed: readonly Placed[]): readonly PatchedLine[] {
  const parts: (readonly PatchedLine[])[] = [];
  let at = 0;
  for (const place of placed) {
    parts.push(lines.slice(at, place.start));
    at = place.start;
    for (const { sign, text } of place.lines) {
      if (sign === "+") parts.push([{ text: toBytes(text), end: lines[at - 1]?.end || lines[at]?.end || null }]);
      else if (sign === "-") at++;
      else parts.push(lines.slice(at, ++at));
    }
  }
  return [...parts, lines.slice(at)].flat();
}

function refuse(reason: string): PatchedFile {
  return { ok: false, reason };
}
