import { NOTHING_SPENT, type Scope, usedNanos, usedTokens } from "../core/budget.ts";
import { EXIT, type ExitCode } from "../core/errors.ts";
import type { EndStatus, Event } from "../core/event.ts";
import type { Action } from "../core/next.ts";
import type { StopWhy } from "../core/ports.ts";
import type { Run } from "../core/run.ts";
import { type Context, treeOf, workspaceOf } from "./context.ts";
import type { Control } from "./deps.ts";
import { publishLatest, writeRecords } from "./records.ts";
import { refOf } from "./run-log.ts";

/** Ends a run: the work is committed on its branch, the artifacts are written, then the end goes on record. */
export async function endRun(context: Context, action: Extract<Action, { type: "end" }>): Promise<void> {
  const { log } = context;
  const kept = await keepWork(context);
  const hint = action.status === "succeeded" ? `ccp apply ${log.rid}` : `ccp resume ${log.rid}`;
  log.record(...kept, {
    type: "run.ended",
    status: action.status,
    exitCode: action.exitCode,
    reason: action.reason,
    hint,
  });
  writeRecords(log, context.pipeline, context.deps.results);
  publishLatest(log, context.deps.results);
}

/** The drive ends, the run does not: it can be resumed. */
export async function endStopped(
  context: Context,
  stopped: { readonly why: StopWhy; readonly reason: string },
): Promise<void> {
  const { log } = context;
  const { status, exitCode, hint } = standstill(stopped.why, log.run, context.deps.control);
  // Stopped at once means at once: the files may be in the middle of something, and are put right on resume.
  const kept = stopped.why === "aborted" || stopped.why === "time" ? [] : await keepWork(context);
  log.record(...kept, { type: "run.ended", status, exitCode, reason: stopped.reason, hint });
  writeRecords(log, context.pipeline, context.deps.results);
}

function standstill(
  why: StopWhy,
  run: Run,
  control: Control,
): { readonly status: EndStatus; readonly exitCode: ExitCode; readonly hint: string } {
  const { rid } = run;
  switch (why) {
    case "paused":
    case "aborted":
      return { status: "paused", exitCode: control.exitCode(), hint: `ccp resume ${rid}` };
    case "budget":
      return { status: "budget_reached", exitCode: EXIT.budget, hint: `ccp resume ${rid} ${raise(run)}` };
    case "time":
      return { status: "budget_reached", exitCode: EXIT.budget, hint: `ccp resume ${rid} --minutes +30` };
    case "unavailable":
      return { status: "provider_down", exitCode: EXIT.unavailable, hint: `ccp resume ${rid}` };
    case "credentials":
    case "unpriced":
      return { status: "blocked", exitCode: EXIT.credentials, hint: `ccp resume ${rid} --model role=provider/model` };
  }
}

/** The flag that gives more of what has run out: tokens where they are nearer to their ceiling than money is. */
function raise({ budgets, spend }: Run): string {
  const used = (unit: "maxCostNanos" | "maxTokens") => {
    const shares = Object.entries(budgets).map(([scope, budget]) => {
      const spent = spend[scope as Scope] ?? NOTHING_SPENT;
      const amount = unit === "maxCostNanos" ? usedNanos(spent) : usedTokens(spent);
      return budget?.[unit] === undefined ? -1 : amount / Math.max(1, budget[unit]);
    });
    return Math.max(...shares);
  };
  const tokens = budgets.run?.maxTokens;
  return tokens !== undefined && used("maxTokens") > used("maxCostNanos") ? `--tokens +${tokens}` : "--budget +1.00";
}

/** Diff.patch and one commit on the run's branch, whether it went well or not: work is never lost. */
async function keepWork(context: Context): Promise<readonly Event[]> {
  const { log, deps } = context;
  const base = log.run.created?.base;
  if (!base || !log.run.workspace?.prepared) return [];
  const workspace = workspaceOf(context);
  const tree = treeOf(context);
  await workspace.commit(tree, base.commit, `${log.run.created?.title ?? "ccp"}\n\nCcp-Run: ${log.rid}\n`);
  const patch = await workspace.diff(base.tree, tree);
  deps.results.write(log.rid, "Diff.patch", patch);
  return [{ type: "artifact.written", name: "Diff.patch", blob: refOf(patch), stepId: null }];
}
