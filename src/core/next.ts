import { EXIT, type ExitCode } from "./errors.ts";
import { escalationOf, type Trouble, troubleOf } from "./escalation.ts";
import { isJudge, refutedUntil, unprovenUntil, voidBefore, voidJudgements } from "./evidence.ts";
import { deservesAnotherTry } from "./failure.ts";
import {
  type AgentStep,
  baselineChecks,
  type CheckCommand,
  isWriter,
  type Pipeline,
  type ShellStep,
  type Step,
  withDownstream,
} from "./pipeline.ts";
import { type Run, stepState } from "./run.ts";
import { type StepState, UNTRIED } from "./step-state.ts";
import { StepWatch } from "./step-watch.ts";
import { waitsOf } from "./waits.ts";

/** What to do now. The engine performs; nothing is decided there. */
export type Action =
  | { readonly type: "create-workspace" }
  | { readonly type: "prepare-workspace" }
  /** Put the files back to the tree on record. */
  | { readonly type: "restore-tree"; readonly tree: string }
  /** Run a check on the base, before anything was changed. */
  | ({ readonly type: "check-base"; readonly checkId: string } & CheckCommand)
  /** Run an `until` check on the final tree, which others have changed since it was green. */
  | ({ readonly type: "check-final"; readonly stepId: string } & CheckCommand)
  /** Take back what these steps said of another tree. */
  | { readonly type: "judge-again"; readonly steps: readonly string[] }
  /** A step is stuck, or was: what its next try is to be. */
  | { readonly type: "decide"; readonly step: AgentStep; readonly trouble: Trouble }
  /** Ask a reviewer's model why the step fails. */
  | { readonly type: "diagnose"; readonly step: AgentStep }
  | { readonly type: "perform"; readonly step: Step; readonly conversation: number }
  | { readonly type: "go-back"; readonly from: Step; readonly to: string; readonly steps: readonly string[] }
  | {
      readonly type: "end";
      readonly status: "succeeded" | "failed";
      readonly exitCode: ExitCode;
      readonly reason: string | null;
    };

/** Decides and touches nothing. Empty: wait for what is under way. */
export function nextActions(pipeline: Pipeline, run: Run): readonly Action[] {
  if (run.status !== "running") return [];
  if (run.workspace === null) return [{ type: "create-workspace" }];
  if (!run.workspace.prepared) return [{ type: "prepare-workspace" }];
  if (run.restoreDue && run.tree !== null) return [{ type: "restore-tree", tree: run.tree }];
  const check = nextBaselineCheck(pipeline, run);
  if (check) return [check];

  const { ready, underWay, lost, isAllDone, troubled, puzzling } = standingOf(pipeline, run);
  if (lost) return underWay.length > 0 ? [] : [afterLoss(pipeline, run, lost)];
  if (troubled.length > 0) return troubled;
  if (isAllDone) return [afterAll(pipeline, run)];
  if (puzzling.length > 0) return puzzling.map((step) => ({ type: "diagnose", step }));
  return startable(pipeline, ready, underWay).map((step) => {
    const stale = underWay.length === 0 && isJudge(step) ? voidBefore(pipeline, run, step) : [];
    if (stale.length > 0) return judgeAgain(stale);
    return { type: "perform", step, conversation: nextConversation(stepState(run, step.id)) };
  });
}

/** A try of a command's step that is to be performed. */
export interface NextShellStep {
  readonly step: ShellStep;
  readonly conversation: number;
}

/** The command that is to be performed now, alone; null: something else is, or nothing. */
export function nextShellStep(pipeline: Pipeline, run: Run): NextShellStep | null {
  const [action, ...others] = nextActions(pipeline, run);
  if (action?.type !== "perform" || action.step.kind !== "shell" || others.length > 0) return null;
  return { step: action.step, conversation: action.conversation };
}

/** Success needs every judgement to be of the tree that the run leaves: what came after one voids it. */
function afterAll(pipeline: Pipeline, run: Run): Action {
  const stale = voidJudgements(pipeline, run);
  if (stale.length > 0) return judgeAgain(stale);
  const refuted = refutedUntil(pipeline, run);
  if (refuted !== null) {
    const reason = `the check of step "${refuted}" is red on the final tree`;
    return { type: "end", status: "failed", exitCode: EXIT.failed, reason };
  }
  const unproven = unprovenUntil(pipeline, run);
  if (unproven) return { type: "check-final", ...unproven };
  return { type: "end", status: "succeeded", exitCode: EXIT.ok, reason: null };
}

function judgeAgain(steps: readonly Step[]): Action {
  return { type: "judge-again", steps: steps.map((step) => step.id) };
}

