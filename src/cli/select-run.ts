import { existsSync } from "node:fs";
import { CcpError, EXIT } from "../core/errors.ts";
import { readRun } from "../core/read-run.ts";
import type { Run } from "../core/run.ts";
import type { Wiring } from "../wire/wire.ts";

/**
 * The run that is meant, and the parts to work on it with: its results are where they were put when it began, whatever
 * the flags of now say and from whichever worktree of the repository it is looked at.
 */
export async function openRun(
  given: string | undefined,
  wiring: Wiring,
): Promise<{ readonly rid: string; readonly run: Run; readonly wiring: Wiring }> {
  const rid = await selectRun(given, wiring);
  const run = readRun(rid, await wiring.store());
  const { dir } = await wiring.results();
  const { created } = run;
  // A repository that was moved has taken its results along.
  const isElsewhere = created !== null && created.resultsDir !== dir && existsSync(created.repository);
  return { rid, run, wiring: isElsewhere ? wiring.withResults(created.resultsDir) : wiring };
}

/** Why a run without an end has no result yet: somebody drives it, or it was interrupted by a crash. */
export async function notEnded(rid: string, wiring: Wiring): Promise<CcpError> {
  const isOwned = (await wiring.store()).isOwned(rid);
  return isOwned
    ? new CcpError("still_running", EXIT.owned, `${rid} has not ended: another process is running it`, {
        hint: `nothing was changed; see how it stands: ccp view ${rid}`,
      })
    : new CcpError("interrupted", EXIT.usage, `${rid} was interrupted before its end`, {
        hint: `nothing was changed; let it end: ccp resume ${rid}   what it has done so far: ccp diff ${rid}`,
      });
}

/** The run that is meant: a rid, the beginning of one, or (nothing given) the newest. */
export async function selectRun(given: string | undefined, wiring: Wiring): Promise<string> {
  const store = await wiring.store();
  if (given === undefined) {
    const newest = store.runs({ limit: 1 })[0];
    if (newest) return newest.rid;
    throw new CcpError("no_runs", EXIT.usage, "there is no run in this repository yet", {
      hint: 'ccp run "what is to be done"',
    });
  }
  const wanted = given.startsWith("r-") ? given : `r-${given}`;
  const matching = store.runs({ prefix: wanted });
  const exact = matching.find((run) => run.rid === wanted) ?? (matching.length === 1 ? matching[0] : undefined);
  if (exact) return exact.rid;
  if (matching.length > 1) {
    throw new CcpError(
      "ambiguous_run",
      EXIT.usage,
      `${given} is the beginning of ${matching.length} runs: ${matching.map((run) => run.rid).join(", ")}`,
      { hint: "give more of it" },
    );
  }
  throw await unknown(given, wanted, wiring);
}

/** A run of another repository has its worktree among ours: say where it belongs. */
async function unknown(given: string, wanted: string, wiring: Wiring): Promise<CcpError> {
  const elsewhere = await wiring.ownerOfWorktree(wanted);
  if (elsewhere !== null) {
    return new CcpError("foreign_run", EXIT.usage, `${given} is a run of another repository, ${elsewhere}`, {
      hint: `cd ${elsewhere}`,
    });
  }
  return new CcpError("unknown_run", EXIT.usage, `there is no run ${given} in this repository`, {
    hint: "the runs here: ccp runs",
  });
}
