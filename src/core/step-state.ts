import { type EscalationState, NOT_ESCALATED } from "./escalation-state.ts";
import type { BlobRef, Fingerprint, StepOutcome, TreeHash } from "./event.ts";
import type { TaskKind } from "./route-rules.ts";
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
  /** The tree at the start of its very first try, and the event that began it; null: it was never tried, or is to be as if never. */
  readonly origin: { readonly tree: TreeHash; readonly seq: number } | null;
  /** The event that began the latest try, and the tree that this conversation was shown. */
  readonly conversationSeq: number;
  readonly shownTree: TreeHash | null;
  /** The tree when its last try ended: what its word counts for. */
  readonly judgedTree: TreeHash | null;
  /** What its latest try was given; null: none yet, or not on record. */
  readonly fingerprint: Fingerprint | null;
  /** The run that did it; null: this one. */
  readonly reusedFrom: string | null;
  readonly outcome: StepOutcome | null;
  readonly prompt: BlobRef | null;
  /** What the next try is told of the failure that led to it. */
  readonly feedback: BlobRef | null;
  /** Where it stands between its tries: what was tried to get it unstuck. */
  readonly escalation: EscalationState;
  readonly usage: Usage;
  readonly calls: number;
  readonly lostCalls: number;
  /** A call of its latest try that was lost, or whose answer broke off, and has not been asked again since; null: none. */
  readonly lostCall: { readonly callId: string; readonly seq: number } | null;
  /** Whom rules have said that its latest try asks, by what for; a task that is missing or empty goes by its role's route. */
  readonly decided: Readonly<Partial<Record<TaskKind, readonly string[]>>>;
  /** The model that answered last; null: none has. */
  readonly lastModel: string | null;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
}

/** A step to which nothing has happened yet. */
export const UNTRIED: StepState = {
  status: "pending",
  conversation: 0,
  failures: 0,
  backs: 0,
  checkFailures: 0,
  startTree: null,
  origin: null,
  conversationSeq: 0,
  shownTree: null,
  judgedTree: null,
  fingerprint: null,
  reusedFrom: null,
  outcome: null,
  prompt: null,
  feedback: null,
  escalation: NOT_ESCALATED,
  usage: NO_USAGE,
  calls: 0,
  lostCalls: 0,
  lostCall: null,
  decided: {},
  lastModel: null,
  startedAt: null,
  endedAt: null,
};
