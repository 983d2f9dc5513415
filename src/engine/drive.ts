import { unreachable } from "../core/errors.ts";
import { type Action, nextActions } from "../core/next.ts";
import type { Pipeline } from "../core/pipeline.ts";
import { permittedBudget } from "../core/policy-limits.ts";
import { type Run, timeLeft } from "../core/run.ts";
import { performAgentStep } from "./agent-step.ts";
import { CommandEnvironment } from "./command-environment.ts";
import { endRun, endStopped } from "./conclude.ts";
import type { Context } from "./context.ts";
import { decideNextTry } from "./decide.ts";
import type { EngineDeps } from "./deps.ts";
import { diagnose } from "./diagnosis.ts";
import { Halt } from "./halt.ts";
import { haltWithoutSandbox, policyOf } from "./policy.ts";
import { checkBase, checkFinal, createWorkspace, prepareWorkspace } from "./prepare.ts";
import { recover, restoreTree } from "./recover.ts";
import type { Plan } from "./reuse.ts";
import { RunLog } from "./run-log.ts";
import { performShellStep } from "./shell-step.ts";
import { goBack, judgeAgain } from "./way-back.ts";

/**
 * Drives a run that this process owns until it ends or has to stop, starting from whatever its log says: a resumed
 * run differs from a new one only in the length of its log. Throws for what ccp cannot go on with (a full disk); the
 * log then says how far it came.
 */
export async function drive(rid: string, epoch: number, deps: EngineDeps): Promise<Run> {
  const log = new RunLog(rid, epoch, deps);
  const pipeline = pinnedPipeline(log);
  const budget = permittedBudget(policyOf({ log }, null), "run", log.run.budgets.run ?? {});
  const left = timeLeft({ ...log.run, budgets: { ...log.run.budgets, run: budget } }, deps.chance.now());
  using halt = new Halt(deps.control, left === null ? null : deps.chance.alarm(left));
  const environment = new CommandEnvironment({ log, pipeline, deps });
  const context: Context = { log, pipeline, deps, halt, environment };
  haltWithoutSandbox(context, null);
  await recover(context);

  /** By key: an action that is under way is not begun a second time. */
  const underWay = new Map<string, Promise<void>>();
  let broken: { readonly cause: unknown } | null = null;
  while (log.run.status === "running" && !broken) {
    if (halt.reason) {
      await Promise.all(underWay.values());
      if (!broken && log.run.status === "running") await endStopped(context, halt.reason);
      break;
    }
    for (const action of nextActions(pipeline, log.run)) {
      const key = keyOf(action);
      if (underWay.has(key)) continue;
      const work = perform(action, context)
        .catch((cause: unknown) => {
          broken ??= { cause };
          // The others stop at their next boundary. Who waits for a call of this one to settle would wait for ever.
          halt.request("aborted", "ccp could not go on");
          log.wake();
        })
        .finally(() => underWay.delete(key));
      underWay.set(key, work);
    }
    if (underWay.size === 0) throw new Error(`run ${rid} has nothing to do and has not ended`);
    await Promise.race(underWay.values());
  }
  await Promise.all(underWay.values());
  if (broken) throw (broken as { cause: unknown }).cause;
  return log.run;
}

/** The pipeline that the run follows, whatever has become of its file. */
export function pinnedPipeline(log: RunLog): Pipeline {
  if (!log.run.pipeline) throw new Error(`run ${log.rid} has no beginning`);
  return log.readJson<Pipeline>(log.run.pipeline);
}

/** The same, with the values of its inputs. */
export function pinnedPlan(log: RunLog): Plan {
  return { pipeline: pinnedPipeline(log), inputs: log.run.created?.inputs ?? {} };
}

function keyOf(action: Action): string {
  return "step" in action ? `${action.type} ${action.step.id}` : action.type;
}

function perform(action: Action, context: Context): Promise<void> {
  switch (action.type) {
    case "create-workspace":
      return createWorkspace(context);
    case "prepare-workspace":
      return prepareWorkspace(context);
    case "restore-tree":
      return restoreTree(context);
    case "check-base":
      return checkBase(context, action);
    case "check-final":
      return checkFinal(context, action);
    case "judge-again":
      return judgeAgain(context, action);
    case "decide":
      return decideNextTry(context, action);
    case "diagnose":
      return diagnose(context, action.step);
    case "perform":
      return action.step.kind === "agent"
        ? performAgentStep(context, action.step, action.conversation)
        : performShellStep(context, action.step, action.conversation);
    case "go-back":
      return goBack(context, action);
    case "end":
      return endRun(context, action);
    default:
      return unreachable(action);
  }
}
