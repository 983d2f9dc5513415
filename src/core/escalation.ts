import { unreachable } from "./errors.ts";
import { type EscalationState, isSameFailing, type RedCheck } from "./escalation-state.ts";
import type { EscalationAction, Means, Signal, Tactic } from "./escalation-terms.ts";
import { deservesAnotherTry, type FailureClass } from "./failure.ts";
import type { AgentStep, Escalation, Pipeline, Role, Step } from "./pipeline.ts";
import { type Run, stepState } from "./run.ts";
import type { StepState } from "./step-state.ts";

/** What the record says of a step about which something is to be decided. */
export interface Trouble {
  readonly occasion: NonNullable<EscalationState["occasion"]>;
  readonly signal: Signal;
  /** Class of the failed try, or of what has sent it back; null: it succeeded. */
  readonly failure: FailureClass | null;
  /** In words: what has happened. */
  readonly what: string;
  readonly hasAttemptsLeft: boolean;
  /** Stronger models that the role may still take in this run. */
  readonly climbsLeft: number;
  readonly mayDiagnose: boolean;
  readonly tactics: readonly Tactic[];
}

/** What is to be done before the next try, and why. */
export interface Decision {
  readonly signal: Signal;
  readonly action: EscalationAction;
  /** Of `tactic` alone. */
  readonly tactic?: Tactic;
  readonly reason: string;
}

/** What escalation a step's role has; null: none, or no role does it. */
export function escalationOf(pipeline: Pipeline, step: Step): Escalation | null {
  return step.kind === "agent" ? (pipeline.roles[step.role]?.escalation ?? null) : null;
}

/** What is to be decided about a step now; null: nothing, it goes on as it would without. */
export function troubleOf(pipeline: Pipeline, run: Run, step: Step): Trouble | null {
  const rules = escalationOf(pipeline, step);
  if (rules === null || step.kind !== "agent") return null;
  const state = stepState(run, step.id);
  const { occasion, isDiagnosed, tactics } = state.escalation;
  const sign = occasion && signOf(step, rules, state);
  if (!occasion || !sign) return null;
  return {
    ...sign,
    occasion,
    failure: failureOf(state),
    hasAttemptsLeft: state.failures < step.attempts,
    climbsLeft: rules.limit - climbsOf(pipeline, run, step.role),
    mayDiagnose: rules.diagnose && !isDiagnosed,
    tactics,
  };
}

/**
 * The decision. Halts: each one uses up an attempt, a rung, the one diagnosis or a tactic of its step, or ends it, and
 * nothing gives more of them but a way back, of which there are so many, and a person.
 */
export function decide(trouble: Trouble, means: Means): Decision {
  const { occasion, hasAttemptsLeft } = trouble;
  const isOvertaken = means.isSlow && (trouble.signal === "failed-try" || trouble.signal === "attempts-spent");
  const signal = isOvertaken ? "slow" : trouble.signal;
  const what = isOvertaken ? `${trouble.what}; most of the time is used, and most of the budget is not` : trouble.what;
  const decision = (action: EscalationAction, why: string): Decision => ({ signal, action, reason: `${what}: ${why}` });
  const again = () => anotherTry(signal, trouble, decision);

  if (signal === "succeeded") return decision("cheaper", "what comes next begins with the role's own models");
  if (signal === "failed-try" && hasAttemptsLeft) return again();
  if (signal === "no-change" && hasAttemptsLeft && freshTactic(signal, trouble)) return again();
  const { stronger } = means;
  if (stronger !== null && trouble.climbsLeft > 0 && stronger.lacks === null) {
    return decision("stronger", `${stronger.model} is stronger, and fits the budget`);
  }
  const none = whyNoStronger(trouble, means);
  if (trouble.mayDiagnose && means.canDiagnose) return decision("diagnose", `${none}, so a reviewer is asked why`);
  if (occasion === "succeeded") return decision("go-on", `${none}, so checks and review have to judge it`);
  if (occasion === "returned" || hasAttemptsLeft) return again();
  if (typeof stronger?.lacks === "object" && trouble.climbsLeft > 0)
    return decision("ask", `${none}; you may give it more`);
  return decision(
    "fail",
    `${none}, ${trouble.mayDiagnose ? "no reviewer can be asked" : "a reviewer cannot help"}, and its attempts are spent`,
  );
}

