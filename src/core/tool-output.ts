import { cutMiddle } from "./cut-middle.ts";

/** Where, from the worktree's root, a tool finds what was too long to be shown. Nothing of it is in the tree. */
export const OUTPUT_FOLDER = ".ccp-output";

/** Of a result that says nothing else, so many characters are shown. */
const MOST_CHARACTERS = 64 * 1024;

/** A result as a model is shown it, and all of it where that is more. `whole` null: there is no more. */
export interface ShownOutput {
  readonly text: string;
  readonly whole: string | null;
}

/** What is shown of a result, before it is said where all of it is. `full`: all of it, where the tool shows only a part. */
export function shownOutput(text: string, full: string | undefined): ShownOutput {
  if (full !== undefined && full.length > text.length) return { text, whole: full };
  if (text.length <= MOST_CHARACTERS) return { text, whole: null };
  return { text: cutMiddle(text, MOST_CHARACTERS), whole: text };
}

/** Where a whole result is kept, by the sha256 (hex) of its bytes. */
export function outputPath(sha256: string): string {
  return `${OUTPUT_FOLDER}/${sha256.slice(0, 12)}.txt`;
}

/** What is shown, with the word where all of it is. Said once: a replay is given a text that has it. */
export function withWhole(text: string, path: string, characters: number): string {
  const note = `[All ${characters} characters of it: ${path}, for read and grep alone]`;
  return text.endsWith(note) ? text : `${text}\n${note}`;
}
