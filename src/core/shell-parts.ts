import { HOLE } from "./permission-glob.ts";
import { baseName, isShell, unwrap } from "./shell-program.ts";
import { readScript, type ShellCommand, type ShellWord } from "./shell-script.ts";

/** A piece of a command line over which rules decide: all of them have to pass. */
export type ShellPart =
  | {
      readonly kind: "command";
      /** Exactly what is run: what a rule that allows is held against. */
      readonly text: string;
      /** All that it may be taken for: without path, without git's own options. What denies or asks is held against these. */
      readonly forms: readonly string[];
      /** Its words without the assignments before them; missing: there are none. */
      readonly bare?: string;
      /** True: only if a doubt comes true. It is denied by name, but needs nobody's leave. */
      readonly isGuess: boolean;
    }
  /** A redirection. */
  | { readonly kind: "read" | "write"; readonly path: string }
  /** What cannot be told before it runs. `program`: who allows it by name has answered the doubt. */
  | { readonly kind: "doubt"; readonly text: string; readonly why: string; readonly program: string | null };

const DEEPEST = 8;
/** Each is held against every rule, so there must be an end to them. */
const MOST_PARTS = 2_000;
/** Words of a command that runs another which may begin that other. */
const MOST_STARTS = 50;
const NO_FILES = /^\/dev\/(?:null|zero|stdin|stdout|stderr|tty|fd\/\d+)$/;
/** Options that stand before git's own commands and take the next word with them. */
const GIT_OPTIONS = ["-C", "-c", "--git-dir", "--work-tree", "--namespace", "--config-env", "--exec-path"];

/** Everything that a script does, as far as it can be told; what cannot is a part of its own. */
export function shellParts(script: string): readonly ShellPart[] {
  const parts: ShellPart[] = [];
  collect(script, { parts, depth: 0, isGuess: false, folders: new Folders() });
  const unique = [...new Map(parts.map((part) => [JSON.stringify(part), part])).values()];
  if (unique.length <= MOST_PARTS) return unique;
  const why = `it has more than ${MOST_PARTS} commands`;
  return [...unique.slice(0, MOST_PARTS), { kind: "doubt", text: "…", why, program: null }];
}

interface Collecting {
  readonly parts: ShellPart[];
  readonly depth: number;
  readonly isGuess: boolean;
  readonly folders: Folders;
}

function collect(script: string, collecting: Collecting): void {
  const { parts, depth } = collecting;
  const doubt = (text: string, why: string) => parts.push({ kind: "doubt", text, why, program: null });
  if (depth > DEEPEST) return void doubt(script, "it is nested too deeply to be read");
  const { commands, doubts } = readScript(script);
  for (const why of doubts) doubt(script, why);
  for (const command of commands) collectCommand(command, collecting);
}

function collectCommand(command: ShellCommand, collecting: Collecting): void {
  const { parts, isGuess, folders } = collecting;
  for (const { effect, path } of command.redirections) {
    if (NO_FILES.test(path)) continue;
    parts.push(...folders.places(path).map((place) => ({ kind: effect, path: place })));
  }
  if (command.words.length === 0) {
    if (command.assignments.length > 0) parts.push(commandPart(command.assignments, [], isGuess));
    return;
  }
  const run = unwrap(command.words, command.input);
  const assignments = [...command.assignments, ...run.assignments];
  const isOnlyAShell = run.script !== null;
  parts.push(commandPart(assignments, run.words, isGuess || isOnlyAShell));
  if (run.words !== command.words) parts.push(commandPart(command.assignments, command.words, true));
  folders.goTo(run.words);
  const text = plainText([...assignments, ...run.words.map(({ text: word }) => word)]);
  if (run.doubt !== null)
    parts.push({
      kind: "doubt",
      text,
      why: run.doubt,
      program: run.isRunner ? baseName(run.words[0]?.text ?? "") : null,
    });
  const inner = { ...collecting, depth: collecting.depth + 1 };
  if (run.script !== null) collect(run.script, inner);
  if (run.doubt !== null || isShell(run.words)) collectGuesses(run.words, { ...inner, isGuess: true });
}

/** A command that runs another: it may begin at any of its words, or stand in one of them. */
function collectGuesses(words: readonly ShellWord[], collecting: Collecting): void {
  const rest = words.slice(1);
  if (/^(?:eval|trap)$/.test(words[0]?.text ?? "")) collect(rest.map(({ text }) => text).join(" "), collecting);
  if (collecting.depth > 2) return;
  for (const [index, { text }] of rest.slice(0, MOST_STARTS).entries()) {
    const from = rest.slice(index);
    collecting.parts.push(commandPart([], from, true));
    const run = unwrap(from, null);
    if (run.script !== null) collect(run.script, collecting);
    else if (/\s/.test(text)) collect(text, collecting);
  }
}

function commandPart(assignments: readonly string[], words: readonly ShellWord[], isGuess: boolean): ShellPart {
  const texts = words.map(({ text }) => text);
  const text = plainText([...assignments, ...texts]);
  const forms = [text, ...(words.length > 0 ? formsOf(words) : [])];
  const bare = assignments.length > 0 && texts.length > 0 ? { bare: plainText(texts) } : {};
  return { kind: "command", text, forms: [...new Set(forms)], isGuess, ...bare };
}

function formsOf(words: readonly ShellWord[]): readonly string[] {
  const [first, ...rest] = words;
  const named = [{ text: baseName(first?.text ?? ""), mayVanish: first?.mayVanish ?? false }, ...rest];
  // Where file names know no case, `GIT` is git.
  const lower = [{ text: (named[0]?.text ?? "").toLowerCase(), mayVanish: named[0]?.mayVanish ?? false }, ...rest];
  return [words, named, lower].flatMap((form) => [looseText(form), looseText(withoutGitOptions(form))]);
}

function withoutGitOptions(words: readonly ShellWord[]): readonly ShellWord[] {
  if (words[0]?.text !== "git") return words;
  let at = 1;
  while ((words[at]?.text ?? "").startsWith("-")) at += GIT_OPTIONS.includes(words[at]?.text ?? "") ? 2 : 1;
  return [words[0], ...words.slice(at)];
}

/** Words with a space in them are quoted, so that they are not taken for several. */
function plainText(words: readonly string[]): string {
  return words.map((word) => (/\s/.test(word) ? `'${word}'` : word)).join(" ");
}

/** A word of which nothing is known may be nothing, or several words: the spaces around it are not known either. */
function looseText(words: readonly ShellWord[]): string {
  return words.reduce((text, word, index) => {
    const isOpen = word.mayVanish || (words[index - 1]?.mayVanish ?? true);
    return `${text}${isOpen ? "" : " "}${/\s/.test(word.text) ? `'${word.text}'` : word.text}`;
  }, "");
}

/** Where a script may be: a path in it is meant from any of these. */
class Folders {
  #places: readonly string[] = [""];

  /** A `cd` may have been carried out, or not. */
  goTo(words: readonly ShellWord[]): void {
    if (!/^(?:cd|pushd|popd)$/.test(words[0]?.text ?? "")) return;
    const target = words.slice(1).find(({ text }) => !/^-[LPe@n]+$/.test(text))?.text ?? HOLE;
    const isKnown = words[0]?.text !== "popd" && target !== "-" && this.#places.length < 16;
    const next = isKnown ? this.places(target) : [HOLE];
    this.#places = [...new Set([...this.#places, ...next])];
  }

  places(path: string): readonly string[] {
    if (path.startsWith("/") || path.startsWith(HOLE)) return [path];
    return this.#places.map((place) => (place === "" ? path : `${place}/${path}`));
  }
}
