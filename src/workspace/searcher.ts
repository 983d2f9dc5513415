import { access, constants } from "node:fs/promises";
import { once } from "../core/once.ts";
import type { Workspace } from "../core/ports.ts";

/** What lines are looked for. */
export type GrepQuery = Parameters<Workspace["grep"]>[0];

/** A program that searches a worktree as git sees it: hidden files too, ignored ones not, `.git` never. */
export interface SearchProgram {
  readonly file: string;
  readonly env: Readonly<Record<string, string>>;
  /** True: it lists symlinks among the files. */
  readonly namesLinks: boolean;
  /** Arguments that print each file below a place (from the root; empty: the root), with a NUL after it. */
  names(below: string): readonly string[];
  /** Arguments that print `path NUL number : text` for each matching line, or `path NUL number NUL text`. */
  lines(below: string, query: GrepQuery): readonly string[];
}

/** Finds the program when it is first needed. */
export type Searcher = () => Promise<SearchProgram>;

/** Where programs are looked for. */
export interface SearcherParts {
  /** Where git is looked for, as in `PATH`; undefined: in the usual places. */
  readonly searchPath: string | undefined;
  /** Path of ripgrep. Rejects where there is none for this platform. */
  readonly ripgrepPath: () => Promise<string>;
}

/** Ripgrep where its binary is installed, else git, which is always there. */
export function createSearcher({
  searchPath = SYSTEM_PATH,
  ripgrepPath = async () => (await import("@vscode/ripgrep")).rgPath,
}: Partial<SearcherParts> = {}): Searcher {
  return once(async () => {
    try {
      const path = await ripgrepPath();
      await access(path, constants.X_OK);
      return ripgrep(path);
    } catch {
      return gitSearch(searchPath);
    }
  });
}

const SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin";
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
    namesLinks: false,
    names: (below) => [...GIT_VIEW, "--files", "--", `./${below}`],
    lines: (below, { pattern, ignoreCase }) => [
      ...[...GIT_VIEW, ...reading, ignoreCase ? "-i" : "-s", "-e", pattern],
      ...["--", `./${below}`],
    ],
  };
}

/**
 * Git as a searcher of plain files: no repository is opened, so that no configuration of one, not even of one that an
 * agent has put in the place of `.git`, decides what is read or started.
 */
function gitSearch(searchPath: string): SearchProgram {
  const view = ["--literal-pathspecs", "grep", "--no-index", "--exclude-standard", "--no-color", "--null"];
  return {
    file: "git",
    namesLinks: true,
    env: { PATH: searchPath, LC_ALL: "C.UTF-8", GIT_DIR: "/dev/null/none", GIT_CONFIG_NOSYSTEM: "1" },
    // The files without a line that no line can be: all of them.
    names: (below) => [...view, "--files-without-match", "--extended-regexp", "-e", "a^", "--", `./${below}`],
    lines: (below, { pattern, ignoreCase }) => [
      ...[...view, "--line-number", "-I", "--perl-regexp", ...(ignoreCase ? ["-i"] : []), "-e", pattern],
      ...["--", `./${below}`],
    ],
  };
}
