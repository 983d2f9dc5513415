import {
  type Headroom,
  headroomOf,
  MIN_OUTPUT_TOKENS,
  planReservation,
  WINDOWS,
  type Window,
  weekOf,
} from "../core/budget.ts";
import type { Admission } from "../core/lane-health.ts";
import type { ModelFacts } from "../core/model.ts";
import type { EngineDeps } from "./deps.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

type Deps = Pick<EngineDeps, "userLedger" | "chance">;

/** What is left of what the user lets a model's provider have. Null fields have no ceiling. */
export function quotaHeadroom(
  { userLedger, chance }: Deps,
  window: Window,
  { quota, account, ref }: ModelFacts,
): Headroom {
  const ceiling = quota?.[window];
  if (!ceiling) return { nanos: null, tokens: null };
  return headroomOf(ceiling, userLedger.spend(window, chance.day(chance.now()), account ?? ref.provider));
}

/**
 * Turns a call away whose shortest answer the quota of its provider does not hold, until the window is over; null: it
 * has room. What others only hold counts as free: it may come back, and the reservation waits for that.
 */
export function quotaSpent(deps: Deps, model: ModelFacts, inputTokensBound: number): Admission | null {
  const { userLedger, chance } = deps;
  const now = chance.now();
  const day = chance.day(now);
  const spent = WINDOWS.find((window) => {
    const ceiling = model.quota?.[window];
    if (!ceiling) return false;
    const settled = {
      ...userLedger.spend(window, day, model.account ?? model.ref.provider),
      heldNanos: 0,
      heldTokens: 0,
    };
    const plan = planReservation({
      price: model.price,
      inputTokensBound,
      wantedOutputTokens: MIN_OUTPUT_TOKENS,
      headroom: headroomOf(ceiling, settled),
      mayGrow: false,
    });
    return plan.type === "does-not-fit";
  });
  if (spent === undefined) return null;
  const midnight = now + DAY_MS - chance.minute(now) * MINUTE_MS;
  const daysMore = spent === "day" ? 0 : 6 - daysBetween(weekOf(day), day);
  return {
    type: "spent",
    untilAt: midnight + daysMore * DAY_MS,
    reason: `your quota for ${model.ref.provider} this ${spent} does not hold another call`,
  };
}

function daysBetween(first: string, last: string): number {
  return Math.round((Date.parse(`${last}T00:00:00Z`) - Date.parse(`${first}T00:00:00Z`)) / DAY_MS);
}
