/** Programs that run another: any of their words may begin its command. */
const WRAPPERS = new Set(
  "sudo doas env command builtin exec nohup nice ionice time timeout setsid stdbuf xargs unshare chroot find parallel watch busybox".split(
    " ",
  ),
);
const KEYWORDS = new Set(["if", "then", "elif", "else", "while", "until", "do", "!", "{", "coproc"]);
/** Words behind a wrapper that may begin its command: it has not many options of its own. */
const MOST_STARTS = 50;
const ASSIGNMENT = /^[A-Za-z_]\w*\+?=/;
const REDIRECTION = /^\d*(?:[<>]|&>)/;
/** Options that stand before git's own commands and take the next word with them. */
const GIT_OPTIONS_WITH_VALUE = new Set([
  "-C",
  "-c",
  "--git-dir",
  "--work-tree",
  "--namespace",
  "--config-env",
  "--exec-path",
]);

/**
 * The forms under which one simple command is matched against rules: without keywords, assignments and redirections
 * before it, without the path of its program, without git's global options; behind a wrapper from each word on.
 */
export function unwrapped(words: readonly string[]): readonly string[] {
  const block = words.indexOf("{");
  if (block > 0) return [...unwrapped(words.slice(0, block)), ...unwrapped(words.slice(block))];
  const start = words.findIndex((word, index) => !isPrelude(word) && !isRedirectionTarget(words, index));
  if (start < 0) return [];
  const command = words.slice(start);
  const starts = WRAPPERS.has(baseName(command[0] ?? ""))
    ? command.slice(0, MOST_STARTS).map((_, index) => command.slice(index))
    : [command];
  return starts.map((form) => inWords(withoutGitOptions([baseName(form[0] ?? ""), ...form.slice(1)])));
}

function isPrelude(word: string): boolean {
  return KEYWORDS.has(word) || ASSIGNMENT.test(word) || REDIRECTION.test(word);
}

/** `> file`: the operator stands alone, so the next word is its file. */
function isRedirectionTarget(words: readonly string[], index: number): boolean {
  return /^\d*(?:[<>]{1,2}|&>)$/.test(words[index - 1] ?? "");
}

function withoutGitOptions(words: readonly string[]): readonly string[] {
  if (words[0] !== "git") return words;
  let at = 1;
  while ((words[at] ?? "").startsWith("-")) at += GIT_OPTIONS_WITH_VALUE.has(words[at] ?? "") ? 2 : 1;
  return ["git", ...words.slice(at)];
}

/** A program without its path. */
export function baseName(word: string): string {
  return word.slice(word.lastIndexOf("/") + 1);
}

/** Words with a space in them are quoted, so that they are not taken for several. */
function inWords(words: readonly string[]): string {
  return words.map((word) => (/\s/.test(word) ? `'${word}'` : word)).join(" ");
}
