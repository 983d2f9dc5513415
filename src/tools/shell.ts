import { type Reading, type Token, tokenAt } from "./shell-tokens.ts";
import { baseName, unwrapped } from "./shell-words.ts";

/** Text beyond this is not read: no command that a person would want to allow is as long. */
const LONGEST_SCRIPT = 100_000;
const DEEPEST = 8;
/** Each is matched against every rule, so there must be an end to them. */
const MOST_COMMANDS = 2_000;
const SHELLS = new Set(["bash", "sh", "zsh", "dash", "ksh"]);

/**
 * The simple commands in a piece of shell, wrappers such as `env` and `sudo` taken off, also those inside `$(…)`, `bash -c`
 * and `eval`. Reads as a shell would where that is easy and finds too much rather than too little. It serves advice, not
 * safety: a program can call git in ways that no reader of the command sees. What holds is the operating system's.
 */
export function simpleCommands(script: string, depth = 0): readonly string[] {
  if (depth > DEEPEST) return [];
  const found = commandsOf(script.slice(0, LONGEST_SCRIPT), depth).flatMap((words) => {
    const inner = scriptWithin(words);
    return [...unwrapped(words), ...(inner === null ? [] : simpleCommands(inner, depth + 1))];
  });
  return [...new Set(found)].slice(0, MOST_COMMANDS);
}

/** What `eval …` or a shell with `-c` would run; it may stand anywhere, behind wrappers. */
function scriptWithin(words: readonly string[]): string | null {
  const at = words.findIndex((word) => word === "eval" || SHELLS.has(baseName(word)));
  if (at < 0) return null;
  if (words[at] === "eval") return words.slice(at + 1).join(" ");
  const option = words.findIndex((word, index) => index > at && /^-[a-z]*c[a-z]*$/.test(word));
  if (option < 0) return null;
  return words.slice(option + 1).find((word) => !word.startsWith("-")) ?? null;
}

/** A shell that is being read: what is quoted, where a substitution ends, and the words so far. */
interface Frame {
  inQuotes: boolean;
  readonly closer: ")" | "`" | null;
  words: string[];
  word: string | null;
}

/** Every `$(`, backtick and parenthesis opens a frame of its own; each frame collects the words of one command. */
class CommandCollector {
  readonly commands: (readonly string[])[] = [];
  readonly #stack: Frame[] = [];
  #top: Frame = { inQuotes: false, closer: null, words: [], word: null };

  get reading(): Reading {
    return this.#top;
  }

  take(token: Token): void {
    const frame = this.#top;
    if (token.kind === "text") frame.word = (frame.word ?? "") + token.value;
    else if (token.kind === "quote") {
      frame.inQuotes = !frame.inQuotes;
      frame.word ??= "";
    } else if (token.kind === "open") this.#open(token);
    else if (token.kind === "close") this.#close();
    else if (token.kind === "end") this.#endCommand();
    else this.#endWord();
  }

  /** What was begun and not ended counts too. */
  close(): readonly (readonly string[])[] {
    for (let frame: Frame | undefined = this.#top; frame !== undefined; frame = this.#stack.pop()) {
      this.#top = frame;
      this.#endCommand();
    }
    return this.commands;
  }

  /** A parenthesis that stands alone begins commands; `$(`, `<(` and the backtick are part of a word. */
  #open(token: Token): void {
    if (token.text === "(") this.#endCommand();
    this.#stack.push(this.#top);
    this.#top = { inQuotes: false, closer: token.text === "`" ? "`" : ")", words: [], word: null };
  }

  #close(): void {
    this.#endCommand();
    this.#top = this.#stack.pop() ?? this.#top;
  }

  #endWord(): void {
    if (this.#top.word !== null) this.#top.words.push(this.#top.word);
    this.#top.word = null;
  }

  #endCommand(): void {
    this.#endWord();
    if (this.#top.words.length > 0) this.commands.push(this.#top.words);
    this.#top.words = [];
  }
}

function commandsOf(script: string, depth: number): readonly (readonly string[])[] {
  const collector = new CommandCollector();
  const documents: HereDocument[] = [];
  for (let at = 0; at < script.length; ) {
    const token = tokenAt(script, at, collector.reading);
    at += token.text.length;
    collector.take(token);
    if (token.kind === "document") documents.push(hereDocument(token.text));
    if (documents.length === 0 || token.text !== "\n" || token.kind !== "end") continue;
    const isScript = collector.commands.some((words) => words.some((word) => SHELLS.has(baseName(word))));
    for (const document of documents.splice(0)) {
      const body = bodyOf(script, at, document);
      at += body.length;
      collector.commands.push(...inBody(body, document, isScript, depth));
    }
  }
  return collector.close();
}

interface HereDocument {
  readonly delimiter: string;
  /** Nothing in the body is expanded. */
  readonly isQuoted: boolean;
}

function hereDocument(text: string): HereDocument {
  const word = text.replace(/^<<-?[ \t]*/, "");
  return { delimiter: word.replace(/['"\\]/g, ""), isQuoted: /['"\\]/.test(word) };
}

/** From `start` to the end of the line that closes the document. */
function bodyOf(script: string, start: number, document: HereDocument): string {
  let end = start;
  while (end < script.length) {
    const newline = script.indexOf("\n", end);
    const line = script.slice(end, newline < 0 ? script.length : newline);
    end = newline < 0 ? script.length : newline + 1;
    if (line.replace(/^\t+/, "") === document.delimiter) break;
  }
  return script.slice(start, end);
}

/** A document for a shell is a script; in any other, only what would be expanded counts. */
function inBody(
  body: string,
  document: HereDocument,
  isScript: boolean,
  depth: number,
): readonly (readonly string[])[] {
  if (depth >= DEEPEST || (!isScript && document.isQuoted)) return [];
  if (isScript) return commandsOf(body, depth + 1);
  const expanded = /\$\(.*|`.*/s.exec(body)?.[0];
  return expanded === undefined ? [] : commandsOf(expanded, depth + 1);
}
