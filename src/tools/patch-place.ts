import { fromBytes, toBytes } from "./matching.ts";
import type { FileLine } from "./patch-lines.ts";
import type { Hunk, HunkLine } from "./patch-text.ts";
import { reindent } from "./reindent.ts";
import { squeezed } from "./squeezed.ts";

/** Where a hunk belongs in the lines of a file, from 0; `end` is the line after it. */
export interface Placed {
  readonly start: number;
  readonly end: number;
  /** The hunk's lines, those that are new indented as the file is. */
  readonly lines: readonly HunkLine[];
}

/** `note`: what the model should know of how the place was found. `isMissing`: it is nowhere, so what is like it helps. */
export type HunkPlace =
  | (Placed & { readonly ok: true; readonly note: string | null })
  | { readonly ok: false; readonly reason: string; readonly isMissing: boolean };

/** `from`: the line after the hunk before; of several places those below it are meant. */
export interface PlaceManner {
  readonly from: number;
  readonly mayBeLoose: boolean;
}

/** Finds the one place of a hunk: its lines exactly, or else but for white space. Nothing is guessed. */
export function placeHunk(lines: readonly FileLine[], hunk: Hunk, manner: PlaceManner): HunkPlace {
  const place = placeAsIs(lines, hunk, manner);
  if (place.ok || !place.isMissing) return place;
  const bare = withoutLineAfterEnd(hunk);
  const atEnd = bare && placeAsIs(lines, bare, manner);
  return atEnd?.ok && atEnd.end === lines.length ? atEnd : place;
}

/** Models take what follows the last newline of a file for an empty line, before and after their change. Null: no such line. */
function withoutLineAfterEnd(hunk: Hunk): Hunk | null {
  const lastOld = hunk.lines.findLastIndex(({ sign }) => sign !== "+");
  if (lastOld <= 0 || hunk.lines[lastOld]?.text !== "") return null;
  const { sign, text } = hunk.lines.at(-1) ?? { sign: " ", text: "" };
  const lastNew = sign === "+" && text === "" ? hunk.lines.length - 1 : lastOld;
  return { ...hunk, lines: hunk.lines.filter((_, index) => index !== lastOld && index !== lastNew) };
}

function placeAsIs(lines: readonly FileLine[], hunk: Hunk, { from, mayBeLoose }: PlaceManner): HunkPlace {
  const there = lines.map(({ text }) => text);
  const sought = hunk.lines.filter(({ sign }) => sign !== "+").map(({ text }) => toBytes(text));
  if (sought.length === 0) return insertion(there, hunk, from);
  const exact = chosen(there, placesOf(there, sought), { hunk, from, length: sought.length });
  if (exact.length === 1) return at(exact[0] ?? 0, sought.length, hunk.lines, null);
  if (exact.length > 1) return several(exact);
  if (!mayBeLoose || sought.every((line) => squeezed(line) === "")) return MISSING;
  const loose = chosen(there, placesOf(there.map(squeezed), sought.map(squeezed)), {
    hunk,
    from,
    length: sought.length,
  });
  if (loose.length > 1) return several(loose);
  const [start] = loose;
  return start === undefined ? MISSING : loosely(there.slice(start, start + sought.length), sought, { hunk, start });
}

const MISSING: HunkPlace = { ok: false, reason: "its lines are not in the file.", isMissing: true };

/** Lines without an old one beside them: below the last head, or at the end of the file. */
function insertion(there: readonly string[], hunk: Hunk, from: number): HunkPlace {
  if (hunk.heads.length === 0) return at(there.length, 0, hunk.lines, null);
  const found = headEnds(there, hunk.heads);
  const below = found.filter((end) => end > from);
  const ends = below.length > 0 ? below : found;
  if (ends.length > 1) return several(ends.map((end) => end - 1));
  const [start] = ends;
  if (start !== undefined) return at(start, 0, hunk.lines, null);
  return { ok: false, reason: "the line after @@ is not in the file.", isMissing: true };
}

function placesOf(lines: readonly string[], sought: readonly string[]): readonly number[] {
  const places: number[] = [];
  for (let start = 0; start + sought.length <= lines.length; start++)
    if (sought.every((line, index) => lines[start + index] === line)) places.push(start);
  return places;
}

interface Choice {
  readonly hunk: Hunk;
  readonly from: number;
  readonly length: number;
}

/** Of several places: those at the end of the file, then the first below each head, then those below the hunk before. */
function chosen(
  there: readonly string[],
  places: readonly number[],
  { hunk, from, length }: Choice,
): readonly number[] {
  const narrowings: ((left: readonly number[]) => readonly number[])[] = [
    (left) => (hunk.isAtEnd ? left.filter((start) => start + length === there.length) : []),
    (left) => firstBelow(left, headEnds(there, hunk.heads)),
    (left) => left.filter((start) => start >= from),
  ];
  return narrowings.reduce((left, narrow) => {
    const narrowed = left.length > 1 ? narrow(left) : [];
    return narrowed.length > 0 ? narrowed : left;
  }, places);
}

function firstBelow(places: readonly number[], ends: readonly number[]): readonly number[] {
  const found = ends.flatMap((end) => places.find((start) => start >= end) ?? []);
  return [...new Set(found)];
}

/** The lines after each place where the heads stand one below the other, but for white space around them. */
function headEnds(there: readonly string[], heads: readonly string[]): readonly number[] {
  if (heads.length === 0) return [];
  const plain = there.map(squeezed);
  const [last = "", ...outer] = heads.map((head) => squeezed(toBytes(head))).reverse();
  const innermost = plain.flatMap((line, index) => (line === last ? [index] : []));
  const start = outer.reverse().reduce((after, head) => {
    const found = plain.indexOf(head, after);
    return found < 0 ? after : found + 1;
  }, 0);
  return innermost.filter((index) => index >= start).map((index) => index + 1);
}

function loosely(
  found: readonly string[],
  sought: readonly string[],
  { hunk, start }: { readonly hunk: Hunk; readonly start: number },
): HunkPlace {
  const added = hunk.lines.filter(({ sign }) => sign === "+").map(({ text }) => toBytes(text));
  const indented = reindent(added, sought, found);
  if (indented === null) {
    const reason = `it matches lines ${start + 1}-${start + found.length} but for white space, and how its new lines are to be indented is not clear. Give the lines exactly as they are.`;
    return { ok: false, reason, isMissing: false };
  }
  let next = 0;
  const lines = hunk.lines.map((line) =>
    line.sign === "+" ? { ...line, text: fromBytes(indented[next++] ?? "") } : line,
  );
  const where = found.length === 1 ? `line ${start + 1}` : `lines ${start + 1}-${start + found.length}`;
  return at(start, found.length, lines, `matched ${where} only but for white space. Check the diff.`);
}

function several(starts: readonly number[]): HunkPlace {
  const shown = starts.slice(0, 10).map((start) => start + 1);
  const reason = `its place could be any of ${starts.length} (lines ${shown.join(", ")}${starts.length > 10 ? ", …" : ""}). Add lines of context, or a line above them after @@.`;
  return { ok: false, reason, isMissing: false };
}

function at(start: number, length: number, lines: readonly HunkLine[], note: string | null): HunkPlace {
  return { ok: true, start, end: start + length, lines, note };
}
