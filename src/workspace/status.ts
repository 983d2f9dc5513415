import { relative, sep } from "node:path";
import type { Git } from "./git.ts";

/** Whose uncommitted work, and what of it is ours. */
export interface StatusSpec {
  readonly git: Git;
  readonly root: string;
  /** Absolute path of the folder in which ccp leaves results. */
  readonly resultsDir: string;
}

/** Paths with uncommitted work, each once, in git's order; what ccp itself left in its results is none. */
export async function dirtyPaths(spec: StatusSpec): Promise<readonly string[]> {
  const args = ["status", "--porcelain=v2", "-z", "--untracked-files=all", "--no-renames", "--no-ahead-behind"];
  const entries = await spec.git.list({ cwd: spec.root, args });
  const isOurs = ownResults(spec);
  const paths = entries.map(parseEntry).filter((entry) => entry !== null);
  return [...new Set(paths.filter(({ path, untracked }) => !(untracked && isOurs(path))).map(({ path }) => path))];
}

/** Fields before the path: `1 XY sub mH mI mW hH hI path`, `u XY sub m1 m2 m3 mW h1 h2 h3 path`, `? path`. */
const FIELDS_BEFORE_PATH: Readonly<Record<string, number>> = { "1": 8, u: 10, "?": 1 };

function parseEntry(entry: string): { readonly path: string; readonly untracked: boolean } | null {
  const kind = entry[0] ?? "";
  const fields = FIELDS_BEFORE_PATH[kind];
  if (fields === undefined) return null;
  return { path: entry.split(" ").slice(fields).join(" "), untracked: kind === "?" };
}

/**
 * Runs' folders and the latest artifacts: excluded from git already, unless someone has emptied `.git/info/exclude`.
 * And what a crash left of writing one.
 */
function ownResults(spec: StatusSpec): (path: string) => boolean {
  const folder = relative(spec.root, spec.resultsDir).split(sep).join("/");
  const prefix = folder === "" ? "" : `${folder}/`;
  return (path) => path.startsWith(prefix) && OWN_RESULT.test(path.slice(prefix.length));
}

const OWN_RESULT =
  /^(r-[a-z0-9]{6}\/|(PLAN\.md|Diff\.patch|REVIEW\.md)$|\.(PLAN\.md|Diff\.patch|REVIEW\.md)\.[0-9a-f]{8}\.tmp$)/i;
