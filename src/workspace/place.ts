import { existsSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { CcpError, EXIT } from "../core/errors.ts";
import type { Base } from "../core/event.ts";
import { once } from "../core/once.ts";
import type { Git } from "./git.ts";
import { findAdminDir, type RunFolder, runFolder } from "./layout.ts";
import { markOf } from "./orphans.ts";
import { gitlinks, PRIVATE_INDEX_CONFIG, type StagePlace } from "./stage.ts";

/** All that the git side of one run's workspace works with. */
export interface Place extends StagePlace {
  readonly git: Git;
  readonly commonDir: string;
  readonly rid: string;
  /** The worktree. */
  readonly path: string;
  readonly run: RunFolder;
  /** Git's administrative directory of the worktree. */
  readonly adminDir: string;
  /** The tree the run started from. */
  readonly baseTree: string;
  /** Paths of the base tree, read when first asked for. */
  readonly basePaths: () => Promise<ReadonlySet<string>>;
}

/** Which worktree is meant, before it is known to be there. */
export interface PlaceSpec {
  readonly git: Git;
  readonly commonDir: string;
  readonly rid: string;
  readonly path: string;
}

/** Finds what belongs to a run's worktree. Throws `workspace_missing`. */
export async function openPlace(spec: PlaceSpec): Promise<Place> {
  const { git, commonDir, rid, path } = spec;
  const run = runFolder(commonDir, rid);
  const [adminDir, base] = await Promise.all([findAdminDir(commonDir, path), readBase(run)]);
  if (adminDir === null || base === null || !existsSync(path)) throw workspaceIsMissing(rid, path);
  const baseTree = base.tree;
  const env = {
    GIT_DIR: adminDir,
    GIT_WORK_TREE: path,
    GIT_INDEX_FILE: run.index,
    GIT_OBJECT_DIRECTORY: run.objects,
    ...markOf(spec),
  };
  const at = { cwd: path, env, config: [...PRIVATE_INDEX_CONFIG, `core.excludesFile=${run.ignored}`] };
  const submodules = once(() => gitlinks(git, { ...at, args: ["ls-tree", "-r", "-z", baseTree] }));
  const place: Place = {
    ...{ git, commonDir, rid, path, run, adminDir, baseTree, at, submodules },
    // A worktree's submodules are left empty: what is a repository there was made by the run.
    planted: async () => (await submodules()).filter((name) => existsSync(join(path, name, ".git"))),
    basePaths: once(
      async () => new Set(await git.list({ ...at, args: ["ls-tree", "-r", "-z", "--name-only", baseTree] })),
    ),
  };
  // A git that died with its owner leaves its lock behind; a run has one owner, so nobody else holds it.
  await rm(`${run.index}.lock`, { force: true });
  if (!existsSync(run.index)) await rebuildIndex(place, baseTree);
  return place;
}

/** Makes the private index anew from a tree; the files are not looked at. */
export async function rebuildIndex(place: Place, tree: string): Promise<void> {
  await rm(place.run.index, { force: true });
  await place.git.run({ ...place.at, args: ["read-tree", tree] });
}

/** What a run started from; null until its worktree is complete. */
export async function readBase(run: RunFolder): Promise<Base | null> {
  const text = await readFile(run.base, "utf8").catch(() => null);
  return text === null ? null : (JSON.parse(text) as Base);
}

/** Someone has deleted the worktree, or all that git knows of it. */
export function workspaceIsMissing(rid: string, path: string): CcpError {
  return new CcpError("workspace_missing", EXIT.failed, `the worktree of ${rid} is no longer known to git: ${path}`, {
    hint: `\`ccp resume ${rid}\` makes it again from what is on record`,
  });
}
