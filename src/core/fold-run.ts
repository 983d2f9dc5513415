import { addSpend, NOTHING_SPENT } from "./budget.ts";
import type { EventOf, StoredEvent } from "./event.ts";
import { ledgerEntry } from "./ledger.ts";
import { newRun, type Run, type StepState, stepState, toolKey } from "./run.ts";
import { addUsage } from "./usage.ts";
import { without } from "./without.ts";

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
      return { ...run, status: "running", created: event, budgets: event.budgets, tree: event.base.tree, epoch: 1 };
    case "run.resumed":
      return { ...run, status: "running", epoch: event.epoch, end: null, steps: mapValues(run.steps, withFreshTries) };
    case "run.ended":
      return { ...run, status: event.status, end: event };
    case "run.applied":
      return { ...run, applied: true };
    case "run.discarded":
      return { ...run, status: "discarded" };
    case "budget.raised":
      return {
        ...run,
        budgets: { ...run.budgets, [event.scope]: event.budget },
        warned: run.warned.filter((warning) => !warning.startsWith(`${event.scope} `)),
      };
    case "budget.warned":
      return { ...run, warned: [...run.warned, `${event.scope} ${event.percent}`] };
    case "route.changed":
      return { ...run, routes: { ...run.routes, [event.role]: event.models } };
    case "workspace.created":
      return { ...run, workspace: { path: event.path, branch: event.branch, notices: event.notices, prepared: false } };
    case "workspace.prepared":
      return { ...run, tree: event.tree, workspace: run.workspace && { ...run.workspace, prepared: true } };
    case "workspace.edited":
      return { ...run, tree: event.tree };
    case "workspace.restored":
      return run;
    case "judgements.voided":
      return undone(run, event.steps);
    case "command.started":
    case "command.finished":
    case "tool.started":
    case "tool.finished":
      return applyWorkEvent(run, event);
    case "artifact.written":
      return { ...run, artifacts: { ...run.artifacts, [event.name]: event } };
    case "call.reserved":
    case "call.settled":
    case "call.lost":
      return applyCallEvent(run, event);
    case "message.added":
      return run;
    case "steps.reset":
      return reset(run, event);
    case "step.started":
    case "step.interrupted":
    case "step.finished":
      return applyStepEvent(run, event);
  }
}

/** Something that may change files begins or ends. */
function applyWorkEvent(
  run: Run,
  event: EventOf<"command.started" | "command.finished" | "tool.started" | "tool.finished">,
): Run {
  switch (event.type) {
    case "command.started":
      return { ...run, openCommands: { ...run.openCommands, [event.commandId]: event } };
    case "command.finished":
      return withCommand(
        { ...run, tree: event.treeAfter, openCommands: without(run.openCommands, event.commandId) },
        event,
      );
    case "tool.started":
      return { ...run, openTools: { ...run.openTools, [toolKey(event)]: event } };
    case "tool.finished":
      return {
        ...run,
        tree: event.treeAfter ?? run.tree,
        openTools: without(run.openTools, toolKey(event)),
      };
  }
}

function applyCallEvent(run: Run, event: StoredEvent & EventOf<"call.reserved" | "call.settled" | "call.lost">): Run {
  switch (event.type) {
    case "call.reserved":
      return withStep({ ...run, openCalls: { ...run.openCalls, [event.callId]: event } }, event.stepId, (step) => ({
        calls: step.calls + 1,
      }));
    case "call.settled":
      return withStep(closed(run, event.callId), event.stepId, (step) => ({
        usage: addUsage(step.usage, event.usage),
      }));
    case "call.lost":
      return withStep(closed(run, event.callId), event.stepId, (step) => ({ lostCalls: step.lostCalls + 1 }));
  }
}

function applyStepEvent(
  run: Run,
  event: StoredEvent & EventOf<"step.started" | "step.interrupted" | "step.finished">,
): Run {
  switch (event.type) {
    case "step.started":
      return withStep(run, event.stepId, (step) => ({
        status: "running",
        conversation: event.conversation,
        checkFailures: step.conversation === event.conversation ? step.checkFailures : 0,
        startTree: step.startTree ?? event.tree,
        prompt: event.prompt,
        outcome: null,
        startedAt: step.startedAt ?? event.at,
        endedAt: null,
      }));
    case "step.interrupted":
      return withStep(run, event.stepId, () => ({ status: "interrupted" }));
    case "step.finished":
      return withStep({ ...run, tree: event.tree }, event.stepId, (step) => ({
        status: event.outcome.status,
        outcome: event.outcome,
        judgedTree: event.tree,
        failures: step.failures + (event.outcome.status === "failed" ? 1 : 0),
        feedback: event.outcome.status === "failed" ? step.feedback : null,
        endedAt: event.at,
      }));
  }
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
  return steps.reduce((state, stepId) => withStep(state, stepId, () => undo), run);
}

/** A way back: the target and all after it are to be done again, the target knowing why. */
function reset(run: Run, event: EventOf<"steps.reset">): Run {
  const told = withStep(undone(run, event.steps), event.to, () => ({ feedback: event.feedback }));
  return withStep(told, event.from, (step) => ({ backs: step.backs + 1 }));
}

function withFreshTries(step: StepState): StepState {
  if (step.status === "running") return { ...step, status: "interrupted" };
  return step.status === "failed" ? { ...step, status: "pending", failures: 0, backs: 0, checkFailures: 0 } : step;
}

function withCommand(run: Run, event: EventOf<"command.finished">): Run {
  const recorded = { ...run, commands: [...run.commands, event] };
  if (event.purpose !== "until" || event.stepId === null || event.end.exitCode === 0) return recorded;
  return withStep(recorded, event.stepId, (step) => ({ checkFailures: step.checkFailures + 1 }));
}

/** Time passes between events of a run that is driven; a crash ends at the last event before it. */
function ticked(run: Run, event: StoredEvent): Run {
  const driven = run.status === "running" && event.type !== "run.resumed";
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
  return { ...run, steps: { ...run.steps, [stepId]: { ...step, ...change(step) } } };
}

function mapValues<T>(record: Readonly<Record<string, T>>, change: (value: T) => T): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}
