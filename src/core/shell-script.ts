import { HOLE } from "./permission-glob.ts";
import { readText, readWord, type Scan, skipTo } from "./shell-word.ts";

/** `> file` and the like. */
export interface ShellRedirection {
  readonly effect: "read" | "write";
  /** The file, as far as it is known. */
  readonly path: string;
}

/** A program with its words, as it stands in a script: quotes taken off, what is not known a `HOLE`. */
export interface ShellCommand {
  /** `NAME=value` before it. */
  readonly assignments: readonly string[];
  readonly words: readonly ShellWord[];
  readonly redirections: readonly ShellRedirection[];
  /** What it reads, where that stands in the script itself; null: something else, or nothing. */
  readonly input: string | null;
}

/** A word of a command. */
export interface ShellWord {
  readonly text: string;
  /** Not known as a whole and not quoted: it may turn out to be nothing, or several words. */
  readonly mayVanish: boolean;
}

/** A script in its simple commands, those inside of substitutions among them. */
export interface ShellScript {
  readonly commands: readonly ShellCommand[];
  /** What in it cannot be told before it runs. */
  readonly doubts: readonly string[];
}

/** Text beyond this is not read: no command that a person would want to allow is as long. */
const LONGEST_SCRIPT = 100_000;
const DEEPEST = 40;
/** Words that come before a command and are none. */
const BEFORE_A_COMMAND = new Set("if then elif else while until do ! { } fi done esac".split(" "));
const REDIRECTION = /(?:\d+|\{\w+\})?(?:&>>|&>|<<<|<<-|<<|<>|<&|>&|>>|>\||<|>)/y;
const SEPARATOR = /;;&|;;|;&|;|&&|&|\|\||\|&|\|/y;
const BLANK = /(?:[ \t\r]|\\\n)+/y;
const ASSIGNMENT = /^[A-Za-z_]\w*(?:\[[^\]]*\])?\+?=/;
const ARITHMETIC = /\(\([\w\s+\-*/%<>=!&|^~?:,;$]*\)\)/y;

interface Draft {
  assignments: string[];
  words: ShellWord[];
  redirections: ShellRedirection[];
  input: string | null;
  /** True: the words of a `for` or the subject of a `case`, which are not run. */
  isList: boolean;
}

interface Document {
  readonly delimiter: string;
  readonly isQuoted: boolean;
  readonly isIndented: boolean;
  readonly reader: Draft;
}

interface Reading extends Scan {
  readonly drafts: Draft[];
  documents: Document[];
  depth: number;
}

/**
 * Reads a script as bash would. What it does not understand is a doubt, never passed over: a script without doubts runs
 * these commands, or some of them, and no others.
 */
export function readScript(script: string): ShellScript {
  const drafts: Draft[] = [];
  const doubts = new Set<string>();
  if (script.length > LONGEST_SCRIPT) doubts.add("it is too long to be read");
  if (script.includes(HOLE)) doubts.add("a part of it is not known before it runs");
  const reading = readingOf(script.slice(0, LONGEST_SCRIPT), { drafts, doubts, depth: 0 });
  while (reading.at < reading.text.length) readCommands(reading, null);
  return { commands: drafts.filter(isSomething), doubts: [...doubts] };
}

function readingOf(text: string, shared: Pick<Reading, "drafts" | "doubts" | "depth">): Reading {
  const reading: Reading = { ...shared, text, at: 0, documents: [], substitute };
  function substitute(script: Parameters<Scan["substitute"]>[0]): void {
    reading.doubts.add("what a substitution gives is not known before it runs");
    if (script === "here") readCommands(reading, ")");
    else readAside(reading, script.text);
  }
  return reading;
}

/** A script within the script, as backticks hold it. */
function readAside(outer: Reading, text: string): void {
  if (tooDeep(outer)) return;
  const inner = readingOf(text, { drafts: outer.drafts, doubts: outer.doubts, depth: outer.depth + 1 });
  while (inner.at < inner.text.length) readCommands(inner, null);
}

function tooDeep(reading: Reading): boolean {
  if (reading.depth < DEEPEST) return false;
  reading.doubts.add("it is nested too deeply to be read");
  reading.at = reading.text.length;
  return true;
}

/** Commands up to a closing parenthesis, or to the end. */
function readCommands(reading: Reading, closer: ")" | null): void {
  if (tooDeep(reading)) return;
  reading.depth += 1;
  let draft = begin(reading);
  for (;;) {
    skipTo(reading, BLANK);
    const char = reading.text[reading.at];
    if (char === undefined) {
      if (closer !== null) reading.doubts.add("a parenthesis is not closed");
      break;
    }
    if (char === ")") {
      reading.at += 1;
      if (closer !== null) break;
      draft = begin(reading);
    } else if (char === "\n" || skipTo(reading, SEPARATOR, isNoRedirection)) {
      if (char === "\n") endLine(reading);
      draft = begin(reading);
    } else if (char === "#") reading.at = lineEnd(reading.text, reading.at);
    else if (char === "(") draft = readParenthesis(reading, draft);
    else readPiece(reading, draft);
  }
  reading.depth -= 1;
}

function begin(reading: Reading): Draft {
  const draft: Draft = { assignments: [], words: [], redirections: [], input: null, isList: false };
  reading.drafts.push(draft);
  return draft;
}

function isSomething({ isList, assignments, words, redirections }: Draft): boolean {
  return redirections.length > 0 || (!isList && assignments.length + words.length > 0);
}

/** `&>` begins a redirection. */
function isNoRedirection(found: string, next: string): boolean {
  return !(found === "&" && next === ">");
}

