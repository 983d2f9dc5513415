import { addSpend, type Budget, NOTHING_SPENT, type Scope, type Spend } from "./budget.ts";
import type { BlobRef, EndStatus, EventOf, StepOutcome, StoredEvent, TreeHash } from "./event.ts";
import { ledgerEntry } from "./ledger.ts";
import { addUsage, NO_USAGE, type Usage } from "./usage.ts";

/** How a step stands in a run. */
export interface StepState {
  /** `interrupted`: its conversation is open and goes on when the run is driven again. */
  readonly status: "pending" | "running" | "interrupted" | "succeeded" | "failed";
  /** Ordinal of the latest try, from 1; 0 before the first. */
  readonly conversation: number;
  /** Failed tries that count against `attempts`. Crashes do not count; a way back and a resume start afresh. */
  readonly failures: number;
  /** How often its failure has sent the run back. */
  readonly backs: number;
  /** Failures of its `until` check in the current conversation. */
  readonly checkFailures: number;
  /** The tree at the start of the first try since the last way back: what `no-change` is measured against. */
  readonly startTree: TreeHash | null;
  readonly outcome: StepOutcome | null;
  readonly prompt: BlobRef | null;
  /** What the next try is told of the failure that led to it. */
  readonly feedback: BlobRef | null;
  readonly usage: Usage;
  readonly calls: number;
  readonly lostCalls: number;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
}

/** A command that was run to its end. */
export type CommandRecord = EventOf<"command.finished">;
/** How a run stands. `new`: no event yet. */
export type RunStatus = "new" | "running" | EndStatus | "discarded";

/** Everything there is to know about a run: the fold of its events. */
export interface Run {
  readonly rid: string;
  readonly status: RunStatus;
  readonly created: (EventOf<"run.created"> & { readonly at: number }) | null;
  readonly epoch: number;
  readonly workspace: {
    readonly path: string;
    readonly branch: string;
    readonly notices: readonly string[];
    readonly prepared: boolean;
  } | null;
  /** The last tree on record: what the workspace is put back to after a crash. */
  readonly tree: TreeHash | null;
  readonly commands: readonly CommandRecord[];
  readonly steps: Readonly<Record<string, StepState>>;
  /** Sent, outcome not recorded. */
  readonly openCalls: Readonly<Record<string, EventOf<"call.reserved"> & { readonly at: number }>>;
  /** Begun, end not recorded; by `toolKey`. */
  readonly openTools: Readonly<Record<string, EventOf<"tool.started">>>;
  readonly openCommands: Readonly<Record<string, EventOf<"command.started">>>;
  readonly budgets: Readonly<Partial<Record<Scope, Budget>>>;
  readonly spend: Readonly<Partial<Record<Scope, Spend>>>;
  /** Warnings given, as `scope percent`. */
  readonly warned: readonly string[];
  /** Routes changed since the pipeline was pinned, by role. */
  readonly routes: Readonly<Record<string, readonly string[]>>;
  readonly artifacts: Readonly<Record<string, EventOf<"artifact.written">>>;
  readonly applied: boolean;
  readonly end: EventOf<"run.ended"> | null;
  /** Milliseconds during which the run was driven, up to the last event. */
  readonly activeMs: number;
  readonly seq: number;
  readonly lastAt: number;
}

const UNTRIED: StepState = {
  status: "pending",
  conversation: 0,
  failures: 0,
  backs: 0,
  checkFailures: 0,
  startTree: null,
  outcome: null,
  prompt: null,
  feedback: null,
  usage: NO_USAGE,
  calls: 0,
  lostCalls: 0,
  startedAt: null,
  endedAt: null,
};

/** A run before its first event. */
export function newRun(rid: string): Run {
  return {
    rid,
    status: "new",
    created: null,
    epoch: 0,
    workspace: null,
    tree: null,
    commands: [],
    steps: {},
    openCalls: {},
    openTools: {},
    openCommands: {},
    budgets: {},
    spend: {},
    warned: [],
    routes: {},
    artifacts: {},
    applied: false,
    end: null,
    activeMs: 0,
    seq: 0,
    lastAt: 0,
  };
}

/** The run that a log tells of. */
export function foldRun(rid: string, events: readonly StoredEvent[]): Run {
  return events.reduce(applyEvent, newRun(rid));
}

/** Folds one event into the run. Resume is this function over the stored log. */
export function applyEvent(run: Run, event: StoredEvent): Run {
  return applyFact(booked(ticked(run, event), event), event);
}

/** How a step stands; untried until its first event. */
export function stepState(run: Run, stepId: string): StepState {
  return run.steps[stepId] ?? UNTRIED;
}

/** All that was ever charged or is held, over the whole run. */
export function totalSpend(run: Run): Spend {
  return run.spend.run ?? NOTHING_SPENT;
}

/** Calls that were sent and whose outcome nobody knows, over the whole run. */
export function lostCalls(run: Run): number {
  return Object.values(run.steps).reduce((sum, step) => sum + step.lostCalls, 0);
}

/** Names a tool call in its run: providers number their calls anew in each conversation. */
export function toolKey(call: { readonly stepId: string; readonly toolCallId: string }): string {
  return `${call.stepId} ${call.toolCallId}`;
}

/** Milliseconds of the run's time budget that are left at `now` while it is driven; null without a ceiling. */
export function timeLeft(run: Run, now: number): number | null {
  const ceiling = run.budgets.run?.maxDurationMs;
  if (ceiling === undefined) return null;
  return ceiling - run.activeMs - Math.max(0, now - run.lastAt);
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
    case "artifact.written":
      return { ...run, artifacts: { ...run.artifacts, [event.name]: event } };
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
        failures: step.failures + (event.outcome.status === "failed" ? 1 : 0),
        feedback: event.outcome.status === "failed" ? step.feedback : null,
        endedAt: event.at,
      }));
  }
}

/** A way back: the target and all after it are to be done again, the target knowing why. */
function reset(run: Run, event: EventOf<"steps.reset">): Run {
  const again = event.steps.reduce(
    (state, stepId) =>
      withStep(state, stepId, () => ({
        status: "pending",
        failures: 0,
        checkFailures: 0,
        startTree: null,
        outcome: null,
        feedback: null,
      })),
    run,
  );
  const told = withStep(again, event.to, () => ({ feedback: event.feedback }));
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

function without<T>(record: Readonly<Record<string, T>>, key: string): Readonly<Record<string, T>> {
  const { [key]: _, ...rest } = record;
  return rest;
}

function mapValues<T>(record: Readonly<Record<string, T>>, change: (value: T) => T): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}
