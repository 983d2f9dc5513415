import { randomUUID } from "node:crypto";
import { readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { hasCode } from "../core/errors.ts";
import type { TreeHash } from "../core/event.ts";
import { flushDirectory, removeTree } from "./atomic.ts";
import type { Git } from "./git.ts";
import { basesFolder } from "./layout.ts";
import { createStore, keepObjects, listObjects } from "./objects.ts";

/** A snapshot that no run has come to fetch by then was made by a run that never began. */
const KEPT_UNFETCHED_MS = 30 * 24 * 60 * 60_000;

/** A snapshot of the user's uncommitted work, as it was written. */
export interface FreshBase {
  readonly tree: TreeHash;
  /** What this commit has needs no keeping. */
  readonly commit: string;
  /** Its object directory. */
  readonly objects: string;
}

/**
 * Keeps every object of a snapshot that its commit does not have, as one pack, until a run fetches it. Each time in a
 * folder of its own: two runs that begin from the same state fetch theirs and go as they like.
 */
export async function keepBase(git: Git, commonDir: string, base: FreshBase): Promise<void> {
  const { tree, commit, objects } = base;
  const ids = await listObjects(git, { commonDir, objects, trees: [tree], except: [commit] });
  if (ids === null) throw new Error(`git has not written all of ${tree}`);
  const fresh = join(basesFolder(commonDir), `new-${randomUUID()}`);
  try {
    const into = join(fresh, "objects");
    await createStore(into);
    await keepObjects(git, { commonDir, from: objects, into, ids });
    await rename(fresh, join(basesFolder(commonDir), `${tree}.${randomUUID()}`));
    await flushDirectory(basesFolder(commonDir));
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}

/** Removes one of the folders in which a tree waits: whoever calls has a copy. Two who call at once remove two. */
export async function releaseBase(commonDir: string, tree: TreeHash): Promise<void> {
  const folder = basesFolder(commonDir);
  for (const name of await readdir(folder).catch(() => [])) {
    if (!name.startsWith(`${tree}.`)) continue;
    const taken = join(folder, `gone-${randomUUID()}`);
    const isTaken = await rename(join(folder, name), taken).then(() => true, notThere);
    if (isTaken) return removeTree(taken);
  }
}

/** Removes what nobody has fetched in a month. */
export async function dropUnfetched(commonDir: string): Promise<void> {
  const folder = basesFolder(commonDir);
  for (const name of await readdir(folder).catch(() => [])) {
    const madeAt = (await stat(join(folder, name)).catch(() => null))?.mtimeMs ?? Date.now();
    if (Date.now() - madeAt > KEPT_UNFETCHED_MS) await rm(join(folder, name), { recursive: true, force: true });
  }
}

/** Somebody else was quicker. */
function notThere(error: unknown): false {
  if (!hasCode(error, "ENOENT")) throw error;
  return false;
}