function readParenthesis(reading: Reading, draft: Draft): Draft {
  if ((draft.words.length === 0 || draft.isList) && skipTo(reading, ARITHMETIC)) return draft;
  reading.at += 1;
  if (draft.words.length === 1 && /^\s*\)/.test(reading.text.slice(reading.at, reading.at + 20))) {
    reading.doubts.add("a function may stand for any command");
    reading.at = reading.text.indexOf(")", reading.at) + 1;
    draft.words = [];
    return draft;
  }
  // An array's words are no command, but what they call while they are put together is.
  if (draft.words.length > 0 || draft.assignments.length > 0 || reading.text[reading.at] === "(")
    reading.doubts.add("a parenthesis stands where none was expected");
  readCommands(reading, ")");
  return begin(reading);
}

function readPiece(reading: Reading, draft: Draft): void {
  const isSubstitution = /^[<>]\(/.test(reading.text.slice(reading.at, reading.at + 2));
  const operator = isSubstitution ? null : skipTo(reading, REDIRECTION);
  if (operator) {
    readRedirection(reading, draft, operator);
    return;
  }
  const before = reading.at;
  const word = readWord(reading);
  // Whatever cannot begin a word: it is passed over, so that the reading comes to an end.
  if (reading.at === before) reading.at += 1;
  const isFirst = draft.words.length === 0 && !draft.isList;
  const isKeyword = word.plainLength === word.text.length;
  if (isFirst && isKeyword && keyword(reading, draft, word.text)) return;
  const assignment = isFirst ? ASSIGNMENT.exec(word.text)?.[0] : undefined;
  if (assignment !== undefined && assignment.length <= word.plainLength) draft.assignments.push(word.text);
  else if (draft.isList && isKeyword && (word.text === "in" || word.text === "do")) endList(draft, word.text);
  else draft.words.push({ text: word.text, mayVanish: word.mayVanish });
}

/** True: the word is one of the shell's own here. */
function keyword(reading: Reading, draft: Draft, word: string): boolean {
  if (draft.assignments.length > 0) return false;
  if (BEFORE_A_COMMAND.has(word)) return true;
  if (word === "time") {
    skipTo(reading, /[ \t]+-p(?=\s)/y);
    return true;
  }
  if (word === "for" || word === "select" || word === "case") {
    if (word === "case") reading.doubts.add("a case is not read");
    draft.isList = true;
    draft.words = [{ text: word, mayVanish: false }];
    return true;
  }
  if (word === "function" || word === "coproc") {
    reading.doubts.add(`a ${word} may stand for any command`);
    if (word === "function") {
      skipTo(reading, BLANK);
      readWord(reading);
    }
    return true;
  }
  if (word !== "[[") return false;
  readTest(reading);
  draft.words.push({ text: "[[", mayVanish: false });
  return true;
}

/** The words of a `for` go on behind `in`; those of a `case` are over, and its commands begin. */
function endList(draft: Draft, word: string): void {
  if (word === "in" && draft.words[0]?.text !== "case") return;
  draft.isList = false;
  draft.words = [];
}

/** `[[ … ]]`: its signs are comparisons. */
function readTest(reading: Reading): void {
  while (reading.at < reading.text.length) {
    skipTo(reading, /[\s()<>&|;]+/y);
    const word = readWord(reading);
    if (word.text === "]]" && word.plainLength === 2) return;
  }
  reading.doubts.add("a [[ is not closed");
}

function readRedirection(reading: Reading, draft: Draft, operator: string): void {
  const sign = operator.replace(/^(?:\d+|\{\w+\})/, "");
  skipTo(reading, BLANK);
  if (sign === "<<" || sign === "<<-") {
    readDocumentHead(reading, draft, sign === "<<-");
    return;
  }
  const { text } = readWord(reading);
  if (sign === "<<<") {
    draft.input = text;
    return;
  }
  const isDescriptor = /^(?:\d*-?|\d+)$/.test(text);
  if ((sign === ">&" || sign === "<&") && isDescriptor) return;
  if (text === "") reading.doubts.add("a redirection leads nowhere");
  draft.redirections.push({ effect: sign.includes(">") ? "write" : "read", path: text });
}

function readDocumentHead(reading: Reading, draft: Draft, isIndented: boolean): void {
  const from = reading.at;
  const { text } = readWord(reading);
  const isQuoted = /['"\\]/.test(reading.text.slice(from, reading.at));
  if (text.includes(HOLE)) reading.doubts.add("the end of a here-document is not known");
  reading.documents.push({ delimiter: text, isQuoted, isIndented, reader: draft });
}

/** Here-documents begin on the line after the one that names them. */
function endLine(reading: Reading): void {
  reading.at += 1;
  for (const document of reading.documents.splice(0)) {
    const body = takeBody(reading, document);
    document.reader.input = document.isQuoted ? body : expanded(reading, body);
  }
}

function takeBody(reading: Reading, { delimiter, isIndented }: Document): string {
  const lines: string[] = [];
  while (reading.at < reading.text.length) {
    const end = lineEnd(reading.text, reading.at);
    const line = reading.text.slice(reading.at, end);
    reading.at = end + 1;
    if ((isIndented ? line.replace(/^\t+/, "") : line) === delimiter) break;
    lines.push(line);
  }
  return lines.join("\n");
}

/** What a here-document says, and on the way the commands that are run to put it together. */
function expanded(outer: Reading, body: string): string {
  if (!/[$`\\]/.test(body)) return body;
  const inner = readingOf(body, { drafts: outer.drafts, doubts: outer.doubts, depth: outer.depth + 1 });
  return readText(inner, null);
}

function lineEnd(text: string, from: number): number {
  const end = text.indexOf("\n", from);
  return end < 0 ? text.length : end;
}
