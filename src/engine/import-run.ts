import { CcpError, EXIT, hasCode } from "../core/errors.ts";
import type { StoredEvent } from "../core/event.ts";
import { type ExportedRun, type ExportHead, treesNamedIn } from "../core/exported-run.ts";
import { foldRun } from "../core/fold-run.ts";
import type { Chance, Repository, Results } from "../core/ports.ts";
import type { Run } from "../core/run.ts";
import type { Store } from "../core/store.ts";
import { commitMessage } from "./conclude.ts";
import { damaged, readExport } from "./read-export.ts";

/** What a run is imported into. */
export interface ImportParts {
  readonly store: Store;
  readonly repository: Repository;
  readonly results: Results;
  readonly chance: Chance;
}

/**
 * Takes a run from a file that `exportRun` made. All of it is checked before anything is on record: numbering, payloads
 * against their hashes, names that become paths, trees against the base commit. Throws `CcpError`: `damaged_export`,
 * `newer_export`, `base_missing`, `run_exists`.
 */
export async function importRun(bytes: Uint8Array, parts: ImportParts): Promise<Run> {
  const { store, repository, results, chance } = parts;
  const exported = readExport(bytes);
  const { head, events, blobs, pack } = exported;
  if (isKnown(head.rid, store)) throw exists(head.rid);
  if ((await repository.remains()).some(({ rid }) => rid === head.rid)) throw inTheWay(head.rid);
  if (!(await repository.hasCommit(head.base))) throw baseMissing(head);
  const arrival = { type: "run.imported", repository: repository.root, resultsDir: results.dir } as const;
  const all = [...events, { ...arrival, seq: events.length + 1, at: chance.now() }];
  const run = folded(head.rid, all);
  try {
    if (pack) await takeTrees(exported, pack, repository);
    for (const blob of blobs) store.putBlob(blob);
    store.adopt(head.rid, all);
  } catch (refused) {
    if (!isKnown(head.rid, store)) await repository.retireWorkspace(head.rid, "");
    throw refused;
  }
  if (pack && run.end && run.tree && run.status !== "discarded") {
    await repository.openWorkspace(head.rid, "").commit(run.tree, head.base, commitMessage(run));
  }
  return run;
}

/** Every tree that the log names must have come along: the run is to go on from any of them. */
async function takeTrees({ head, events }: ExportedRun, pack: Uint8Array, repository: Repository): Promise<void> {
  const workspace = repository.openWorkspace(head.rid, "");
  await workspace.unpack(pack);
  await workspace.pack(treesNamedIn(events), head.base).catch((cause: unknown) => {
    throw hasCode(cause, "tree_missing") ? damaged("not all of its files are in it") : cause;
  });
}

function isKnown(rid: string, store: Store): boolean {
  return store.runs({ prefix: rid }).some((run) => run.rid === rid);
}

/** A log that cannot be folded is none of ccp's. */
function folded(rid: string, events: readonly StoredEvent[]): Run {
  try {
    const run = foldRun(rid, events);
    if (run.seq === events.length) return run;
  } catch {}
  throw damaged("its events make no run");
}

/** Of another journal (`CCP_STATE_DIR`, one that was set aside): its files may be all that is left of it. */
function inTheWay(rid: string): CcpError {
  return new CcpError("run_exists", EXIT.usage, `there are files of a run ${rid} here that no record claims`, {
    hint: "nothing was changed; look at its worktree, then: ccp gc --older-than 0h --yes",
  });
}

function exists(rid: string): CcpError {
  return new CcpError("run_exists", EXIT.usage, `${rid} is on record here already`, {
    hint: `nothing was changed; see it: ccp view ${rid}`,
  });
}

function baseMissing({ rid, base }: ExportHead): CcpError {
  return new CcpError("base_missing", EXIT.usage, `${rid} starts from commit ${base.slice(0, 12)}, which is not here`, {
    hint: "nothing was changed; get it first: git fetch",
  });
}
