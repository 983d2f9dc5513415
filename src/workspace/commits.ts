import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { TreeHash } from "../core/event.ts";
import { flushDirectory, flushNames } from "./atomic.ts";
import { branchRef } from "./branches.ts";
import { findAdminDir, runFolder } from "./layout.ts";
import { revisions, storeEnvironment } from "./objects.ts";
import { markOf } from "./orphans.ts";
import type { PlaceSpec } from "./place.ts";
import { PRIVATE_INDEX_CONFIG } from "./stage.ts";

/** Who a commit is by when the user has told git no name. */
const NOBODY = {
  GIT_AUTHOR_NAME: "ccp",
  GIT_AUTHOR_EMAIL: "ccp@localhost",
  GIT_COMMITTER_NAME: "ccp",
  GIT_COMMITTER_EMAIL: "ccp@localhost",
};

/**
 * Puts one commit of `tree` on the run's branch, whatever was on it. Its objects go to the user's repository, as far
 * as they are not there. Done twice, it is the same commit.
 */
export async function commitTree(place: PlaceSpec, tree: TreeHash, parent: string, message: string): Promise<string> {
  const { git, commonDir } = place;
  const text = `${message.trimEnd()}\n`;
  const done = await existingCommit(place, tree, parent, text);
  if (done !== null) {
    await settleWorktreeIndex(place, done);
    return done;
  }
  await publishObjects(place, tree, parent);
  const users = { cwd: commonDir, env: { ...storeEnvironment(commonDir, null), ...markOf(place) } };
  await git.run({ ...users, args: ["rev-list", "--objects", "--quiet", tree, "--not", `${parent}^{tree}`] });
  const commit = await git.text({
    ...users,
    env: { ...users.env, ...(await author(place)) },
    args: ["commit-tree", tree, "-p", parent],
    input: text,
  });
  await flushNames(join(commonDir, "objects"), [commit.slice(0, 2)]);
  await git.run({ ...users, args: ["update-ref", "-m", "ccp: the run's result", branchRef(place.rid), commit] });
  await flushNames(join(commonDir, "refs", "heads"), ["ccp"]);
  await settleWorktreeIndex(place, commit);
  return commit;
}

/** Git writes the pack in the run's own store, and moves it to the user's when it is whole. */
async function publishObjects(place: PlaceSpec, tree: TreeHash, parent: string): Promise<void> {
  const { git, commonDir, rid } = place;
  const target = join(commonDir, "objects", "pack");
  await git.run({
    cwd: commonDir,
    env: { ...storeEnvironment(commonDir, runFolder(commonDir, rid).objects), ...markOf(place) },
    args: ["pack-objects", "--revs", "--local", "--non-empty", "--quiet", join(target, "pack")],
    input: revisions({ trees: [tree], except: [parent] }),
  });
  await flushDirectory(target);
}

/** The commit that is asked for, if a crash came after it was made. */
async function existingCommit(place: PlaceSpec, tree: string, parent: string, text: string): Promise<string | null> {
  const users = { cwd: place.commonDir, env: storeEnvironment(place.commonDir, null) };
  const ref = branchRef(place.rid);
  const found = await place.git.run({
    ...users,
    args: ["log", "-1", "--no-show-signature", "--no-color", "--format=%H%n%T%n%P%n%B", ref, "--"],
    answers: [128],
  });
  if (found.exitCode !== 0) return null;
  const [commit = "", itsTree, itsParents, ...body] = found.stdout.toString().split("\n");
  const isIt = itsTree === tree && itsParents === parent && body.join("\n").trimEnd() === text.trimEnd();
  return isIt ? commit : null;
}

async function author(place: PlaceSpec): Promise<Readonly<Record<string, string>>> {
  const known = await Promise.all(
    ["GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"].map((name) =>
      place.git.run({
        cwd: place.commonDir,
        env: storeEnvironment(place.commonDir, null),
        config: ["user.useConfigOnly=true"],
        args: ["var", name],
        answers: [1, 128],
      }),
    ),
  );
  return known.every(({ exitCode }) => exitCode === 0) ? {} : NOBODY;
}

/** Someone who looks into the worktree afterwards finds it clean: its own index follows the branch. */
async function settleWorktreeIndex(place: PlaceSpec, commit: string): Promise<void> {
  const adminDir = await findAdminDir(place.commonDir, place.path);
  if (adminDir === null || !existsSync(place.path)) return;
  const run = runFolder(place.commonDir, place.rid);
  const env = { GIT_DIR: adminDir, GIT_WORK_TREE: place.path };
  const own = { cwd: place.path, env, config: PRIVATE_INDEX_CONFIG };
  await rm(join(adminDir, "index.lock"), { force: true });
  await rm(join(adminDir, "index"), { force: true });
  await place.git.run({ ...own, args: ["read-tree", "--reset", commit] });
  await place.git.run({ ...own, args: ["update-index", "-q", "--refresh"], answers: [1] });
  // Or a lock that git has taken away would be there again after a power cut, in everybody's way.
  for (const path of [join(adminDir, "index"), adminDir, run.path]) await flushDirectory(path);
}
