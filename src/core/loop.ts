import { canonicalJson } from "./json.ts";
import type { ToolCall } from "./model.ts";

/** A tool call and what came of it: two are the same when both are. A poll whose answer changes is never the same. */
export interface Deed {
  /** From `callSignature`. */
  readonly call: string;
  /** The text of the result. Of a call that was refused for repeating itself: that of the one before it. */
  readonly result: string;
}

/** What an agent did last, as far back as it takes to see that it goes in circles. */
export interface Trail {
  readonly deeds: readonly Deed[];
  /** Deeds since the model was last told that it goes in circles; null: never. */
  readonly sinceReminder: number | null;
  /** Deeds since a call was last refused for going on in a circle; null: never. */
  readonly sinceRefusal: number | null;
}

/** Nothing was done yet. */
export const NO_TRAIL: Trail = { deeds: [], sinceReminder: null, sinceRefusal: null };

/** What to do with a call: `end`: the model was told, a call was refused, and it goes on all the same. */
export type LoopVerdict = "run" | "refuse" | "end";

/** How the text of a result begins whose call was refused for going on in a circle. */
export const REPEATED_MARK = "Not run again: ";

/** Calls of the longest cycle that counts as one: read, grep, read, grep, edit … A longer one ends with the turns. */
const LONGEST_CYCLE = 5;
/** So often the same cycle may come: then the model is told, the next call of it is refused, and the one after it ends the step. */
const REPEATS = 3;
/** What it takes to count the repeats of the longest cycle, the reminder and the refusal among them. */
const KEPT = LONGEST_CYCLE * (REPEATS + 2);

/** What a model is told instead of a result. */
export function repeatedText({ name }: Pick<ToolCall, "name">): string {
  return (
    `${REPEATED_MARK}${name} was called with these arguments before, again and again, and the same came of it each time. ` +
    "The next call of this circle ends the step. Do something else, or call finish and say what is in the way."
  );
}

/** Names a call by its tool and arguments, whatever the order and spacing in which they were written. */
export function callSignature({ name, rawArguments }: Pick<ToolCall, "name" | "rawArguments">): string {
  return `${name} ${canonicalArguments(rawArguments)}`;
}

/** Adds what was done. `result` null: it was refused for repeating itself, so nothing new came of it. */
export function withDeed({ deeds, sinceReminder, sinceRefusal }: Trail, call: string, result: string | null): Trail {
  const same = deeds.findLast((deed) => deed.call === call)?.result ?? "";
  return {
    deeds: [...deeds, { call, result: result ?? same }].slice(-KEPT),
    sinceReminder: sinceReminder === null ? null : sinceReminder + 1,
    sinceRefusal: result === null ? 0 : sinceRefusal === null ? null : sinceRefusal + 1,
  };
}

/** The model has been told. */
export function withReminder(trail: Trail): Trail {
  return { ...trail, sinceReminder: 0 };
}

/** True when the last calls were the same ones often enough, and the model has not been told of it. */
export function isReminderDue(trail: Trail): boolean {
  return cyclesOf(trail).some(({ repeats, length }) => repeats >= REPEATS && !isWithin(trail.sinceReminder, length));
}

/** Whether this call would go on in a circle that the trail ends with. */
export function verdictOnCall(trail: Trail, call: string): LoopVerdict {
  const goesOn = cyclesOf(trail).filter(({ repeats, next }) => repeats >= REPEATS && next === call);
  if (goesOn.length === 0) return "run";
  const isLast = goesOn.some(
    ({ length }) => isWithin(trail.sinceReminder, length) && isWithin(trail.sinceRefusal, length),
  );
  return isLast ? "end" : "refuse";
}

/** A cycle with which a trail ends. */
interface Cycle {
  /** How often it was gone through, the broken one at its beginning not counted. */
  readonly repeats: number;
  /** Deeds that belong to it. */
  readonly length: number;
  /** The call with which it would go on. */
  readonly next: string;
}

function cyclesOf({ deeds }: Trail): readonly Cycle[] {
  return Array.from({ length: LONGEST_CYCLE }, (_, index) => cycleOf(deeds, index + 1)).filter(
    (cycle) => cycle !== null,
  );
}

function cycleOf(deeds: readonly Deed[], period: number): Cycle | null {
  const next = deeds.at(-period);
  if (next === undefined || deeds.length < period) return null;
  let at = deeds.length - 1;
  while (at >= period && isSame(deeds[at], deeds[at - period])) at--;
  const length = deeds.length - 1 - at + period;
  return { repeats: Math.floor(length / period), length, next: next.call };
}

function isSame(a: Deed | undefined, b: Deed | undefined): boolean {
  return a?.call === b?.call && a?.result === b?.result;
}

/** True when something that was so many deeds ago came after the present circle had begun. */
function isWithin(since: number | null, length: number): boolean {
  return since !== null && since < length;
}

function canonicalArguments(raw: string): string {
  try {
    return canonicalJson(JSON.parse(raw));
  } catch {
    return raw;
  }
}