/** A step that was interrupted goes on in its conversation; any other try begins a new one. */
function nextConversation(state: StepState): number {
  return state.status === "interrupted" ? state.conversation : state.conversation + 1;
}

/** Checks are run on the base only where an agent is going to change something, and while nothing has changed it yet. */
function nextBaselineCheck(pipeline: Pipeline, run: Run): Action | null {
  // In this order: once a step has begun, which is most of the time, few of them are looked at.
  if (pipeline.steps.some((step) => stepState(run, step.id).conversation > 0)) return null;
  if (!pipeline.steps.some((step) => step.kind === "agent")) return null;
  const done = new Set(
    run.commands.filter((command) => command.purpose === "baseline").map((command) => command.commandId),
  );
  const check = baselineChecks(pipeline).find(({ id }) => !done.has(`baseline.${id}`));
  if (!check) return null;
  const { id, ...command } = check;
  return { type: "check-base", checkId: `baseline.${id}`, ...command };
}

/** How the steps stand, in pipeline order. */
interface Standing {
  /** Nothing that they wait for is missing, and they are not under way. */
  readonly ready: readonly Step[];
  readonly underWay: readonly Step[];
  /** The first that failed for good; null: none. */
  readonly lost: Step | null;
  readonly isAllDone: boolean;
  /** What has to be decided before anything else is begun. */
  readonly troubled: readonly Extract<Action, { type: "decide" }>[];
  /** Those of which a reviewer is to be asked before their next try. */
  readonly puzzling: readonly AgentStep[];
}

function standingOf(pipeline: Pipeline, run: Run): Standing {
  const [ready, underWay]: [Step[], Step[]] = [[], []];
  const troubled: Extract<Action, { type: "decide" }>[] = [];
  const puzzling: AgentStep[] = [];
  let lost: Step | null = null;
  let isAllDone = true;
  const states = statesIn(pipeline, run);
  const waits = waitsOf(pipeline);
  const isDone = (place: number) => states[place]?.status === "succeeded";
  for (const [place, step] of pipeline.steps.entries()) {
    const state = states[place] ?? UNTRIED;
    if (step.kind === "agent") {
      const trouble = state.escalation.occasion === null ? null : troubleOf(pipeline, run, step);
      if (trouble) troubled.push({ type: "decide", step, trouble });
      if (state.escalation.isDiagnosisDue) puzzling.push(step);
    }
    if (isDone(place)) continue;
    isAllDone = false;
    if (state.status === "running") underWay.push(step);
    else if (waits[place]?.every(isDone)) ready.push(step);
    if (lost === null && isLost(pipeline, step, state)) lost = step;
  }
  return { ready, underWay, lost, isAllDone, troubled, puzzling };
}

/** By place. Valid until it is asked for again: this is asked after each step, and only what has changed is looked at. */
function statesIn(pipeline: Pipeline, run: Run): readonly StepState[] {
  const watch = WATCHES.get(pipeline) ?? new StepWatch(pipeline.steps.map(({ id }) => id));
  WATCHES.set(pipeline, watch);
  watch.look(run.steps);
  return watch.states;
}

/** A pipeline never changes. */
const WATCHES = new WeakMap<Pipeline, StepWatch>();

/** Readers may run side by side; a step that can change the tree runs alone. */
function startable(pipeline: Pipeline, ready: readonly Step[], underWay: readonly Step[]): readonly Step[] {
  if (underWay.some((step) => isWriter(pipeline, step))) return [];
  const readers = ready.filter((step) => !isWriter(pipeline, step));
  if (readers.length > 0 || underWay.length > 0) return readers;
  return ready.slice(0, 1);
}

function afterLoss(pipeline: Pipeline, run: Run, lost: Step): Action {
  const back = lost.onFailure;
  if (back && stepState(run, lost.id).backs < back.attempts) {
    return { type: "go-back", from: lost, to: back.backTo, steps: withDownstream(pipeline, back.backTo) };
  }
  const outcome = stepState(run, lost.id).outcome;
  const reason = outcome?.status === "failed" ? `${outcome.class}: ${outcome.reason}` : "failed";
  return { type: "end", status: "failed", exitCode: EXIT.failed, reason: `step "${lost.id}" failed, ${reason}` };
}

/** Failed for good: its tries are spent, or another try cannot help. Where there are other ways out, they decide. */
function isLost(pipeline: Pipeline, step: Step, state: StepState): boolean {
  if (state.status !== "failed" || state.outcome?.status !== "failed") return false;
  if (!deservesAnotherTry(state.outcome.class)) return true;
  return escalationOf(pipeline, step) ? state.escalation.isGivenUp : state.failures >= step.attempts;
}
