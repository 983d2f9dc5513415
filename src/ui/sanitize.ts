/** Strings a terminal would act on (titles, links, clipboard): from their introducer to their terminator. */
const CONTROL_STRINGS = /(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x80-\x9f]*(?:\x07|\x1b\\|\x9c)/g;
/** Colours, cursor movement, modes: `ESC [ 2 J`. */
const CONTROL_SEQUENCES = /(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]/g;
/** The short ones: `ESC c` resets a terminal. */
const SHORT_ESCAPES = /\x1b[ -/]*[0-~]/g;
const LINE_BREAKS = /[\t\n\v\f\r\x85\u2028\u2029]+/g;
/** What is left of C0, DEL and C1 once the sequences are gone. */
const CONTROLS = /[\x00-\x1f\x7f-\x9f\u2028\u2029]/g;
/** Characters without a shape: those that turn the direction of text, and those that hide in it. */
const INVISIBLE = /[\u200b\u200e\u200f\u061c\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

/** Text from a model, a tool or a file as one line that cannot drive a terminal or a CI log. Keeps leading spaces. */
export function oneLine(text: string): string {
  return breakCommands(stripControls(stripSequences(text).replace(LINE_BREAKS, " ")));
}

/** The same over many lines; a lone carriage return, which would overwrite, counts as a line's end. */
export function manyLines(text: string): readonly string[] {
  return stripSequences(text)
    .split(/\r\n|[\n\r\v\f\x85\u2028\u2029]/)
    .map((line) => breakCommands(stripControls(line.replaceAll("\t", "  "))));
}

/** A lone surrogate is made visible: no terminal agrees with another about it. */
function stripSequences(text: string): string {
  return text.toWellFormed().replace(CONTROL_STRINGS, "").replace(CONTROL_SEQUENCES, "").replace(SHORT_ESCAPES, "");
}

function stripControls(text: string): string {
  return text.replace(CONTROLS, "").replace(INVISIBLE, "");
}

/** CI runners obey `::set-output` at a line's start (GitHub) and `##[…]`, `##vso[…]` anywhere in it (Azure): a space breaks them. */
function breakCommands(line: string): string {
  return line.replace(/^(\s*)::/, "$1: :").replace(/##(?=\[|vso\[)/gi, "# #");
}
