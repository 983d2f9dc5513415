import { type Budget, NOTHING_SPENT, type Scope, type Spend } from "./budget.ts";
import type { Sandbox } from "./confinement.ts";
import type { BlobRef, EndStatus, EventOf, PolicyOnRecord, TreeHash } from "./event.ts";
import { type StepState, UNTRIED } from "./step-state.ts";
import { NO_STEPS, type StepTable, stepEntries, stepOf } from "./step-table.ts";

/** A command that was run to its end. */
export type CommandRecord = EventOf<"command.finished">;
/** How a run stands. `new`: no event yet. */
export type RunStatus = "new" | "running" | EndStatus | "discarded";

/** Everything there is to know about a run: the fold of its events. */
export interface Run {
  readonly rid: string;
  readonly status: RunStatus;
  readonly created: (EventOf<"run.created"> & { readonly at: number }) | null;
  /** The plan that it follows: that of its beginning, or the one that somebody has put in its place. */
  readonly pipeline: BlobRef | null;
  /** The policies that the present drive began under; null: none. */
  readonly policy: PolicyOnRecord | null;
  /** Those that have come into force since, by the step that found them. */
  readonly policies: Readonly<Record<string, PolicyOnRecord>>;
  /** What holds its processes. */
  readonly sandbox: Sandbox;
  readonly epoch: number;
  /** The event that began the present drive. */
  readonly driveSeq: number;
  /** The drive before it ended without a word: killed, or with the power. What was not flushed may be lost or half there. */
  readonly wasKilled: boolean;
  readonly workspace: {
    readonly path: string;
    readonly branch: string;
    readonly notices: readonly string[];
    readonly prepared: boolean;
  } | null;
  /** The last tree on record: what the workspace is put back to after a crash. */
  readonly tree: TreeHash | null;
  /** True: the files are not that tree yet, and have to be put back to it before the next step. */
  readonly restoreDue: boolean;
  readonly commands: readonly CommandRecord[];
  readonly steps: StepTable;
  /** Sent, outcome not recorded. */
  readonly openCalls: Readonly<Record<string, EventOf<"call.reserved"> & { readonly at: number }>>;
  /** Begun, end not recorded; by `toolKey`. */
  readonly openTools: Readonly<Record<string, EventOf<"tool.started">>>;
  /** Calls that wait, or have waited, for a person's consent and are not over yet; by `toolKey`, the oldest first. */
  readonly questions: Readonly<Record<string, Question>>;
  /** Digests of calls that a person has allowed for the whole run. */
  readonly consents: readonly string[];
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

/** A call that a person is asked about. */
export interface Question {
  readonly asked: EventOf<"permission.asked">;
  /** Null: nobody has decided yet. */
  readonly decision: "allow" | "deny" | null;
}

/** The question that has waited longest; null: none waits. */
export function openQuestion(run: Run): EventOf<"permission.asked"> | null {
  return Object.values(run.questions).find(({ decision }) => decision === null)?.asked ?? null;
}

/** A run before its first event. */
export function newRun(rid: string): Run {
  return {
    rid,
    status: "new",
    created: null,
    pipeline: null,
    policy: null,
    policies: {},
    sandbox: "none",
    epoch: 0,
    driveSeq: 0,
    wasKilled: false,
    workspace: null,
    tree: null,
    restoreDue: false,
    commands: [],
    steps: NO_STEPS,
    openCalls: {},
    openTools: {},
    questions: {},
    consents: [],
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
  return stepOf(run.steps, stepId) ?? UNTRIED;
}

/** All that was ever charged or is held, over the whole run. */
export function totalSpend(run: Run): Spend {
  return run.spend.run ?? NOTHING_SPENT;
}

/** Calls that were sent and whose outcome nobody knows, over the whole run. */
export function lostCalls(run: Run): number {
  return stepEntries(run.steps).reduce((sum, [, step]) => sum + step.lostCalls, 0);
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
