import type { Capability, ModelFacts } from "./model.ts";
import type { RoleName } from "./pipeline.ts";
import type { ValueSource } from "./value-source.ts";

/** What a model may be asked for. `test`: for rules; no step of ccp's own asks for it yet. */
export const TASK_KINDS = ["plan", "build", "test", "review", "compact", "diagnose"] as const;
/** One of `TASK_KINDS`. */
export type TaskKind = (typeof TASK_KINDS)[number];

/** What a role's steps ask for. */
export const TASK_OF: Readonly<Record<RoleName, TaskKind>> = { planner: "plan", doer: "build", reviewer: "review" };

/** From Monday, as `weekOf` counts. */
export const WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
/** One of `WEEKDAYS`. */
export type Weekday = (typeof WEEKDAYS)[number];

/** The day of the week of a calendar day, as `2026-11-20`. */
export function weekdayOf(day: string): Weekday {
  const sinceMonday = (new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7;
  return WEEKDAYS[sinceMonday] ?? "mon";
}

/** Whose ceilings a rule may look at: the user's for the day and the week, and the run's own. */
export const QUOTAS = ["day", "week", "run"] as const;
/** One of `QUOTAS`. */
export type Quota = (typeof QUOTAS)[number];

/** By quota, a share from 0 to 1. */
export type Shares = Readonly<Partial<Record<Quota, number>>>;

/** When a rule holds. What is missing is not asked for; all that is there has to hold. */
export interface RouteConditions {
  readonly tasks?: readonly TaskKind[];
  readonly roles?: readonly RoleName[];
  /** Globs over the model that the role would ask first; `*` is anything, a slash too. */
  readonly models?: readonly string[];
  /** Estimated tokens of the first request. */
  readonly minContextTokens?: number;
  readonly maxContextTokens?: number;
  /** What is left of a ceiling, as a share of it. */
  readonly leftAtLeast?: Shares;
  readonly leftAtMost?: Shares;
  /** Minutes since the user's midnight, the last not counted; over midnight where `to` is not after `from`. */
  readonly hours?: { readonly from: number; readonly to: number };
  readonly days?: readonly Weekday[];
  /** Worst case of the first call, in nano-dollars: a candidate that may cost more is passed over. */
  readonly maxCostNanos?: number;
  /** A candidate of which this is not known is passed over; tools are taken for granted where nobody knows. */
  readonly needs?: readonly Capability[];
}

/** One rule of `routing`: who is asked, and when. */
export interface RouteRule {
  /** For people: its own name, else its number in its file. */
  readonly name: string;
  readonly source: ValueSource;
  readonly when: RouteConditions;
  /** Candidates as `provider/model`, in order. */
  readonly use: readonly string[];
}

/** What is decided about: the first request of a conversation, and how things stand. */
export interface RouteRequest {
  readonly task: TaskKind;
  readonly role: RoleName;
  /** `provider/model` that the role would ask first; null: none. */
  readonly model: string | null;
  /** Tokens of the request, as they are estimated for room. */
  readonly contextTokens: number;
  /** Upper bound of them, as it is held for money. */
  readonly inputTokensBound: number;
  /** The longest answer that is wanted, in tokens; a model's own may be shorter. */
  readonly outputTokens: number;
  /** What the request cannot do without. */
  readonly needs: readonly Capability[];
  /** What is left of each ceiling, from 0 to 1; 1 where there is none. */
  readonly left: Readonly<Record<Quota, number>>;
  readonly local: LocalTime;
  /** True: money has a ceiling and tokens have none, so a call without a price cannot be made. */
  readonly mustBePriced: boolean;
}

/** The user's clock. */
export interface LocalTime {
  readonly weekday: Weekday;
  /** Minutes since midnight. */
  readonly minute: number;
}

/** A model that a rule names, as far as it is known here. */
export type Candidate =
  | { readonly kind: "askable"; readonly facts: ModelFacts }
  | { readonly kind: "cannot-ask"; readonly passedOver: PassedOver };

/** Why a candidate is not asked, in a word and in words for people. */
export interface PassedOver {
  readonly why: "unknown" | "no-key" | "policy" | "window" | "capability" | "unpriced" | "cost";
  readonly says: string;
}

/** One condition of a rule and how it came out, in words for people. */
export interface ConditionTrace {
  /** As it is written in a rule. */
  readonly name: string;
  readonly wants: string;
  readonly is: string;
  readonly holds: boolean;
}

/** One candidate of a rule. */
export interface CandidateTrace {
  readonly model: string;
  /** Null: it may be asked. */
  readonly passedOver: PassedOver | null;
}

/** One rule, held against a request. */
export interface RuleTrace {
  readonly rule: RouteRule;
  /** All its conditions hold, and a candidate of it is left. */
  readonly matches: boolean;
  /** It matches, and one before it does. */
  readonly isLater: boolean;
  readonly conditions: readonly ConditionTrace[];
  readonly candidates: readonly CandidateTrace[];
}

/** What the rules say. */
export interface RouteDecision {
  /** Null: none matches, and the role's own route holds. */
  readonly rule: RouteRule | null;
  /** In order; empty where no rule matches. */
  readonly candidates: readonly string[];
  /** Every rule, in order. */
  readonly trace: readonly RuleTrace[];
}
