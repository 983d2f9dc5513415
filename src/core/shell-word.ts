import { HOLE } from "./permission-glob.ts";

/** A script that is being read, and what is told of it on the way. */
export interface Scan {
  readonly text: string;
  at: number;
  /** What cannot be told before the script runs. */
  readonly doubts: Set<string>;
  /** Reads the commands of a substitution: those that begin here and end with a parenthesis, or a text of their own. */
  substitute(script: "here" | { readonly text: string }): void;
}

/** A word as the shell would hand it over. */
export interface ReadWord {
  /** Quotes taken off; what is not known is a `HOLE`. */
  readonly text: string;
  /** How many characters at its beginning stand there plainly, neither quoted nor made up. */
  readonly plainLength: number;
  /** Not known as a whole and not quoted: it may turn out to be nothing, or several words. */
  readonly mayVanish: boolean;
}

const ENDS_WORD = /[\s;&|<>()]/;
const NAME = /\$(?:[A-Za-z_]\w*|[0-9@*#?$!-])/y;
const ARITHMETIC = /\$\(\([\w\s+\-*/%<>=!&|^~?:,$]*\)\)/y;
/** Braces in which there is nothing to choose from stay as they are: `{}`. */
const CHOICE = /\{[^\s;&|<>()]{0,200}?(?:,|\.\.)|\{[^\s;&|<>()]{200}/y;
const DEEPEST_TEXT = 200;

/** Passes what the pattern (sticky) finds here, if `accept` takes it; the text of it, or an empty string. */
export function skipTo(
  scan: Pick<Scan, "text" | "at">,
  pattern: RegExp,
  accept: (found: string, next: string) => boolean = () => true,
): string {
  pattern.lastIndex = scan.at;
  const found = pattern.exec(scan.text)?.[0] ?? "";
  if (found === "" || !accept(found, scan.text[scan.at + found.length] ?? "")) return "";
  scan.at += found.length;
  return found;
}

/** Reads the word that begins here; empty where none does. */
export function readWord(scan: Scan): ReadWord {
  const from = scan.at;
  let text = "";
  let plainLength: number | null = null;
  let isQuoted = false;
  /** From here on the word may become several, or whatever files there are. */
  let openFrom: number | null = null;
  while (scan.at < scan.text.length) {
    const char = scan.text[scan.at] ?? "";
    if (/^[<>]\(/.test(scan.text.slice(scan.at, scan.at + 2))) {
      plainLength ??= text.length;
      scan.at += 2;
      scan.substitute("here");
      text += HOLE;
      continue;
    }
    if (ENDS_WORD.test(char)) break;
    const isPlain = /[\w./:=@%+,^#!{}[\]-]/.test(char);
    if (!isPlain) plainLength ??= text.length;
    isQuoted ||= /["'\\]/.test(char);
    if (openFrom === null && isChoice(scan)) openFrom = text.length;
    text += isPlain ? take(scan) : readSpecial(scan, char, text, from);
  }
  if (openFrom !== null) text = text.slice(0, openFrom) + HOLE;
  text = text.replace(/\u0000+/g, HOLE);
  return { text, plainLength: plainLength ?? text.length, mayVanish: text === HOLE && !isQuoted };
}

function take(scan: Scan): string {
  const char = scan.text[scan.at] ?? "";
  scan.at += 1;
  return char;
}

/** A character that means more than itself, or may. */
function readSpecial(scan: Scan, char: string, before: string, from: number): string {
  switch (char) {
    case "\\":
      return readEscape(scan);
    case "'":
      scan.at += 1;
      return readQuoted(scan);
    case '"':
      scan.at += 1;
      return readText(scan, '"');
    case "$":
      return readDollar(scan, false);
    case "`":
      return readBackticks(scan);
    case "*":
    case "?":
      scan.at += 1;
      return HOLE;
    case "~":
      scan.at += 1;
      return scan.at === from + 1 || /[=:]$/.test(before) ? HOLE : "~";
    default:
      return take(scan);
  }
}

function readEscape(scan: Scan): string {
  const next = scan.text[scan.at + 1];
  scan.at += 2;
  if (next === undefined) return "\\";
  return next === "\n" ? "" : next;
}

/** `{a,b}` and `[ab]`; not `{}`, and not the command `[`. */
function isChoice({ text, at }: Scan): boolean {
  const next = text[at + 1] ?? "";
  if (text[at] === "[") return next !== "" && next !== "[" && !ENDS_WORD.test(next);
  if (text[at] !== "{") return false;
  CHOICE.lastIndex = at;
  return CHOICE.test(text) || /[$`"'\\]/.test(next);
}

function readQuoted(scan: Scan): string {
  const end = scan.text.indexOf("'", scan.at);
  if (end < 0) scan.doubts.add("a quote is not closed");
  const text = scan.text.slice(scan.at, end < 0 ? scan.text.length : end);
  scan.at = end < 0 ? scan.text.length : end + 1;
  return text;
}

/** Text in which variables and substitutions count: up to a double quote, or (null) all of it. */
export function readText(scan: Scan, closer: '"' | null): string {
  let text = "";
  while (scan.at < scan.text.length) {
    const char = scan.text[scan.at] ?? "";
    if (char === closer) {
      scan.at += 1;
      return text;
    }
    if (char === "\\") text += readEscapeInText(scan);
    else if (char === "$") text += readDollar(scan, true);
    else if (char === "`") text += readBackticks(scan);
    else text += take(scan);
  }
  if (closer !== null) scan.doubts.add("a quote is not closed");
  return text;
}

function readEscapeInText(scan: Scan): string {
  const next = scan.text[scan.at + 1] ?? "";
  scan.at += 2;
  if (next === "\n") return "";
  return /[$`"\\]/.test(next) ? next : `\\${next}`;
}

function readDollar(scan: Scan, isInQuotes: boolean): string {
  const next = scan.text[scan.at + 1] ?? "";
  if (next === "(") {
    if (skipTo(scan, ARITHMETIC)) return HOLE;
    scan.at += 2;
    scan.substitute("here");
    return HOLE;
  }
  if (next === "{") return readBraces(scan);
  if (!isInQuotes && next === "'") return readAnsi(scan);
  if (!isInQuotes && next === '"') {
    scan.at += 2;
    return readText(scan, '"');
  }
  if (next === "[") scan.doubts.add("old arithmetic is not read");
  if (skipTo(scan, NAME)) return HOLE;
  return take(scan);
}

/** `${…}`: what stands in it may call commands. */
function readBraces(scan: Scan): string {
  scan.at += 2;
  let depth = 0;
  while (scan.at < scan.text.length) {
    const char = scan.text[scan.at] ?? "";
    if (char === "}") {
      scan.at += 1;
      if (depth === 0) return HOLE;
      depth -= 1;
    } else if (char === "\\") scan.at += 2;
    else if (char === "$" && scan.text[scan.at + 1] === "{") {
      depth += 1;
      scan.at += 2;
      if (depth > DEEPEST_TEXT) break;
    } else if (char === "$") readDollar(scan, true);
    else if (char === "`") readBackticks(scan);
    else {
      // In which of its parts a quote counts depends on where the whole stands.
      if (char === "'" || char === '"') scan.doubts.add("a quote inside of ${} is not read");
      scan.at += 1;
    }
  }
  scan.doubts.add("a brace is not closed");
  scan.at = scan.text.length;
  return HOLE;
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: "\n",
  t: "\t",
  r: "\r",
  a: "\u0007",
  b: "\b",
  e: "\u001b",
  E: "\u001b",
  f: "\f",
  v: "\v",
};

/** `$'…'`. */
function readAnsi(scan: Scan): string {
  scan.at += 2;
  let text = "";
  while (scan.at < scan.text.length) {
    const code = skipTo(scan, /\\(?:x[0-9A-Fa-f]{1,2}|u[0-9A-Fa-f]{1,4}|U[0-9A-Fa-f]{1,8}|[0-7]{1,3}|c[\s\S])/y);
    if (code !== "") text += characterOf(code);
    else if (scan.text[scan.at] === "'") {
      scan.at += 1;
      return text;
    } else if (scan.text[scan.at] === "\\") {
      const next = scan.text[scan.at + 1] ?? "";
      text += ESCAPES[next] ?? (/['"\\?]/.test(next) ? next : `\\${next}`);
      scan.at += 2;
    } else text += take(scan);
  }
  scan.doubts.add("a quote is not closed");
  return text;
}

function characterOf(code: string): string {
  if (code.startsWith("\\c")) return HOLE;
  const isHex = /^\\[xuU]/.test(code);
  const value = Number.parseInt(code.slice(isHex ? 2 : 1), isHex ? 16 : 8);
  return value === 0 || value > 0x10ffff ? HOLE : String.fromCodePoint(value);
}

function readBackticks(scan: Scan): string {
  const script = skipTo(scan, /`(?:[^`\\]|\\[\s\S])*`/y);
  if (script === "") {
    scan.doubts.add("a backtick is not closed");
    scan.substitute({ text: scan.text.slice(scan.at + 1).replace(/\\([$`\\])/g, "$1") });
    scan.at = scan.text.length;
    return HOLE;
  }
  scan.substitute({ text: script.slice(1, -1).replace(/\\([$`\\])/g, "$1") });
  return HOLE;
}
