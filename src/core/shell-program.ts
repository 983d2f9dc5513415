import { HOLE } from "./permission-glob.ts";
import type { ShellWord } from "./shell-script.ts";

/** What becomes of a command when it is run. */
export interface Unwrapped {
  /** The command that is run in the end, as far as that is certain. */
  readonly words: readonly ShellWord[];
  /** What the wrappers around it put into its environment. */
  readonly assignments: readonly string[];
  /** A script that a shell is given to run. */
  readonly script: string | null;
  /** Why it cannot be told what is run; null: it can. */
  readonly doubt: string | null;
  /** True: it runs what its words say, and a rule that names it allows that too. */
  readonly isRunner: boolean;
}

/** Options of a wrapper: those with a value of their own, and those without. */
interface Wrapper {
  readonly withValue: readonly string[];
  readonly plain: RegExp;
  /** Words of its own before the command. */
  readonly operands: number;
}

const wrapper = (withValue: string, plain: RegExp, operands = 0): Wrapper => ({
  withValue: withValue.split(" "),
  plain,
  operands,
});

/** Programs that run the rest of their words and nothing else. An option that is not here is a doubt. */
const WRAPPERS: ReadonlyMap<string, Wrapper> = new Map([
  ["env", wrapper("-u --unset", /^(?:-i|-|--ignore-environment|--unset=.*|-u.+)$/)],
  ["command", wrapper("", /^-p$/)],
  ["builtin", wrapper("", /^--$/)],
  ["exec", wrapper("-a", /^-[cl]+$/)],
  ["nohup", wrapper("", /^--$/)],
  ["nice", wrapper("-n --adjustment", /^(?:-n?-?\d+|--adjustment=.*)$/)],
  ["ionice", wrapper("-c -n --class --classdata", /^(?:-[cn]\d|-t|--class=.*|--classdata=.*)$/)],
  [
    "timeout",
    wrapper(
      "-k -s --kill-after --signal",
      /^(?:-[ks].+|--kill-after=.*|--signal=.*|--foreground|--preserve-status|-v|--verbose)$/,
      1,
    ),
  ],
  ["time", wrapper("", /^-p$/)],
  ["setsid", wrapper("", /^(?:-[wfc]+|--wait|--fork|--ctty)$/)],
  ["stdbuf", wrapper("-i -o -e --input --output --error", /^(?:-[ioe].+|--(?:input|output|error)=.*)$/)],
]);

const SHELLS = /^(?:bash|sh|zsh|dash|ksh|ash|fish)$/;
/** Programs that run what their words say in ways that are their own. Who allows them by name allows that. */
const RUNNERS =
  /^(?:sudo|doas|su|runuser|xargs|parallel|watch|unshare|nsenter|chroot|busybox|flock|script|ssh|npx|bunx|pnpx|uvx|pipx|entr)$/;
/** Commands of the shell that read others from where nobody can see them, or change what a name stands for. */
const UNSEEN = /^(?:eval|source|\.|trap|alias|enable|hash|shopt|mapfile|readarray|complete)$/;
const INTERPRETERS = /^(?:python|pypy|node|nodejs|deno|bun|perl|ruby|php|lua|osascript|tclsh|Rscript)[\d.]*$/;
const INLINE = /^(?:-[a-zA-Z]*[ceEpr]|--eval|--print|--command|eval|-)$/;
/** `-c` with its code in the same word. */
const JOINED = /^-[a-zA-Z]*[ceE]/;
const RUNS_WITHIN: readonly (readonly [RegExp, RegExp])[] = [
  [/^find$/, /^-(?:exec|execdir|ok|okdir)$/],
  [/^fd(?:find)?$/, /^-(?:x|X|-exec|-exec-batch)$/],
  [
    /^git$/,
    /^(?:-c|--config-env.*|--exec-path=.*|-x|--exec.*|--upload-pack.*|--receive-pack.*|--open-files-in-pager.*|-O.*)$/,
  ],
  [/^[gmn]?awk$/, /system|getline|\||>/],
  [/^g?sed$/, /(?:^|[;/\d}])[ew](?:$|[ ;])/],
  [/^tar$/, /^(?:--(?:to-command|checkpoint-action|use-compress-program|rsh-command).*|-I.*)$/],
  [/^(?:npm|pnpm|yarn|bun|cargo|poetry|pipenv|uv|bundle)$/, /^(?:exec|dlx|--script-shell.*)$/],
  [/^(?:vim?|nvim|ex|ed|emacs|gdb)$/, /./],
];

