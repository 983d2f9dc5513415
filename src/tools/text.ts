/** Characters of a line for people: a terminal's width and a little more. */
const LONGEST_SUMMARY = 160;

/** Text as one line for people: no control characters, no marks that turn the direction of writing, not too long. */
export function oneLine(text: string, longest = LONGEST_SUMMARY): string {
  const plain = withoutEscapes(text)
    .replace(/\p{Cf}/gu, "")
    .replace(/[\s\p{Cc}]+/gu, " ")
    .trim();
  return plain.length > longest ? `${cutTo(plain, longest - 1)}…` : plain;
}

/** Output of a command as a model should read it: no colours, no control characters but newline and tab. */
export function plainText(text: string): string {
  return withoutEscapes(text)
    .replaceAll("\r\n", "\n")
    .replace(/[^\P{Cc}\n\t]/gu, "");
}

/** The first and the last part of a text that is too long, and how many bytes are missing between them. */
export function headAndTail(text: string, mostBytes: number): string {
  const bytes = Buffer.from(text, "utf8");
  if (bytes.length <= mostBytes) return text;
  const half = Math.floor(mostBytes / 2);
  const head = new TextDecoder().decode(bytes.subarray(0, half), { stream: true }).replace(CUT_END, "");
  let start = bytes.length - half;
  while (((bytes[start] ?? 0) & 0xc0) === 0x80) start++;
  const tail = bytes.subarray(start).toString("utf8").replace(CUT_START, "");
  const cut = text.slice(head.length, text.length - tail.length);
  return `${head}\n… ${missingBytes(cut)} bytes left out …\n${tail}`;
}

/** A word at the cut, which is left out whole: half a key would not be known for one. */
const CUT_END = /(?<=\s)\S{1,200}$/;
const CUT_START = /^\S{1,200}(?=\s)/;

/** The first `length` characters, none of them halved. */
export function cutTo(text: string, length: number): string {
  const cut = text.slice(0, length);
  return /[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut;
}

/** Lines without their ends; a final newline ends the last line and begins no other. */
export function linesOf(text: string): readonly string[] {
  if (text === "") return [];
  const lines = text.split(/\r?\n/);
  return lines.at(-1) === "" ? lines.slice(0, -1) : lines;
}

/** The workspace may have left something out before, at the same place, and said so: that is missing too. */
function missingBytes(cut: string): number {
  const notice = /\n… (\d+) bytes left out …\n/.exec(cut);
  const earlier = notice === null ? 0 : Number(notice[1]) - Buffer.byteLength(notice[0]);
  return Buffer.byteLength(cut) + earlier;
}

/** `ESC [ 31 m` and its kin, and `ESC ] … BEL`, which sets titles and links. */
function withoutEscapes(text: string): string {
  return text.replace(/\u001b\[[0-?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)|\u001b[@-_]/g, "");
}
