import { displayWidth } from "../../src/ui/width.ts";

interface Row {
  cells: string[];
  /** True when the text goes on in the next row because it did not fit. */
  isBroken: boolean;
}

const TOKEN = /\x1b\[([?0-9;]*)([A-Za-z])|\x1b.?|[\s\S]/gu;

/**
 * A terminal as far as a well-behaved program may use one: text, line breaks, up, erase to the right and below,
 * colours, and three private modes. Anything else (clearing the screen or the scrollback, the alternate screen, mouse
 * reports) throws.
 */
export class Terminal {
  readonly isTTY = true;
  columns: number;
  rows: number;
  bytes = "";
  writes = 0;
  isCursorShown = true;
  isWrapping = true;
  #lines: Row[] = [{ cells: [], isBroken: false }];
  #row = 0;
  #column = 0;
  #saved = { row: 0, column: 0 };

  constructor(columns: number, rows: number) {
    this.columns = columns;
    this.rows = rows;
  }

  write(text: string): boolean {
    this.bytes += text;
    this.writes++;
    for (const [token, parameters, final] of text.matchAll(TOKEN)) this.#obey(token, parameters, final);
    return true;
  }

  /** Scrollback and screen, trailing spaces and empty last lines left out; broken lines are one. */
  text(): readonly string[] {
    const lines: string[] = [];
    let isOpen = false;
    for (const { cells, isBroken } of this.#lines) {
      const text = cells.join("");
      lines.push(isOpen ? (lines.pop() ?? "") + text : text);
      isOpen = isBroken;
    }
    return lines
      .map((line) => line.trimEnd())
      .join("\n")
      .trimEnd()
      .split("\n");
  }

  /** Rows whose text did not fit the width. */
  brokenRows(): number {
    return this.#lines.filter((line) => line.isBroken).length;
  }

  /** What one sees. */
  screen(): readonly string[] {
    return this.#lines.slice(this.#top()).map((line) => line.cells.join("").trimEnd());
  }

  /** `reflow`: lines that no longer fit are broken anew, as most terminals do; xterm leaves them cut. */
  resize(columns: number, rows: number, reflow: boolean): void {
    this.columns = columns;
    this.rows = rows;
    if (!reflow) return;
    if (this.#column !== 0) throw new Error("this terminal can only be resized with the cursor at a line's start");
    const below = this.#lines.slice(this.#row);
    const above = this.#lines.slice(0, this.#row).flatMap((line) => this.#broken(line));
    this.#row = above.length;
    this.#lines = [...above, ...below];
  }

  #broken(line: Row): readonly Row[] {
    const rows: Row[] = [];
    for (let start = 0; start === 0 || start < line.cells.length; start += this.columns)
      rows.push({ cells: line.cells.slice(start, start + this.columns), isBroken: true });
    return rows.map((row, index) => (index === rows.length - 1 ? { ...row, isBroken: line.isBroken } : row));
  }

  #obey(token: string, parameters: string | undefined, final: string | undefined): void {
    const sequence = `${parameters ?? ""}${final ?? ""}`;
    if (final === "m") return;
    if (token === "\n") this.#newLine(false);
    else if (token === "\r") this.#column = 0;
    else if (!token.startsWith("\x1b")) this.#put(token);
    else if (token === "\x1b7") this.#saved = { row: this.#row, column: this.#column };
    else if (token === "\x1b8") [this.#row, this.#column] = [this.#saved.row, this.#saved.column];
    else if (final === "A") this.#row = Math.max(this.#top(), this.#row - Number(parameters));
    else if (sequence === "K") this.#line().cells.length = Math.min(this.#line().cells.length, this.#column);
    else if (sequence === "J") this.#eraseBelow();
    else this.#setMode(sequence);
  }

  #setMode(sequence: string): void {
    if (sequence === "?25h" || sequence === "?25l") this.isCursorShown = sequence === "?25h";
    else if (sequence === "?7h" || sequence === "?7l") this.isWrapping = sequence === "?7h";
    else if (sequence !== "?2026h" && sequence !== "?2026l") throw new Error(`not allowed: ESC [ ${sequence}`);
  }

  #eraseBelow(): void {
    // The rest of a broken line is gone: what is written here next is no part of it.
    const above = this.#lines[this.#row - 1];
    if (above && this.#column === 0) above.isBroken = false;
    this.#line().cells.length = Math.min(this.#line().cells.length, this.#column);
    this.#lines.length = this.#row + 1;
  }

  #put(character: string): void {
    if (/[\x00-\x1f\x7f-\x9f]/.test(character)) throw new Error(`control character ${JSON.stringify(character)}`);
    const width = displayWidth(character);
    if (this.#column + width > this.columns) {
      if (!this.isWrapping) return;
      this.#line().isBroken = true;
      this.#newLine(true);
    }
    const { cells } = this.#line();
    while (cells.length < this.#column) cells.push(" ");
    cells.splice(this.#column, width, ...(width === 2 ? [character, ""] : [character]));
    this.#column += width;
  }

  #newLine(isBreak: boolean): void {
    if (!isBreak) this.#line().isBroken = false;
    this.#column = 0;
    this.#row++;
    if (this.#row === this.#lines.length) this.#lines.push({ cells: [], isBroken: false });
  }

  /** The first row of the screen: above it nothing can be reached. */
  #top(): number {
    return Math.max(0, this.#lines.length - this.rows);
  }

  #line(): Row {
    const line = this.#lines[this.#row];
    if (!line) throw new Error("the cursor left the screen");
    return line;
  }
}