/** Most of the time and a little of the money: whoever is stronger gets there sooner. Shares from 0 to 1; null: no ceiling. */
export function isSlow(timeShare: number | null, moneyShare: number | null): boolean {
  return timeShare !== null && moneyShare !== null && timeShare >= SLOW_TIME && moneyShare <= SLOW_MONEY;
}

const SLOW_TIME = 0.6;
const SLOW_MONEY = 0.3;

/** Stronger models of a role, the next one first. A person who names a model wants that one, and no other by default. */
export function rungsOf(
  { escalation }: Pick<Role, "escalation">,
  named: readonly string[] | undefined,
): readonly string[] {
  if (!escalation || (named && escalation.isDefault)) return [];
  return escalation.models;
}

/** The models that a conversation on a rung may ask: the stronger one first, then those of `route`, for when it is down. */
export function routeOnRung(
  role: Pick<Role, "models" | "escalation">,
  named: readonly string[] | undefined,
  rung: number,
  route = named ?? role.models,
): readonly string[] {
  const stronger = rung > 0 ? rungsOf(role, named)[rung - 1] : undefined;
  return stronger === undefined ? route : [...new Set([stronger, ...route])];
}

/** How often steps of a role have taken a stronger model. */
export function climbsOf(pipeline: Pipeline, run: Run, role: AgentStep["role"]): number {
  return pipeline.steps.reduce((sum, step) => {
    const isOf = step.kind === "agent" && step.role === role;
    return sum + (isOf ? stepState(run, step.id).escalation.climbs : 0);
  }, 0);
}

function failureOf({ outcome, escalation }: StepState): FailureClass | null {
  if (escalation.occasion === "returned") return escalation.returns.at(-1)?.class ?? null;
  return outcome?.status === "failed" ? outcome.class : null;
}

type Sign = Pick<Trouble, "signal" | "what">;

function signOf(step: AgentStep, rules: Escalation, state: StepState): Sign | null {
  switch (state.escalation.occasion) {
    case "failed":
      return signOfFailure(step, state);
    case "succeeded":
      return signOfSuccess(step, rules, state);
    case "returned":
      return signOfReturn(state.escalation);
    case null:
      return null;
    default:
      return unreachable(state.escalation.occasion);
  }
}

function signOfFailure(step: AgentStep, { outcome, failures, escalation }: StepState): Sign | null {
  if (outcome?.status !== "failed" || !deservesAnotherTry(outcome.class)) return null;
  const { failing, reds } = escalation;
  if (outcome.class === "loop") return { signal: "tool-loop", what: "the model went in circles" };
  if (isSameFailing(failing.at(-2), failing.at(-1))) {
    const how = outcome.class === "check-failed" ? " with the same output" : "";
    return { signal: "same-failure", what: `${outcome.class} twice in a row${how}` };
  }
  if (outcome.class === "check-failed") {
    if (isSameRed(reds.at(-2), reds.at(-1))) {
      return { signal: "same-failure", what: "the check was red twice in a row with the same output" };
    }
    const churn = churnOf(reds);
    if (churn) return { signal: "churn", what: churn };
  }
  if (outcome.class === "no-change") return { signal: "no-change", what: "nothing was changed" };
  if (failures >= step.attempts)
    return { signal: "attempts-spent", what: `${outcome.class} in try ${failures} of ${step.attempts}` };
  return { signal: "failed-try", what: outcome.class };
}

