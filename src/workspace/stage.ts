import { CcpError, EXIT } from "../core/errors.ts";
import type { Git, GitRequest, GitResult } from "./git.ts";
import { gitFailure } from "./git-errors.ts";

/** Where a call of git works. Every variable is named, so that nothing that lies around there can lead git elsewhere. */
export type GitAt = Pick<GitRequest, "cwd" | "env" | "config">;

/** A working tree and an index of ccp's own over it. */
export interface StagePlace {
  /** At the working tree's root, with the private index and the private objects. */
  readonly at: GitAt;
  /** Paths that are submodules by right. Any other repository inside the tree counts as plain files. */
  readonly submodules: () => Promise<readonly string[]>;
  /**
   * Of these, such as somebody has made a repository of: git would ask it for its state, and so run what its
   * configuration names. They stay as they are on record. Missing: all can be trusted.
   */
  readonly planted?: () => Promise<readonly string[]>;
}

/** Whatever the user's configuration says: a whole index in one file, every file looked at, no shortcut trusted. */
export const PRIVATE_INDEX_CONFIG: readonly string[] = [
  "core.sparseCheckout=false",
  "core.untrackedCache=false",
  "core.splitIndex=false",
  "core.checkStat=default",
  "core.trustctime=true",
];

/** `contents` keeps what is in the files; `names` only notes which untracked files there are. */
export type StageMode = "contents" | "names";

/** Repositories inside repositories: no one nests deeper by accident. */
const DEEPEST_NESTING = 16;
const SPEAKS_OF_REPOSITORY = /embedded git repository|does not have a commit checked out/;
const SPEAKS_OF_INDEX = /index file|bad signature|bad index|invalid object|error building trees/;

/** Brings the index up to the files: new, changed and deleted ones. `added` is false when `names` found nothing new. */
export async function stage(
  git: Git,
  place: StagePlace,
  mode: StageMode,
): Promise<{ readonly added: boolean; readonly nested: readonly string[] }> {
  const nested: string[] = [];
  for (let depth = 0; depth < DEEPEST_NESTING; depth++) {
    const result = await add(git, place, mode);
    const found = SPEAKS_OF_REPOSITORY.test(result.stderr) ? await nestedRepositories(git, place) : [];
    if (found.length === 0) {
      if (result.exitCode !== 0) throw gitFailure(["add"], result.stderr);
      return { added: result.stdout.length > 0 || nested.length > 0, nested };
    }
    nested.push(...found);
    await openUp(git, place, found);
  }
  throw new CcpError(
    "nested_repositories",
    EXIT.failed,
    `git repositories are nested deeper than ${DEEPEST_NESTING} levels`,
    {
      hint: `remove the repositories in ${nested[0] ?? "the tree"}`,
    },
  );
}

async function add(git: Git, place: StagePlace, mode: StageMode): Promise<GitResult> {
  const what = mode === "contents" ? ["--all"] : ["--intent-to-add", "--verbose"];
  const not = ((await place.planted?.()) ?? []).map((path) => `:(exclude,literal)${path}`);
  return git.run({ ...place.at, args: ["add", ...what, "--", ".", ...not], answers: [1, 128] });
}

/** Directories with a `.git` of their own that git would record as a bare link, their contents lost. */
async function nestedRepositories(git: Git, place: StagePlace): Promise<readonly string[]> {
  const [untracked, links, submodules] = await Promise.all([
    git.list({ ...place.at, args: ["ls-files", "--others", "--exclude-standard", "-z"] }),
    gitlinks(git, { ...place.at, args: ["ls-files", "--stage", "-z"] }),
    place.submodules(),
  ]);
  const repositories = untracked.filter((path) => path.endsWith("/")).map((path) => path.slice(0, -1));
  return [...repositories, ...links.filter((path) => !submodules.includes(path))];
}

/** The paths of submodules in a listing of `ls-files --stage -z` or `ls-tree -r -z`. */
export async function gitlinks(git: Git, request: GitRequest): Promise<readonly string[]> {
  const entries = await git.list(request);
  return entries.filter((entry) => entry.startsWith("160000 ")).map((entry) => entry.slice(entry.indexOf("\t") + 1));
}

/**
 * Git walks into a directory with a `.git` of its own once the index has a file below it, so each gets an entry for a
 * file that is not there. The next `add` takes it away and finds the real ones.
 */
async function openUp(git: Git, place: StagePlace, repositories: readonly string[]): Promise<void> {
  const empty = await git.text({ ...place.at, args: ["hash-object", "-t", "blob", "/dev/null"] });
  await git.run({
    ...place.at,
    args: ["update-index", "--add", "--replace", "-z", "--index-info"],
    input: repositories.map((path) => `100644 ${empty}\t${path}/.ccp-walk-in\0`).join(""),
  });
}

/** True when git could not read the index, or what it speaks of: it is ccp's own and can be made again. */
export function isBrokenIndex(error: unknown): boolean {
  return error instanceof CcpError && error.code === "git_failed" && SPEAKS_OF_INDEX.test(error.message);
}