/** Takes off the wrappers of which it is certain what they do, and says where it is not. */
export function unwrap(words: readonly ShellWord[], input: string | null): Unwrapped {
  const assignments: string[] = [];
  let rest = words;
  for (;;) {
    const program = programOf(rest);
    const known = WRAPPERS.get(program);
    if (known === undefined) break;
    const inner = behind(rest, known, program);
    if (inner === "unclear")
      return ended(rest, assignments, `it cannot be told what ${program} runs with these options`);
    if (inner.words.length === 0 || isQuestion(rest)) return ended(rest, assignments, null);
    assignments.push(...inner.assignments);
    rest = inner.words;
  }
  return { ...lastOf(rest, input), words: rest, assignments };
}

/** A program without its path. */
export function baseName(word: string): string {
  return word.slice(word.lastIndexOf("/") + 1);
}

/** True: its first word that is no option is a script, or a program, that it runs. */
export function isShell(words: readonly ShellWord[]): boolean {
  return SHELLS.test(programOf(words));
}

function programOf(words: readonly ShellWord[]): string {
  return baseName(words[0]?.text ?? "");
}

function ended(words: readonly ShellWord[], assignments: readonly string[], doubt: string | null): Unwrapped {
  return { words, assignments, script: null, doubt, isRunner: false };
}

/** `command -v git` runs nothing. */
function isQuestion(words: readonly ShellWord[]): boolean {
  return programOf(words) === "command" && /^-[vV]/.test(words[1]?.text ?? "");
}

function behind(
  words: readonly ShellWord[],
  { withValue, plain, operands }: Wrapper,
  program: string,
): { readonly words: readonly ShellWord[]; readonly assignments: readonly string[] } | "unclear" {
  if (isQuestion(words)) return { words: [], assignments: [] };
  const assignments: string[] = [];
  let at = 1;
  let left = operands;
  for (; at < words.length; at += 1) {
    const { text, mayVanish } = words[at] ?? { text: "", mayVanish: true };
    if (mayVanish) return "unclear";
    if (text === "--") continue;
    if (withValue.includes(text)) at += 1;
    else if (plain.test(text)) continue;
    else if (text.startsWith("-")) return "unclear";
    else if (program === "env" && /^\w+=/.test(text)) assignments.push(text);
    else if (left === 0) break;
    else left -= 1;
  }
  return { words: words.slice(at), assignments };
}

function lastOf(words: readonly ShellWord[], input: string | null): Pick<Unwrapped, "script" | "doubt" | "isRunner"> {
  const program = programOf(words);
  const found = (doubt: string | null, isRunner = false) => ({ script: null, doubt, isRunner });
  if (words.length === 0) return found(null);
  if (program.includes(HOLE)) return found("which program is run is not known before it runs");
  if (SHELLS.test(program)) return shellScript(words, input);
  if (UNSEEN.test(program)) return found(`${program} may run anything`);
  if (RUNNERS.test(program)) return found(`${program} runs another command`, true);
  const rest = words.slice(1).map(({ text }) => text);
  if (INTERPRETERS.test(program)) {
    const options = rest.slice(0, rest.findIndex((word) => !word.startsWith("-")) >>> 0);
    const isInline =
      rest.some((word) => INLINE.test(word)) ||
      options.some((word) => JOINED.test(word)) ||
      (rest.length === 0 && input !== null);
    return isInline ? found(`${program} runs code that is not read`, true) : found(null);
  }
  if (/^(?:npm|pnpm|bun)$/.test(program) && rest[0] === "x") return found(`${program} x runs another command`);
  const within = RUNS_WITHIN.some(([name, sign]) => name.test(program) && rest.some((word) => sign.test(word)));
  return found(within ? `${program} may run another command` : null);
}

/** A shell that is given its script in words, or in the document that it reads. */
function shellScript(
  words: readonly ShellWord[],
  input: string | null,
): Pick<Unwrapped, "script" | "doubt" | "isRunner"> {
  const rest = words.slice(1);
  const option = rest.findIndex(({ text }) => /^-[a-zA-Z]*c[a-zA-Z]*$/.test(text));
  const script = option < 0 ? null : (rest.slice(option + 1).find(({ text }) => !text.startsWith("-")) ?? null);
  const operands = rest.filter(({ text }) => !/^[-+]/.test(text));
  const text = script ? script.text : operands.length === 0 ? input : null;
  const doubt = "what the shell is given to run is not known";
  if (text !== null) return { script: text, doubt: text.includes(HOLE) ? doubt : null, isRunner: false };
  return { script: null, doubt: option < 0 && operands.length > 0 ? null : doubt, isRunner: false };
}
