import { addSpend, NOTHING_SPENT } from "./budget.ts";
import { afterDecision, afterRed, afterTry, afterWayBack, type Failing, NOT_ESCALATED } from "./escalation-state.ts";
import type { EventOf, StoredEvent } from "./event.ts";
import { ledgerEntry } from "./ledger.ts";
import { asked, decided, withoutQuestion, withoutQuestionsOf } from "./questions.ts";
import { newRun, type Run, stepState, toolKey } from "./run.ts";
import type { StepState } from "./step-state.ts";
import { type StepTable, stepEntries, withStepState } from "./step-table.ts";
import { addUsage } from "./usage.ts";
import { without } from "./without.ts";

/** Changes whenever the same events fold into another run: what was folded by an older ccp is not gone on from. */
export const FOLD_VERSION = 7;

type WorkEventType =
  | "command.started"
  | "command.interrupted"
  | "command.finished"
  | "tool.started"
  | "tool.interrupted"
  | "tool.finished";

/** The run that a log tells of. */
export function foldRun(rid: string, events: readonly StoredEvent[]): Run {
  return events.reduce(applyEvent, newRun(rid));
}

/** Folds one event into the run. Resume is this function over the stored log. */
export function applyEvent(run: Run, event: StoredEvent): Run {
  return applyFact(booked(ticked(run, event), event), event);
}

function applyFact(run: Run, event: StoredEvent): Run {
  switch (event.type) {
    case "run.created":
      return created(run, event);
    case "run.resumed":
      return {
        ...run,
        status: "running",
        sandbox: event.sandbox ?? run.sandbox,
        policy: event.policy ?? run.policy,
        policies: {},
        epoch: event.epoch,
        driveSeq: event.seq,
        wasKilled: run.end === null,
        end: null,
        steps: mapSteps(run.steps, run.end?.status === "failed" ? withFreshTries : interrupted),
      };
    case "run.ended":
      return { ...run, status: event.status, end: event };
    case "run.applied":
      return { ...run, applied: true };
    case "run.discarded":
      return { ...run, status: "discarded" };
    case "run.imported":
      return imported(run, event);
    case "run.rewound": {
      // Where the files have that tree already, what a person did to them meanwhile stays.
      const restoreDue = run.restoreDue || event.tree !== run.tree || !run.workspace?.prepared;
      return { ...rewound(run, event.steps), tree: event.tree, restoreDue };
    }
    case "pipeline.changed": {
      const created = run.created && { ...run.created, inputs: event.inputs };
      // Whoever has succeeded was not doubted under the plan that it followed.
      const steps = mapSteps(run.steps, withoutDoubt);
      return { ...run, pipeline: event.pipeline, created, steps, routes: {} };
    }
    case "budget.raised":
      return {
        ...run,
        budgets: { ...run.budgets, [event.scope]: event.budget },
        warned: run.warned.filter((warning) => !warning.startsWith(`${event.scope} `)),
      };
    case "budget.warned":
      return { ...run, warned: [...run.warned, `${event.scope} ${event.percent}`] };
    case "route.changed":
      return {
        ...run,
        routes: { ...run.routes, [event.role]: event.models },
        steps: mapSteps(run.steps, (step) => onFirstRung(step, event.role)),
      };
    case "policy.changed":
      return { ...run, policies: { ...run.policies, [event.stepId]: event.policy } };
    case "route.decided":
      return withStep(run, event.stepId, ({ decided }) => ({
        decided: { ...decided, [event.task]: event.candidates },
      }));
    case "workspace.created":
      return { ...run, workspace: workspaceAt(run, event) };
    case "workspace.prepared":
      return prepared(run, event);
    case "workspace.edited":
      return { ...run, tree: event.tree };
    case "workspace.restored":
      return { ...run, tree: event.tree, restoreDue: false };
    case "judgements.voided":
      return undone(run, event.steps);
    case "command.started":
    case "command.interrupted":
    case "command.finished":
    case "tool.started":
    case "tool.interrupted":
    case "tool.finished":
      return applyWorkEvent(run, event);
    case "artifact.written":
      return { ...run, artifacts: { ...run.artifacts, [event.name]: event } };
    case "call.reserved":
    case "call.settled":
    case "call.lost":
      return applyCallEvent(run, event);
    case "message.added":
    case "context.pruned":
    case "context.summarised":
      return run;
    case "permission.asked":
      return asked(run, event);
    case "permission.decided":
      return decided(run, event);
    case "steps.reset":
      return reset(run, event);
    case "escalation.decided":
      return withStep(run, event.stepId, (step) => decidedOn(step, event));
    case "step.diagnosed":
      return withStep(run, event.stepId, (step) => ({
        escalation: { ...step.escalation, isDiagnosisDue: false, advice: event.advice },
      }));
    case "step.started":
    case "step.reused":
    case "step.interrupted":
    case "step.finished":
      return applyStepEvent(run, event);
  }
}

