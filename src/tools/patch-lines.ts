/** A line of a file, one character a byte, and the bytes that end it; the last line may have none. */
export interface FileLine {
  readonly text: string;
  readonly end: string;
}

/** A line whose end is still to be chosen (null), or one of the file's own. */
export interface PatchedLine {
  readonly text: string;
  readonly end: string | null;
}

/** A file in lines. */
export interface FileLines<Line> {
  /** The byte order mark, which is no part of the first line. */
  readonly mark: string;
  readonly lines: readonly Line[];
  /** An empty file counts: what is put into it ends with a newline. */
  readonly endsInNewline: boolean;
}

const MARK = "\u00ef\u00bb\u00bf";

/** Splits a file, one character a byte, such that `joinLines` gives the same bytes back. */
export function splitLines(bytes: string): FileLines<FileLine> {
  const mark = bytes.startsWith(MARK) ? MARK : "";
  const lines: FileLine[] = [];
  let at = mark.length;
  while (at < bytes.length) {
    const newline = bytes.indexOf("\n", at);
    const end = newline < 0 ? bytes.length : newline + 1;
    const line = bytes.slice(at, end);
    const [ending = ""] = /\r?\n$/.exec(line) ?? [];
    lines.push({ text: line.slice(0, line.length - ending.length), end: ending });
    at = end;
  }
  return { mark, lines, endsInNewline: lines.at(-1)?.end !== "" };
}

/** The bytes of a file again. Every line but the last has an end; whether that one has is as it was before. */
export function joinLines({ mark, lines, endsInNewline }: FileLines<PatchedLine>, usualEnd: string): string {
  const last = lines.length - 1;
  const ended = lines.map(({ text, end }, index) => {
    if (index === last && !endsInNewline) return text;
    return text + (end || usualEnd);
  });
  return mark + ended.join("");
}
