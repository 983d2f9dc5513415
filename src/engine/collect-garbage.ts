import { type Cleaning, garbageOf, isFinal } from "../core/garbage.ts";
import type { Chance, Repository, Spool } from "../core/ports.ts";
import { readRun } from "../core/read-run.ts";
import type { Freed, Store } from "../core/store.ts";

/** What is collected on. */
export interface GarbageParts {
  readonly store: Store;
  readonly spool: Spool;
  readonly repository: Repository;
  readonly chance: Chance;
}

/** What was removed, or would be. */
export interface Collected {
  readonly cleanings: readonly Cleaning[];
  /** Bytes of answers whose run is over. */
  readonly spooled: readonly string[];
  /** Payloads that no log names any more. In a dry run: those that none names already now. */
  readonly payloads: Freed;
}

/**
 * Removes what final runs older than this have left, and what no run claims. Results that were written beside the user's
 * tree stay, and so does the branch of a run that succeeded. `dryRun`: only says what would go.
 */
export async function collectGarbage(
  parts: GarbageParts,
  how: { readonly olderThanMs: number; readonly dryRun: boolean },
): Promise<Collected> {
  const { store, spool, repository, chance } = parts;
  // In this order: a run is on record before it has anything else, so whatever was seen here has its record there.
  const [remains, kept] = [await repository.remains(), spool.list()];
  const runs = store.runs();
  const cleanings = garbageOf({
    runs,
    remains,
    parents: parentsOf(parts),
    now: chance.now(),
    olderThanMs: how.olderThanMs,
  });
  const open = new Set(runs.filter((run) => !isFinal(run)).map(({ rid }) => rid));
  const spooled = kept.filter((callId) => !open.has(callId.split(".", 1)[0] ?? ""));
  if (!how.dryRun) {
    for (const cleaning of cleanings) await clean(cleaning, parts);
    for (const callId of spooled) spool.remove(callId);
  }
  return { cleanings, spooled, payloads: store.sweep(how.dryRun) };
}

/** Runs that a run which is not final, or whose changes are not applied, goes on from. */
function parentsOf({ store }: GarbageParts): ReadonlySet<string> {
  const needy = store.runs().filter((run) => run.status !== "discarded" && !run.applied);
  return new Set(needy.flatMap(({ rid }) => readRun(rid, store).created?.parent ?? []));
}

/** Worktree first: a crash before the record goes leaves a run whose rest is collected the next time. */
async function clean({ rid, action }: Cleaning, { store, repository }: GarbageParts): Promise<void> {
  if (action === "tidy") return repository.retireWorkspace(rid, "");
  const { status, workspace } = readRun(rid, store);
  if (workspace) {
    if (status === "succeeded") await repository.retireWorkspace(rid, workspace.path);
    else await repository.removeWorkspace(rid, workspace.path);
  }
  store.remove(rid);
}
