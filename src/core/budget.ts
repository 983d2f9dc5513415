import { affordableOutput, type Price, worstCost } from "./money.ts";

/** Ceilings. A missing field means "no ceiling". */
export interface Budget {
  /** Nano-dollars at list price, cached tokens included. */
  readonly maxCostNanos?: number;
  /** Input and output tokens together. */
  readonly maxTokens?: number;
  /** Wall-clock milliseconds while the run is being driven; pauses do not count. */
  readonly maxDurationMs?: number;
}

/** Where a budget applies: `run`, `role:doer`, `step:build`. A reservation must fit all of its scopes or nothing is sent. */
export type Scope = "run" | `role:${string}` | `step:${string}`;

/** Spans of the user's calendar for which the user may set ceilings over all runs: a day, and a week from Monday. */
export const WINDOWS = ["day", "week"] as const;
/** One of `WINDOWS`. */
export type Window = (typeof WINDOWS)[number];

/** Ceilings in money and tokens, by window; a missing one has none. */
export type WindowCeilings = Readonly<Partial<Record<Window, Pick<Budget, "maxCostNanos" | "maxTokens">>>>;

/** What holds where both do: the lower of each. */
export function narrowerCeilings(a: WindowCeilings, b: WindowCeilings): WindowCeilings {
  const lower = (x: number | undefined, y: number | undefined) => Math.min(x ?? Infinity, y ?? Infinity);
  return Object.fromEntries(
    WINDOWS.filter((window) => a[window] || b[window]).map((window) => {
      const [maxCostNanos, maxTokens] = (["maxCostNanos", "maxTokens"] as const).map((unit) =>
        lower(a[window]?.[unit], b[window]?.[unit]),
      ) as [number, number];
      const ceiling = {
        ...(Number.isFinite(maxCostNanos) ? { maxCostNanos } : {}),
        ...(Number.isFinite(maxTokens) ? { maxTokens } : {}),
      };
      return [window, ceiling];
    }),
  );
}

/** The first day of the week that a day (`2026-11-20`) is in: a Monday. */
export function weekOf(day: string): string {
  const at = new Date(`${day}T00:00:00Z`);
  const sinceMonday = (at.getUTCDay() + 6) % 7;
  return new Date(at.getTime() - sinceMonday * 86_400_000).toISOString().slice(0, 10);
}

/** What a scope has used. Settled + held never exceeds the scope's ceiling. */
export interface Spend {
  readonly settledNanos: number;
  readonly heldNanos: number;
  readonly settledTokens: number;
  readonly heldTokens: number;
}

/** What a scope without a call has used. */
export const NOTHING_SPENT: Spend = { settledNanos: 0, heldNanos: 0, settledTokens: 0, heldTokens: 0 };

/** Nano-dollars of a scope that are gone or spoken for. */
export function usedNanos(spend: Spend): number {
  return spend.settledNanos + spend.heldNanos;
}

/** Tokens of a scope that are gone or spoken for. */
export function usedTokens(spend: Spend): number {
  return spend.settledTokens + spend.heldTokens;
}

/** What is left in every scope of a call, the tightest counting; null means "no ceiling". */
export interface Headroom {
  readonly nanos: number | null;
  readonly tokens: number | null;
}

/** An answer shorter than this is of no use: the reservation stops instead. */
export const MIN_OUTPUT_TOKENS = 512;

/**
 * What `planReservation` decides. `wait`: a whole answer does not fit, and calls in flight may yet leave more.
 * `unpriced`: the price is unknown, and only money has a ceiling.
 */
export type Reservation =
  | {
      readonly type: "fits";
      readonly maxTokens: number;
      /** True when `maxTokens` had to be cut to what is left. */
      readonly shrunk: boolean;
      readonly heldNanos: number;
      readonly heldTokens: number;
    }
  | { readonly type: "does-not-fit"; readonly unit: "money" | "tokens"; readonly needed: number; readonly left: number }
  | { readonly type: "wait" }
  | { readonly type: "unpriced" };

/** What a reservation is decided from. */
export interface ReservationRequest {
  /** Null: the price is unknown. */
  readonly price: Price | null;
  readonly inputTokensBound: number;
  readonly wantedOutputTokens: number;
  readonly headroom: Headroom;
  /** True while others hold a part of the same budgets: what they do not use comes back when they settle. */
  readonly mayGrow: boolean;
}

/** Decides the worst case to hold for a call: the wanted answer; else to wait; else a shorter one that fits; else no call. */
export function planReservation(request: ReservationRequest): Reservation {
  const plan = planNow(request);
  const isWhole = plan.type === "unpriced" || (plan.type === "fits" && !plan.shrunk);
  return request.mayGrow && !isWhole ? { type: "wait" } : plan;
}

