import { type Budget, NOTHING_SPENT, type Scope, type Spend } from "./budget.ts";
import type { BlobRef, EndStatus, EventOf, StepOutcome, TreeHash } from "./event.ts";
import { NO_USAGE, type Usage } from "./usage.ts";

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
  /** The tree when its last try ended: what its word counts for. */
  readonly judgedTree: TreeHash | null;
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
  judgedTree: null,
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
