/** Other ways to go at the same work: a sentence for the next conversation, each at most once in a step. */
export const TACTICS = ["narrower", "tests-first", "another-tool", "read-docs"] as const;
/** One of `TACTICS`. */
export type Tactic = (typeof TACTICS)[number];

/** Why something was decided about a step's next try. */
export const SIGNALS = [
  /** The same class of failure twice in a row; where it is a check, with the same output. */
  "same-failure",
  /** Files changed back and forth, or again and again, while the check stays red. */
  "churn",
  /** A doer that has finished and does not trust its own work. */
  "low-confidence",
  /** A planner that guesses. */
  "uncertain-plan",
  "no-change",
  "tool-loop",
  /** Most of the run's time is gone while most of its money is there. */
  "slow",
  "attempts-spent",
  /** A try has failed, and nothing more is known. */
  "failed-try",
  "succeeded",
] as const;
/** One of `SIGNALS`. */
export type Signal = (typeof SIGNALS)[number];

/** What can be decided. `retry`: as before. `go-on`: a finish counts although it was doubted. `ask`: a ceiling is in the way, and a person decides. */
export const ESCALATION_ACTIONS = [
  "tactic",
  "retry",
  "stronger",
  "diagnose",
  "cheaper",
  "go-on",
  "ask",
  "fail",
] as const;
/** One of `ESCALATION_ACTIONS`. */
export type EscalationAction = (typeof ESCALATION_ACTIONS)[number];

/**
 * Why a call does not fit: the run's or the role's ceiling, which a person may raise (`needed`: nano-dollars or tokens);
 * the user's own for the day or the week; or that nobody knows its price.
 */
export type Lack = { readonly unit: "money" | "tokens"; readonly needed: number } | "window" | "unpriced";

/** What is known of the world when it is decided. On record with the decision, so that a replay comes to the same. */
export interface Means {
  /** The next stronger model that can be asked; null: there is none. */
  readonly stronger: {
    /** From 1. */
    readonly rung: number;
    /** `provider/model`. */
    readonly model: string;
    /** What is in the way of its next call; null: it fits what is left. */
    readonly lacks: Lack | null;
  } | null;
  /** A reviewer can be asked, and its answer fits what is left. */
  readonly canDiagnose: boolean;
  /** From `isSlow`. */
  readonly isSlow: boolean;
}

/** Nothing that costs more can be done. */
export const NO_MEANS: Means = { stronger: null, canDiagnose: false, isSlow: false };
