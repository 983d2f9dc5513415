import { once } from "../core/once.ts";
import type { Workspace } from "../core/ports.ts";

/** What lines are looked for. */
export type GrepQuery = Parameters<Workspace["grep"]>[0];

/** A program that searches a worktree as git sees it: hidden files too, ignored ones not, `.git` never. */
export interface SearchProgram {
  readonly file: string;
  readonly env: Readonly<Record<string, string>>;
  /** Arguments that print each file below a place (from the root, `.` is the root), with a NUL after it. */
  names(below: string): readonly string[];
  /** Arguments that print `path NUL number : text` for each matching line, or `path NUL number NUL text`. */
  lines(below: string, query: GrepQuery): readonly string[];
}

/** Finds the program when it is first needed. */
export type Searcher = () => Promise<SearchProgram>;

/** Where programs are looked for. */
export interface SearcherParts {
  /** The user's search path, for git; null: the system's default. */
  readonly searchPath: string | null;
  /** Path of ripgrep. Rejects where there is none for this platform. */
  readonly ripgrepPath: () => Promise<string>;
}

/** Ripgrep where its binary is installed, else git, which is always there. */
export function createSearcher({
  searchPath = null,
  ripgrepPath = async () => (await import("@vscode/ripgrep")).rgPath,
}: Partial<SearcherParts> = {}): Searcher {
  return once(async () => {
    try {
      return ripgrep(await ripgrepPath());
    } catch {
      return gitSearch(searchPath);
    }
  });
}

/** Bytes shown of one matching line: minified files have lines of megabytes. */
const LONGEST_LINE_BYTES = 500;

/** What git would list. One thread, so that the order is always the same. */
const GIT_VIEW = [
  "--no-config",
  "--hidden",
  "--iglob=!.git",
  "--no-require-git",
  "--no-ignore-dot",
  "--no-messages",
  "--color=never",
  "--sort=path",
  "--null",
];

function ripgrep(file: string): SearchProgram {
  const columns = ["--line-number", "--no-heading", "--with-filename", `--max-columns=${LONGEST_LINE_BYTES}`];
  const reading = [...columns, "--max-columns-preview", "--engine=auto"];
  return {
    file,
    env: {},
    names: (below) => [...GIT_VIEW, "--files", "--", `./${below}`],
    lines: (below, { pattern, ignoreCase }) => [
      ...[...GIT_VIEW, ...reading, ignoreCase ? "-i" : "-s", "-e", pattern],
      ...["--", `./${below}`],
    ],
  };
}

/** No configuration may start a program: the repository's own is not the agent's to write, but it is not ours either. */
const QUIET = ["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "grep.fullName=true"];

function gitSearch(searchPath: string | null): SearchProgram {
  const pathspec = (below: string) => ["--", below === "" || below === "." ? "." : `:(top,literal)${below}`];
  return {
    file: "git",
    env: { LC_ALL: "C.UTF-8", GIT_OPTIONAL_LOCKS: "0", ...(searchPath === null ? {} : { PATH: searchPath }) },
    names: (below) => [
      ...QUIET,
      "ls-files",
      "-z",
      "-c",
      "-o",
      "--exclude-standard",
      "--deduplicate",
      ...pathspec(below),
    ],
    lines: (below, { pattern, ignoreCase, maxMatches }) => [
      ...[...QUIET, "grep", "--untracked", "--no-color", "--no-textconv", "--full-name", "-n", "-z", "-I", "-P"],
      ...[`--max-count=${maxMatches}`, ...(ignoreCase ? ["-i"] : []), "-e", pattern, ...pathspec(below)],
    ],
  };
}