/** Something that may change files begins or ends. */
function applyWorkEvent(run: Run, event: EventOf<WorkEventType>): Run {
  switch (event.type) {
    case "command.started":
      return { ...run, openCommands: { ...run.openCommands, [event.commandId]: event } };
    case "command.interrupted":
      return { ...run, openCommands: without(run.openCommands, event.commandId) };
    case "command.finished":
      return withCommand(
        // A set-up in a worktree that is yet to get its files is no part of the run's tree.
        {
          ...run,
          tree: run.restoreDue ? run.tree : event.treeAfter,
          openCommands: without(run.openCommands, event.commandId),
        },
        event,
      );
    case "tool.started":
      return { ...run, openTools: { ...run.openTools, [toolKey(event)]: event } };
    case "tool.interrupted":
      return { ...run, openTools: without(run.openTools, toolKey(event)) };
    case "tool.finished":
      return {
        ...run,
        tree: event.treeAfter ?? run.tree,
        openTools: without(run.openTools, toolKey(event)),
        questions: withoutQuestion(run.questions, toolKey(event)),
      };
  }
}

function applyCallEvent(run: Run, event: StoredEvent & EventOf<"call.reserved" | "call.settled" | "call.lost">): Run {
  switch (event.type) {
    case "call.reserved":
      return withStep({ ...run, openCalls: { ...run.openCalls, [event.callId]: event } }, event.stepId, (step) => ({
        calls: step.calls + 1,
        lostCall: null,
      }));
    case "call.settled":
      return withStep(closed(run, event.callId), event.stepId, (step) => ({
        usage: addUsage(step.usage, event.usage),
        lastModel: event.result.type === "answered" && event.purpose !== "diagnose" ? event.model : step.lastModel,
        ...(brokeOff(event) ? { lostCall: { callId: event.callId, seq: event.seq } } : {}),
      }));
    case "call.lost":
      return withStep(closed(run, event.callId), event.stepId, (step) => ({
        lostCalls: step.lostCalls + 1,
        lostCall: { callId: event.callId, seq: event.seq },
      }));
  }
}

/** An answer of which a part had come is as lost as one of which nobody knows, only its price is known. */
function brokeOff({ result }: EventOf<"call.settled">): boolean {
  return result.type === "failed" && result.failure.brokeOff === true;
}

function applyStepEvent(
  run: Run,
  event: StoredEvent & EventOf<"step.started" | "step.reused" | "step.interrupted" | "step.finished">,
): Run {
  switch (event.type) {
    case "step.started":
      return withStep(withBeginning(run, event), event.stepId, (step) => begun(step, event));
    case "step.reused":
      return withStep(run, event.stepId, () => ({
        status: "succeeded",
        conversation: event.conversation,
        startTree: event.startTree,
        origin: { tree: event.startTree, seq: event.seq },
        judgedTree: event.tree,
        fingerprint: event.fingerprint,
        reusedFrom: event.from,
        outcome: event.outcome,
      }));
    case "step.interrupted":
      return withStep(run, event.stepId, () => ({ status: "interrupted" }));
    case "step.finished":
      return withStep(withoutQuestionsOf({ ...run, tree: event.tree }, [event.stepId]), event.stepId, (step) => ({
        status: event.outcome.status,
        outcome: event.outcome,
        judgedTree: event.tree,
        failures: step.failures + (event.outcome.status === "failed" ? 1 : 0),
        feedback: event.outcome.status === "failed" ? step.feedback : null,
        escalation: afterTry(step.escalation, event.stepId, event.outcome),
        endedAt: event.at,
      }));
  }
}

