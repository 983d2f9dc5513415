import { cutTo } from "./text.ts";

/** A place of a file that resembles what was sought. */
export interface Excerpt {
  /** Number of its first line, from 1. */
  readonly firstLine: number;
  readonly lines: readonly string[];
}

const MOST_EXCERPTS = 3;
/** Lines of an excerpt; also those of the sought text that are compared. */
const LONGEST_EXCERPT = 12;
/** Beyond it a search for resemblance costs more than it helps. */
const MOST_LINES_COMPARED = 20_000;
/** Shared pairs of letters, from 0 to 1: below it, two pieces of text have nothing to say to each other. */
const LEAST_RESEMBLANCE = 0.4;
/** Characters of a line that are compared. */
const LONGEST_COMPARED = 400;
/** Characters of a line that are shown. */
const LONGEST_LINE = 200;

/** The places that resemble a sought text most, best first, for a person or a model to look at. Nothing is edited by it. */
export function closestExcerpts(lines: readonly string[], sought: readonly string[]): readonly Excerpt[] {
  const wanted = sought.slice(0, LONGEST_EXCERPT).map(pairsOfLetters);
  const there = lines.slice(0, MOST_LINES_COMPARED).map(pairsOfLetters);
  const scored = there
    .map((_, start) => ({ start, score: resemblance(there.slice(start, start + wanted.length), wanted) }))
    .filter(({ score }) => score >= LEAST_RESEMBLANCE)
    .sort((a, b) => b.score - a.score || a.start - b.start);
  const chosen: number[] = [];
  for (const { start } of scored) {
    if (chosen.length === MOST_EXCERPTS) break;
    if (chosen.every((other) => Math.abs(other - start) >= wanted.length)) chosen.push(start);
  }
  return chosen.map((start) => ({ firstLine: start + 1, lines: lines.slice(start, start + wanted.length) }));
}

/** The same as text, each line after its number and a tab; null when nothing is like it. */
export function closestPlaces(lines: readonly string[], sought: readonly string[]): string | null {
  const excerpts = closestExcerpts(lines, sought);
  const shown = excerpts.map(({ firstLine, lines }) =>
    lines.map((line, index) => `${firstLine + index}\t${cutTo(line, LONGEST_LINE)}`).join("\n"),
  );
  return shown.length === 0 ? null : shown.join("\n---\n");
}

type Pairs = ReadonlyMap<string, number>;

function pairsOfLetters(line: string): Pairs {
  const text = line.slice(0, LONGEST_COMPARED).replace(/\s+/g, "");
  const pairs = new Map<string, number>();
  for (let at = 0; at < text.length - 1; at++) {
    const pair = text.slice(at, at + 2);
    pairs.set(pair, (pairs.get(pair) ?? 0) + 1);
  }
  return pairs;
}

/** Twice the shared pairs over all pairs, line by line; blank lines weigh nothing. */
function resemblance(there: readonly Pairs[], wanted: readonly Pairs[]): number {
  let shared = 0;
  let total = 0;
  for (const [index, pairs] of wanted.entries()) {
    const other = there[index] ?? new Map<string, number>();
    for (const [pair, times] of pairs) shared += Math.min(times, other.get(pair) ?? 0);
    total += sum(pairs) + sum(other);
  }
  return total === 0 ? 0 : (2 * shared) / total;
}

function sum(pairs: Pairs): number {
  let total = 0;
  for (const times of pairs.values()) total += times;
  return total;
}
