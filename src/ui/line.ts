import { plural } from "../core/words.ts";
import { NO_PROGRESS, type Progress } from "./progress.ts";
import { oneLine } from "./sanitize.ts";
import type { StepLabel } from "./step-label.ts";
import { clip } from "./width.ts";

/** What a line is about: a screen with colours styles it by this. `detail` lines may be cut to the terminal's width. */
export type LineKind = "title" | "step" | "detail" | "note" | "good" | "warning" | "bad";

/** One fact for people. The text has no escape codes, no control characters and no line break. */
export interface Line {
  readonly kind: LineKind;
  readonly text: string;
}

/** What helps to word a fact beyond the event and the run. */
export interface LineContext {
  readonly steps: readonly StepLabel[];
  /** As it was before the event. */
  readonly progress: Progress;
}

/** Nothing is known but the event and the run. */
export const NO_CONTEXT: LineContext = { steps: [], progress: NO_PROGRESS };

/** The one way to make a line: whatever was put into it comes out harmless. */
export function line(kind: LineKind, text: string): Line {
  return { kind, text: oneLine(text).trimEnd() };
}

/** A word to the person at the terminal that is no fact of the run. */
export function noticeLine(text: string): Line {
  return line("warning", `ccp: ${text}`);
}

/** Text from elsewhere inside a line: cleaned, and cut before it drowns the rest. */
export function quoted(text: string, width = 120): string {
  // Cleaned after a first cut: a megabyte of escape codes is not worth reading for one line.
  return clip(oneLine(text.slice(0, width * 40)).trim(), width);
}

/** The first six names, and how many more there are. */
export function namesOf(names: readonly string[], noun: string): string {
  const shown = names.slice(0, 6).map((name) => quoted(name, 60));
  const more = names.length - shown.length;
  return more > 0 ? `${shown.join(", ")} and ${plural(more, noun)} more` : shown.join(", ");
}
