import type { OutputStream } from "./output-stream.ts";

const CSI = "\x1b[";
/**
 * Around each write: draw at once (terminals that know mode 2026), no cursor while lines are drawn, and no wrapping,
 * so that a character whose width the terminal sees differently cannot push the frame down. All three are undone in
 * the same write: whatever ends the process, even `kill -9`, the terminal is as it was.
 */
const BEGIN = `${CSI}?2026h${CSI}?25l${CSI}?7l`;
const END = `${CSI}?7h${CSI}?25h${CSI}?2026l`;
const WRAP_ON = `${CSI}?7h`;
const WRAP_OFF = `${CSI}?7l`;
const ERASE_LINE_END = `${CSI}K`;
/** From the cursor down; above the cursor nothing is ever erased, and never the scrollback. */
const ERASE_BELOW = `${CSI}J`;
/** Whoever is typing below the frame goes on where he was. */
const SAVE_CURSOR = "\x1b7";
const RESTORE_CURSOR = "\x1b8";

/**
 * The few lines at the bottom of a terminal that change. The cursor rests below them, so that text above is ordinary
 * scrollback and whatever writes next begins on a line of its own.
 */
export class LiveRegion {
  readonly #stream: OutputStream;
  #frame: readonly string[] = [];
  #columns: number | undefined;
  /** Rows below the frame's end to which typed lines have moved the cursor. */
  #typedRows = 0;

  constructor(stream: OutputStream) {
    this.#stream = stream;
  }

  /** A line was typed below the frame, and shown by the terminal: the cursor is a row further down. */
  typed(): void {
    if (this.#frame.length > 0) this.#typedRows += 1;
  }

  /** Adds `lines` to the scrollback for good and shows `frame` below them, in one write; none when nothing changed. */
  show(lines: readonly string[], frame: readonly string[]): void {
    const columns = this.#stream.columns;
    // After a resize the terminal may have broken the old lines anew. Only as many rows as there were lines are ours
    // for certain, so only these are drawn over: a rest of the old frame may stay, nothing else is lost.
    const known = lines.length === 0 && columns === this.#columns && this.#typedRows === 0;
    const body = known ? this.#changes(frame) : this.#anew(lines, frame);
    this.#frame = frame;
    this.#columns = columns;
    this.#typedRows = 0;
    if (body !== "") this.#stream.write(body);
  }

  #anew(lines: readonly string[], frame: readonly string[]): string {
    const committed = lines.map((line) => `${line}\n`).join("");
    if (this.#frame.length === 0 && frame.length === 0) return committed;
    const drawn = frame.map((line) => `\r${line}\n`).join("");
    return `${BEGIN}${this.#top()}${ERASE_BELOW}${WRAP_ON}${committed}${WRAP_OFF}${drawn}\r${END}`;
  }

  #changes(frame: readonly string[]): string {
    const before = this.#frame;
    if (before.length === frame.length && before.every((line, index) => line === frame[index])) return "";
    const drawn = frame.map((line, index) => (line === before[index] ? "\n" : `\r${line}${ERASE_LINE_END}\n`)).join("");
    if (before.length === frame.length) {
      return `${BEGIN}${SAVE_CURSOR}${this.#top()}${drawn}${RESTORE_CURSOR}${END}`;
    }
    const rest = before.length > frame.length ? `\r${ERASE_BELOW}` : "\r";
    return `${BEGIN}${this.#top()}${drawn}${rest}${END}`;
  }

  #top(): string {
    return this.#frame.length === 0 ? "" : `\r${CSI}${this.#frame.length + this.#typedRows}A`;
  }
}