function planNow(request: ReservationRequest): Exclude<Reservation, { type: "wait" }> {
  const { price, inputTokensBound, wantedOutputTokens, headroom } = request;
  if (price === null && headroom.nanos !== null && headroom.tokens === null) return { type: "unpriced" };
  // Nobody can say beforehand what it costs, but what the provider said of earlier calls counts.
  if (price === null && headroom.nanos === 0) return { type: "does-not-fit", unit: "money", needed: 1, left: 0 };

  const byMoney =
    price === null || headroom.nanos === null
      ? wantedOutputTokens
      : affordableOutput(price, inputTokensBound, headroom.nanos);
  const byTokens = headroom.tokens === null ? wantedOutputTokens : headroom.tokens - inputTokensBound;
  const maxTokens = Math.min(wantedOutputTokens, byMoney, byTokens);
  const floor = Math.min(MIN_OUTPUT_TOKENS, wantedOutputTokens);
  if (maxTokens < floor) {
    return byMoney < byTokens || headroom.tokens === null
      ? {
          type: "does-not-fit",
          unit: "money",
          needed: worstCost(price as Price, inputTokensBound, floor),
          left: headroom.nanos ?? 0,
        }
      : { type: "does-not-fit", unit: "tokens", needed: inputTokensBound + floor, left: headroom.tokens };
  }
  return {
    type: "fits",
    maxTokens,
    shrunk: maxTokens < wantedOutputTokens,
    heldNanos: price === null ? 0 : worstCost(price, inputTokensBound, maxTokens),
    heldTokens: inputTokensBound + maxTokens,
  };
}

/** What is left of `budget`; null fields have no ceiling. Never negative. */
export function headroomOf(budget: Budget, spend: Spend): Headroom {
  return {
    nanos: left(budget.maxCostNanos, usedNanos(spend)),
    tokens: left(budget.maxTokens, usedTokens(spend)),
  };
}

/** The part of a budget that is left, from 0 to 1, of money or tokens whichever is nearer to its end; 1: it has no ceiling. */
export function shareLeft(budget: Budget, spend: Spend): number {
  const used = Math.max(ratio(budget.maxCostNanos, usedNanos(spend)), ratio(budget.maxTokens, usedTokens(spend)));
  return Math.max(0, 1 - used);
}

/** The headroom of a call that draws on both. */
export function tightest(a: Headroom, b: Headroom): Headroom {
  return { nanos: smaller(a.nanos, b.nanos), tokens: smaller(a.tokens, b.tokens) };
}

/** The sum, field by field; a change may be negative. */
export function addSpend(a: Spend, b: Spend): Spend {
  return {
    settledNanos: a.settledNanos + b.settledNanos,
    heldNanos: a.heldNanos + b.heldNanos,
    settledTokens: a.settledTokens + b.settledTokens,
    heldTokens: a.heldTokens + b.heldTokens,
  };
}

/** Shares of a run's budget by role, for what the pipeline does not say: a quarter each to planner and reviewer, the rest to the doer. */
export function roleShares(run: Budget, roles: readonly string[]): Readonly<Record<string, Budget>> {
  const others = roles.filter((role) => role !== "doer");
  const share = (fraction: number): Budget => ({
    ...(run.maxCostNanos === undefined ? {} : { maxCostNanos: Math.floor(run.maxCostNanos * fraction) }),
    ...(run.maxTokens === undefined ? {} : { maxTokens: Math.floor(run.maxTokens * fraction) }),
  });
  return Object.fromEntries(roles.map((role) => [role, share(role === "doer" ? 1 - others.length / 4 : 1 / 4)]));
}

const WARNING_PERCENTS = [75, 90, 100] as const;

/** The warnings (percent of the ceiling) that `spend` has reached, money or tokens, whichever is nearer to its end. */
export function reachedWarnings(budget: Budget, spend: Spend): readonly number[] {
  const ratios = [ratio(budget.maxCostNanos, usedNanos(spend)), ratio(budget.maxTokens, usedTokens(spend))];
  return WARNING_PERCENTS.filter((percent) => ratios.some((used) => used * 100 >= percent));
}

function ratio(ceiling: number | undefined, used: number): number {
  if (ceiling === undefined || used === 0) return 0;
  return ceiling === 0 ? Number.POSITIVE_INFINITY : used / ceiling;
}

function left(ceiling: number | undefined, used: number): number | null {
  return ceiling === undefined ? null : Math.max(0, ceiling - used);
}

function smaller(a: number | null, b: number | null): number | null {
  if (a === null) return b;
  return b === null ? a : Math.min(a, b);
}
