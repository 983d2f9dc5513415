/**
 * A file as the editor sees it: one character for each byte, so that what an edit does not touch cannot change, whatever
 * its encoding. In `text` the CR of a CRLF is out of sight; `hidden` holds the places in `text` before which one stands.
 */
export interface FileView {
  readonly bytes: string;
  readonly text: string;
  readonly hidden: readonly number[];
}

/** A stretch of `FileView.text`. */
export interface Stretch {
  readonly start: number;
  readonly end: number;
}

/** The view of a file's bytes, one character each. */
export function viewOf(bytes: string): FileView {
  const hidden: number[] = [];
  for (let at = bytes.indexOf("\r\n"); at >= 0; at = bytes.indexOf("\r\n", at + 2)) hidden.push(at - hidden.length);
  return { bytes, text: bytes.replaceAll("\r\n", "\n"), hidden };
}

/** Text as bytes, one character each, and its CRLF as LF. */
export function toBytes(text: string): string {
  return Buffer.from(text.replaceAll("\r\n", "\n"), "utf8").toString("latin1");
}

/** Bytes, one character each, as text again. */
export function fromBytes(bytes: string): string {
  return Buffer.from(bytes, "latin1").toString("utf8");
}

/** All places where `sought` stands, none overlapping. */
export function exactMatches(view: FileView, sought: string): readonly Stretch[] {
  const found: Stretch[] = [];
  for (let at = view.text.indexOf(sought); at >= 0; at = view.text.indexOf(sought, at + sought.length))
    found.push({ start: at, end: at + sought.length });
  return found;
}

/** The file with stretches replaced, in the line ends of what stood there, or else of the file. All other bytes stay. */
export function splice(view: FileView, stretches: readonly Stretch[], replacement: string): string {
  const parts: string[] = [];
  let end = 0;
  for (const stretch of stretches) {
    const from = inBytes(view, stretch.start);
    const to = inBytes(view, stretch.end);
    const old = view.bytes.slice(from, to);
    const crlf = old.includes("\n") ? old.includes("\r\n") : hasMostlyCrlf(view);
    parts.push(view.bytes.slice(end, from), crlf ? replacement.replaceAll("\n", "\r\n") : replacement);
    end = to;
  }
  return parts.join("") + view.bytes.slice(end);
}

/** Number of the line in which a place of `text` is, from 1. */
export function lineNumberAt(view: FileView, place: number): number {
  let line = 1;
  for (let at = view.text.indexOf("\n"); at >= 0 && at < place; at = view.text.indexOf("\n", at + 1)) line++;
  return line;
}

/** True when more lines of the file end in CRLF than in LF alone. */
export function hasMostlyCrlf(view: FileView): boolean {
  return view.hidden.length * 2 > (view.text.match(/\n/g)?.length ?? 0);
}

/** The place in `bytes`: further on by every hidden CR before it. */
function inBytes(view: FileView, place: number): number {
  let [low, high] = [0, view.hidden.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((view.hidden[middle] ?? 0) < place) low = middle + 1;
    else high = middle;
  }
  return place + low;
}
