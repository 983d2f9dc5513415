import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { TreeHash } from "../core/event.ts";
import type { Workspace } from "../core/ports.ts";
import { adoptTree } from "./adopt.ts";
import { commitTree } from "./commits.ts";
import { diffStatOfTrees, diffTrees } from "./diffs.ts";
import { childEnvironment } from "./environment.ts";
import { createFiles } from "./files.ts";
import { flushFiles } from "./flush-files.ts";
import type { Git } from "./git.ts";
import { inWords } from "./git-errors.ts";
import { restoreHollows } from "./hollows.ts";
import { runFolder } from "./layout.ts";
import { checkedId, sweepObjects } from "./objects.ts";
import { endOrphanedGits, familyOf } from "./orphans.ts";
import { withOutputs } from "./outputs.ts";
import { openProgram } from "./piped-program.ts";
import { openPlace, type Place, type PlaceSpec, readBase } from "./place.ts";
import { createProcesses, type ProcessesSpec } from "./processes.ts";
import { createHold } from "./sandbox/hold.ts";
import { createSearcher } from "./searcher.ts";
import { restoreTree, takeSnapshot } from "./snapshots.ts";
import { packTrees, unpackTrees } from "./tree-pack.ts";
import { createWorktree } from "./worktree.ts";

/** What a workspace is put together from. */
export interface WorkspaceParts {
  readonly git: Git;
  /** The user's working tree. */
  readonly root: string;
  readonly commonDir: string;
  readonly rid: string;
  /** The worktree. */
  readonly path: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Files, commands and history of one worktree. Nothing is touched before the first call. */
export function assembleWorkspace(parts: WorkspaceParts): Workspace {
  const { git, commonDir, rid, path, root } = parts;
  const spec: PlaceSpec = { git, commonDir, rid, path };
  const { objects, index, path: folder } = runFolder(commonDir, rid);
  const outputs = join(folder, "outputs");
  let known: TreeHash | null = null;
  const snapshot = async () => {
    known = await runs.whilePaused(async () => takeSnapshot(await openPlace(spec), known));
    return known;
  };
  const inTurn = createQueue(async () => {
    await endOrphanedGits(spec);
    await sweepObjects(objects);
  });
  const { environment } = parts;
  const env = childEnvironment(environment, { userRoot: root, worktree: path });
  const stateDir = environment.CCP_STATE_DIR || null;
  const hold = createHold({ rid, worktree: path, userRoot: root, commonDir, env, stateDir, environment });
  const processes: ProcessesSpec = { rid, family: familyOf(spec), root: path, folder, env, hold };
  const searcher = createSearcher({ searchPath: environment.PATH });
  const runs = createProcesses(processes);
  return {
    path,
    ...withOutputs(createFiles(path, searcher), { root: path, folder: outputs, files: createFiles(outputs, searcher) }),
    ...runs,
    open: (request) => openProgram(processes, request),
    snapshot: () =>
      inTurn(snapshot).catch(async (error: unknown) => {
        await inTurn(() => sweepObjects(objects));
        throw error;
      }),
    forgetIndex: () => inTurn(() => rm(index, { force: true })),
    restore: (tree) => inTurn(async () => restoreTree(await openOrMakeAgain(spec), checkedId(tree))),
    restoreHollows: (tree) => inTurn(async () => restoreHollows(await openPlace(spec), checkedId(tree))),
    flush: () => inTurn(async () => flushFiles(await openPlace(spec))),
    diff: async (from, to, below) =>
      diffTrees(spec, { from: checkedId(from), to: checkedId(to), below: below ?? null }),
    diffStat: async (from, to) => diffStatOfTrees(spec, checkedId(from), checkedId(to)),
    commit: (tree, parent, message) =>
      inTurn(async () => commitTree(spec, checkedId(tree), checkedId(parent), message)),
    adopt: (tree) => inTurn(() => adoptTree(spec, tree)),
    pack: (trees, base) => inWords(() => packTrees(spec, trees, base)),
    unpack: (pack) => inTurn(() => unpackTrees(spec, pack)),
  };
}

/** A worktree that was deleted is made again; the restore that follows fills it with what is on record. */
async function openOrMakeAgain(spec: PlaceSpec): Promise<Place> {
  const base = await readBase(runFolder(spec.commonDir, spec.rid));
  if (base !== null) await createWorktree(spec, base);
  return openPlace(spec);
}

/** `first`, then one after the other: two that use the same index at once would stand in each other's way. */
function createQueue(first: () => Promise<void>): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> | null = null;
  return (work) => {
    const next = (last ?? first()).then(() => inWords(work));
    last = next.catch(() => undefined);
    return next;
  };
}
