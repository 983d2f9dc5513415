import { cutTo } from "./text.ts";

/** One line of a diff: kept, taken out or put in. */
interface Change {
  readonly sign: " " | "-" | "+";
  readonly line: string;
}

/** A change, counted and shown. */
export interface LineDiff {
  readonly added: number;
  readonly removed: number;
  /** Hunks in unified form, three lines of context, without file names. */
  readonly text: string;
}

const CONTEXT = 3;
/** Cells of the comparison table; beyond it the changed middle counts as replaced whole. */
const MOST_CELLS = 4_000_000;
const MOST_SHOWN_LINES = 120;
/** Characters of a line that are shown. */
const LONGEST_LINE = 400;

/** What changed between two texts, by lines. Made to be read, not to be applied. */
export function diffLines(before: readonly string[], after: readonly string[]): LineDiff {
  const changes = changesOf(before, after);
  const hunks = hunksOf(changes);
  // No more hunks than there is room for: each header counts all lines above it.
  const lines = hunks
    .slice(0, MOST_SHOWN_LINES)
    .flatMap((hunk) => [headerOf(changes, hunk), ...changes.slice(...hunk).map(show)]);
  const rest = hunks.reduce((all, [start, end]) => all + 1 + end - start, 0) - MOST_SHOWN_LINES;
  const shown = rest > 0 ? [...lines.slice(0, MOST_SHOWN_LINES), `(${rest} more lines of this diff)`] : lines;
  return {
    added: changes.filter(({ sign }) => sign === "+").length,
    removed: changes.filter(({ sign }) => sign === "-").length,
    text: shown.join("\n"),
  };
}

function changesOf(before: readonly string[], after: readonly string[]): readonly Change[] {
  const most = Math.min(before.length, after.length);
  let head = 0;
  while (head < most && before[head] === after[head]) head++;
  let tail = 0;
  while (tail < most - head && before.at(-1 - tail) === after.at(-1 - tail)) tail++;
  const middle = compare(before.slice(head, before.length - tail), after.slice(head, after.length - tail));
  return [...before.slice(0, head).map(kept), ...middle, ...before.slice(before.length - tail).map(kept)];
}

function kept(line: string): Change {
  return { sign: " ", line };
}

/** The longest common subsequence of lines, walked from the front. */
function compare(before: readonly string[], after: readonly string[]): readonly Change[] {
  const removed = before.map((line): Change => ({ sign: "-", line }));
  const added = after.map((line): Change => ({ sign: "+", line }));
  const width = after.length + 1;
  if ((before.length + 1) * width > MOST_CELLS) return [...removed, ...added];
  const common = commonLengths(before, after);
  const changes: Change[] = [];
  let i = 0;
  let j = 0;
  while (i < before.length && j < after.length) {
    const [down = 0, right = 0] = [common[(i + 1) * width + j], common[i * width + j + 1]];
    if (before[i] === after[j]) {
      changes.push(kept(before[i] ?? ""));
      i++;
      j++;
    } else if (down >= right) changes.push(...removed.slice(i, ++i));
    else changes.push(...added.slice(j, ++j));
  }
  return [...changes, ...removed.slice(i), ...added.slice(j)];
}

/** `table[i * width + j]`: how many lines `before` from i and `after` from j have in common, in order. */
function commonLengths(before: readonly string[], after: readonly string[]): Uint32Array {
  const width = after.length + 1;
  const table = new Uint32Array((before.length + 1) * width);
  for (let i = before.length - 1; i >= 0; i--) {
    for (let j = after.length - 1; j >= 0; j--) {
      const [diagonal = 0, down = 0, right = 0] = [
        table[(i + 1) * width + j + 1],
        table[(i + 1) * width + j],
        table[i * width + j + 1],
      ];
      table[i * width + j] = before[i] === after[j] ? diagonal + 1 : Math.max(down, right);
    }
  }
  return table;
}

type Range = readonly [start: number, end: number];

/** Stretches of changes with their context; two that touch are one. */
function hunksOf(changes: readonly Change[]): readonly Range[] {
  const hunks: Range[] = [];
  for (const [index, { sign }] of changes.entries()) {
    if (sign === " ") continue;
    const previous = hunks.at(-1);
    const start = Math.max(0, index - CONTEXT);
    const end = Math.min(changes.length, index + CONTEXT + 1);
    if (previous !== undefined && start <= previous[1]) hunks[hunks.length - 1] = [previous[0], end];
    else hunks.push([start, end]);
  }
  return hunks;
}

function headerOf(changes: readonly Change[], [start, end]: Range): string {
  const ahead = changes.slice(0, start);
  const within = changes.slice(start, end);
  const side = (other: "+" | "-") => {
    const from = ahead.filter(({ sign }) => sign !== other).length;
    const length = within.filter(({ sign }) => sign !== other).length;
    return `${length === 0 ? from : from + 1},${length}`;
  };
  return `@@ -${side("+")} +${side("-")} @@`;
}

function show({ sign, line }: Change): string {
  return sign + (line.length > LONGEST_LINE ? `${cutTo(line, LONGEST_LINE)}…` : line);
}