function signOfSuccess(step: AgentStep, rules: Escalation, { outcome, escalation }: StepState): Sign | null {
  if (outcome?.status !== "succeeded") return null;
  const { confidence, uncertainty } = outcome;
  if (step.role === "doer" && confidence !== undefined && confidence < rules.confidence) {
    return { signal: "low-confidence", what: `it finished with confidence ${confidence}, below ${rules.confidence}` };
  }
  if (step.role === "planner" && uncertainty !== undefined && uncertainty > rules.uncertainty) {
    return { signal: "uncertain-plan", what: `the plan's uncertainty is ${uncertainty}, above ${rules.uncertainty}` };
  }
  return escalation.rung > 0 ? { signal: "succeeded", what: "it succeeded with a stronger model" } : null;
}

/** The first way back is what ways back are for; the second for the same reason says that whoever works at it is stuck. */
function signOfReturn({ returns }: EscalationState): Sign | null {
  const last = returns.at(-1);
  if (!last || !isSameFailing(returns.at(-2), last)) return null;
  const how = last.class === "check-failed" ? " with the same output" : "";
  return { signal: "same-failure", what: `"${last.stepId}" has sent it back twice, ${last.class}${how}` };
}

function isSameRed(a: RedCheck | undefined, b: RedCheck | undefined): boolean {
  return a !== undefined && b !== undefined && a.signature !== null && a.signature === b.signature;
}

/** Over two cycles: the files are what they were two checks ago, or were changed each time, and the check was red on all of them. Null: neither. */
function churnOf(reds: readonly RedCheck[]): string | null {
  const [first, second, third] = reds.slice(-3);
  if (!first || !second || !third) return null;
  if (first.tree === third.tree && first.tree !== second.tree)
    return "files were changed back and forth, and the check stayed red";
  const isMoving = first.tree !== second.tree && second.tree !== third.tree;
  return isMoving ? "files were changed again and again, and the check stayed red" : null;
}

function anotherTry(
  signal: Signal,
  trouble: Trouble,
  decision: (action: EscalationAction, why: string) => Decision,
): Decision {
  const tactic = freshTactic(signal, trouble);
  if (tactic)
    return { ...decision("tactic", `the next try goes at it in another way, ${TACTIC_WORDS[tactic]}`), tactic };
  return decision("retry", "it is tried again");
}

/** In words for people; what the model is told is in `templates/messages/`. */
const TACTIC_WORDS: Readonly<Record<Tactic, string>> = {
  narrower: "with a narrower change",
  "tests-first": "with the tests earlier",
  "another-tool": "with another tool",
  "read-docs": "after reading up on it",
};

/** What may help against a signal, the best first; `undefined`: all that suits it was tried. */
function freshTactic(signal: Signal, { failure, tactics }: Trouble): Tactic | undefined {
  const suited = BY_SIGNAL[signal] ?? (failure && BY_CLASS[failure]) ?? ANY;
  return suited.find((tactic) => !tactics.includes(tactic));
}

const ANY: readonly Tactic[] = ["tests-first", "narrower", "read-docs", "another-tool"];

const BY_SIGNAL: Readonly<Partial<Record<Signal, readonly Tactic[]>>> = {
  churn: ["narrower", "tests-first", "read-docs"],
  "tool-loop": ["another-tool", "read-docs", "narrower"],
  "no-change": ["tests-first", "read-docs"],
  slow: ["narrower", "tests-first"],
};

const BY_CLASS: Readonly<Partial<Record<FailureClass, readonly Tactic[]>>> = {
  malformed: ["another-tool", "narrower"],
  denied: ["another-tool", "narrower"],
  empty: ["another-tool", "narrower"],
  incomplete: ["narrower", "tests-first"],
  timeout: ["narrower", "tests-first"],
  "max-turns": ["narrower", "tests-first", "another-tool"],
  "context-exhausted": ["narrower"],
  rejected: ["narrower", "tests-first", "read-docs"],
};

function whyNoStronger({ climbsLeft }: Trouble, { stronger }: Means): string {
  if (stronger === null) return "no stronger model is left";
  if (climbsLeft <= 0) return "the role has taken as many stronger models as it may";
  if (stronger.lacks === "window") return `${stronger.model} does not fit your ceiling for the day or the week`;
  if (stronger.lacks === "unpriced") return `the price of ${stronger.model} is not known`;
  return `${stronger.model} is stronger and does not fit the budget`;
}