/** Who begins anew asks anew. */
function withBeginning(run: Run, event: EventOf<"step.started">): Run {
  const goesOn = stepState(run, event.stepId).conversation === event.conversation;
  return goesOn ? run : withoutQuestionsOf(run, [event.stepId]);
}

/** The first event of a conversation, or the one with which it goes on after an interruption. */
function begun(step: StepState, event: StoredEvent & EventOf<"step.started">): Partial<StepState> {
  const goesOn = step.conversation === event.conversation;
  return {
    status: "running",
    conversation: event.conversation,
    checkFailures: goesOn ? step.checkFailures : 0,
    startTree: step.startTree ?? event.tree,
    origin: step.origin ?? { tree: event.tree, seq: event.seq },
    conversationSeq: goesOn ? step.conversationSeq : event.seq,
    shownTree: goesOn ? step.shownTree : event.tree,
    fingerprint: event.fingerprint,
    reusedFrom: null,
    prompt: event.prompt,
    outcome: null,
    lostCall: goesOn ? step.lostCall : null,
    decided: goesOn ? step.decided : {},
    startedAt: step.startedAt ?? event.at,
    endedAt: null,
  };
}

function created(run: Run, event: StoredEvent & EventOf<"run.created">): Run {
  const { budgets, pipeline, base } = event;
  return {
    ...run,
    status: "running",
    created: event,
    sandbox: event.sandbox.active,
    policy: event.policy ?? null,
    budgets,
    pipeline,
    tree: base.tree,
    epoch: 1,
    driveSeq: event.seq,
  };
}

/** What the events before it name lies on another machine. */
function imported(run: Run, { repository, resultsDir }: EventOf<"run.imported">): Run {
  return {
    ...run,
    created: run.created && { ...run.created, repository, resultsDir },
    workspace: run.workspace && { ...run.workspace, path: "" },
  };
}

/** A worktree that was made again is as far as the one before it. */
function workspaceAt(run: Run, { path, branch, notices }: EventOf<"workspace.created">): Run["workspace"] {
  return { path, branch, notices, prepared: run.workspace?.prepared ?? false };
}

/** A run that begins with steps of another goes on from that one's tree: the files are yet to be put to it. */
function prepared(run: Run, event: EventOf<"workspace.prepared">): Run {
  const workspace = run.workspace && { ...run.workspace, prepared: true };
  return run.restoreDue ? { ...run, workspace } : { ...run, workspace, tree: event.tree };
}

/** As if these steps had never been tried; what they have cost stays, and the number of the next try goes on. */
function rewound(run: Run, steps: readonly string[]): Run {
  const afresh = {
    origin: null,
    escalation: NOT_ESCALATED,
    backs: 0,
    judgedTree: null,
    fingerprint: null,
    reusedFrom: null,
    lostCall: null,
  } as const;
  return steps.reduce((state, stepId) => withStep(state, stepId, () => afresh), undone(run, steps));
}

function undone(run: Run, steps: readonly string[]): Run {
  const undo = {
    status: "pending",
    failures: 0,
    checkFailures: 0,
    startTree: null,
    outcome: null,
    feedback: null,
  } as const;
  const undoneOf = (step: StepState) => ({ ...undo, escalation: afterWayBack(step.escalation, null) });
  return steps.reduce((state, stepId) => withStep(state, stepId, undoneOf), withoutQuestionsOf(run, steps));
}

/** A way back: the target and all after it are to be done again, the target knowing why. */
function reset(run: Run, event: EventOf<"steps.reset">): Run {
  const failing = failingOf(run, event.from);
  const told = withStep(undone(run, event.steps), event.to, () => ({
    feedback: event.feedback,
    escalation: afterWayBack(stepState(run, event.to).escalation, failing),
  }));
  return withStep(told, event.from, (step) => ({ backs: step.backs + 1 }));
}

