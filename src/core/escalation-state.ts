import type { Tactic } from "./escalation-terms.ts";
import type { BlobRef, EventOf, StepOutcome, TreeHash } from "./event.ts";
import type { FailureClass } from "./failure.ts";

/** A failure, as far as it takes to know it again. */
export interface Failing {
  /** The step that failed: the one itself, or that which has sent the run back. */
  readonly stepId: string;
  readonly class: FailureClass;
  /** `signature` of its red check; null: no check, or not on record. */
  readonly check: string | null;
}

/** A check that was red: on which files, and what it said. */
export interface RedCheck {
  readonly tree: TreeHash;
  readonly signature: string | null;
}

/** How far a step has been escalated, and what its next decision is made from. */
export interface EscalationState {
  /** What waits for a decision: how its last try ended, or that another step has sent it back. Null: nothing. */
  readonly occasion: "failed" | "succeeded" | "returned" | null;
  /** 0: its role's own models; n: the n-th stronger one. */
  readonly rung: number;
  /** The highest that was tried for the present trouble: there is no use in trying it again. */
  readonly topRung: number;
  /** How often a stronger model was taken. */
  readonly climbs: number;
  /** The role that it was escalated in; null: never. */
  readonly role: string | null;
  readonly tactics: readonly Tactic[];
  readonly isDiagnosed: boolean;
  /** A reviewer is to be asked before the next try. */
  readonly isDiagnosisDue: boolean;
  /** Nothing is left to be tried. */
  readonly isGivenUp: boolean;
  /** What the next try is told: another way to go at it, and what a reviewer has advised. */
  readonly tactic: Tactic | null;
  readonly advice: BlobRef | null;
  /** The last two failed tries on this rung, red checks on it, and ways back to the step; the latest last. */
  readonly failing: readonly Failing[];
  readonly reds: readonly RedCheck[];
  readonly returns: readonly Failing[];
}

/** A step of which nothing was decided yet. */
export const NOT_ESCALATED: EscalationState = {
  occasion: null,
  rung: 0,
  topRung: 0,
  climbs: 0,
  role: null,
  tactics: [],
  isDiagnosed: false,
  isDiagnosisDue: false,
  isGivenUp: false,
  tactic: null,
  advice: null,
  failing: [],
  reds: [],
  returns: [],
};

/** As many as it takes to see files go back and forth over two cycles. */
const REDS_KEPT = 4;
const FAILINGS_KEPT = 2;

/** A try has ended: what it was told is used up. */
export function afterTry(state: EscalationState, stepId: string, outcome: StepOutcome): EscalationState {
  const ended = { ...state, tactic: null, advice: null };
  if (outcome.status === "succeeded") return { ...ended, occasion: "succeeded", failing: [], reds: [] };
  const check = outcome.class === "check-failed" ? (state.reds.at(-1)?.signature ?? null) : null;
  return { ...ended, occasion: "failed", failing: kept(state.failing, { stepId, class: outcome.class, check }) };
}

/** A check of the step was red. */
export function afterRed(state: EscalationState, red: RedCheck): EscalationState {
  return { ...state, reds: [...state.reds, red].slice(-REDS_KEPT) };
}

/** The run goes back, and the step is done again, from its role's own models on. `failing`: what has sent it back; null: another step was sent back. */
export function afterWayBack(state: EscalationState, failing: Failing | null): EscalationState {
  const afresh = { ...state, ...FIRST_RUNG, failing: [], reds: [] };
  if (failing === null) return { ...afresh, occasion: null };
  const isSame = isSameFailing(state.returns.at(-1), failing);
  return {
    ...afresh,
    occasion: "returned",
    topRung: isSame ? state.topRung : 0,
    returns: kept(state.returns, failing),
  };
}

const FIRST_RUNG = { rung: 0, isGivenUp: false, isDiagnosisDue: false, tactic: null, advice: null } as const;

/** What was decided. A person who is asked decides later: until then it waits. */
export function afterDecision(state: EscalationState, event: EventOf<"escalation.decided">): EscalationState {
  const decided = { ...state, occasion: null, role: event.role };
  switch (event.action) {
    case "tactic":
      return event.tactic ? { ...decided, tactic: event.tactic, tactics: [...state.tactics, event.tactic] } : decided;
    case "stronger":
      return { ...decided, rung: event.rung, topRung: event.rung, climbs: state.climbs + 1, failing: [], reds: [] };
    case "diagnose":
      return { ...decided, isDiagnosed: true, isDiagnosisDue: true };
    case "cheaper":
      return { ...decided, rung: event.rung };
    case "fail":
      return { ...decided, isGivenUp: true };
    case "ask":
      return state;
    case "retry":
    case "go-on":
      return decided;
  }
}

/** True for two failures that are the same: a check's, where both said the same; any other, where the class is. */
export function isSameFailing(a: Failing | undefined, b: Failing | undefined): boolean {
  if (!a || !b || a.stepId !== b.stepId || a.class !== b.class) return false;
  return a.class !== "check-failed" || (a.check !== null && a.check === b.check);
}

function kept(failings: readonly Failing[], failing: Failing): readonly Failing[] {
  return [...failings, failing].slice(-FAILINGS_KEPT);
}