/** A crash, a pause or an empty purse is no reason for fresh tries: a way back that was due is still due. */
function interrupted(step: StepState): StepState {
  return step.status === "running" ? { ...step, status: "interrupted" } : step;
}

function withFreshTries(step: StepState): StepState {
  if (step.status === "running") return interrupted(step);
  if (step.status !== "failed") return step;
  return { ...step, status: "pending", failures: 0, backs: 0, checkFailures: 0, escalation: NOT_ESCALATED };
}

/** What a failed step has failed of; null: it has not failed. */
function failingOf(run: Run, stepId: string): Failing | null {
  const { outcome } = stepState(run, stepId);
  if (outcome?.status !== "failed") return null;
  const command = run.commands.findLast((record) => record.stepId === stepId && record.end.exitCode !== 0);
  const check = outcome.class === "check-failed" ? (command?.signature ?? null) : null;
  return { stepId, class: outcome.class, check };
}

/** A decision that gives a step more tries: it is to be done again, or once more beyond its attempts. */
function decidedOn(step: StepState, event: EventOf<"escalation.decided">): Partial<StepState> {
  const escalation = afterDecision(step.escalation, event);
  // Who had finished and was doubted goes at it once more, on the files as they are. That try was no failure.
  const isDoubted = step.status === "succeeded";
  const status = isDoubted ? ({ status: "pending" } as const) : {};
  if (event.action === "stronger") return { escalation, ...status, failures: 0 };
  if (event.action === "diagnose") return { escalation, ...status, failures: step.failures - (isDoubted ? 0 : 1) };
  return { escalation };
}

/** A person has named a model: it is asked from the next conversation on, whatever was decided before. */
function onFirstRung(step: StepState, role: string): StepState {
  if (step.escalation.role !== role) return step;
  return { ...step, escalation: { ...step.escalation, rung: 0, topRung: 0 } };
}

function withoutDoubt(step: StepState): StepState {
  if (step.escalation.occasion !== "succeeded") return step;
  return { ...step, escalation: { ...step.escalation, occasion: null } };
}

function withCommand(run: Run, event: EventOf<"command.finished">): Run {
  const recorded = { ...run, commands: [...run.commands, event] };
  if (event.purpose !== "until" || event.stepId === null || event.end.exitCode === 0) return recorded;
  const red = { tree: event.tree, signature: event.signature ?? null };
  return withStep(recorded, event.stepId, (step) => ({
    checkFailures: step.checkFailures + 1,
    escalation: afterRed(step.escalation, red),
  }));
}

/** What comes on record while nobody drives the run: the time before it was nobody's. */
const BETWEEN_DRIVES: readonly string[] = ["run.resumed", "run.rewound", "run.imported", "run.discarded"];

/** Time passes between events of a run that is driven; a crash ends at the last event before it. */
function ticked(run: Run, event: StoredEvent): Run {
  const driven = run.status === "running" && !BETWEEN_DRIVES.includes(event.type);
  const passed = driven ? Math.max(0, event.at - run.lastAt) : 0;
  return { ...run, activeMs: run.activeMs + passed, seq: event.seq, lastAt: event.at };
}

function booked(run: Run, event: StoredEvent): Run {
  const entry = ledgerEntry(event);
  if (!entry) return run;
  const changed = entry.scopes.map(
    (scope) => [scope, addSpend(run.spend[scope] ?? NOTHING_SPENT, entry.change)] as const,
  );
  return { ...run, spend: { ...run.spend, ...Object.fromEntries(changed) } };
}

function closed(run: Run, callId: string): Run {
  return { ...run, openCalls: without(run.openCalls, callId) };
}

function withStep(run: Run, stepId: string, change: (step: StepState) => Partial<StepState>): Run {
  const step = stepState(run, stepId);
  return { ...run, steps: withStepState(run.steps, stepId, { ...step, ...change(step) }) };
}

function mapSteps(steps: StepTable, change: (step: StepState) => StepState): StepTable {
  return stepEntries(steps).reduce((table, [id, step]) => withStepState(table, id, change(step)), steps);
}
