import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  headroomOf,
  MIN_OUTPUT_TOKENS,
  NOTHING_SPENT,
  planReservation as plan,
  type ReservationRequest,
  reachedWarnings,
  roleShares,
  tightest,
  weekOf,
} from "../../src/core/budget.ts";
import { FREE, type Price } from "../../src/core/money.ts";

const price: Price = { input: 3e9, cacheRead: 3e8, cacheWrite: 3.75e9, output: 15e9, tiers: [] };
const plenty = { nanos: 2e9, tokens: null };
/** With nothing in flight that could leave more. */
const planReservation = (request: Omit<ReservationRequest, "mayGrow">) => plan({ ...request, mayGrow: false });

describe("a reservation", () => {
  test("holds the dearest input rate and the whole answer", () => {
    expect(planReservation({ price, inputTokensBound: 1000, wantedOutputTokens: 1000, headroom: plenty })).toEqual({
      type: "fits",
      maxTokens: 1000,
      shrunk: false,
      heldNanos: 3_750_000 + 15_000_000,
      heldTokens: 2000,
    });
  });

  test("shrinks the answer to what is left, and says so", () => {
    const planned = planReservation({
      price,
      inputTokensBound: 0,
      wantedOutputTokens: 100_000,
      headroom: { nanos: 15_000_000, tokens: null },
    });
    expect(planned).toMatchObject({ type: "fits", maxTokens: 1000, shrunk: true, heldNanos: 15_000_000 });
  });

  test("waits rather than shrinks or gives up while calls in flight may leave more", () => {
    const request = { price, inputTokensBound: 0, wantedOutputTokens: 1000, mayGrow: true };
    expect(plan({ ...request, headroom: plenty }).type).toBe("fits");
    expect(plan({ ...request, headroom: { nanos: 14_999_999, tokens: null } })).toEqual({ type: "wait" });
    expect(plan({ ...request, headroom: { nanos: 0, tokens: null } })).toEqual({ type: "wait" });
    expect(plan({ ...request, price: null, headroom: { nanos: 1, tokens: null } })).toEqual({ type: "unpriced" });
  });

  test("does not go below the floor: then there is no call", () => {
    const headroom = { nanos: 15_000 * (MIN_OUTPUT_TOKENS - 1), tokens: null };
    expect(planReservation({ price, inputTokensBound: 0, wantedOutputTokens: 100_000, headroom })).toEqual({
      type: "does-not-fit",
      unit: "money",
      needed: 15_000 * MIN_OUTPUT_TOKENS,
      left: headroom.nanos,
    });
  });

  test("a short answer that was wanted may be below the floor", () => {
    expect(planReservation({ price, inputTokensBound: 1, wantedOutputTokens: 16, headroom: plenty }).type).toBe("fits");
  });

  test("counts tokens where the budget is in tokens", () => {
    expect(
      planReservation({
        price: null,
        inputTokensBound: 900,
        wantedOutputTokens: 5000,
        headroom: { nanos: null, tokens: 1000 },
      }),
    ).toEqual({
      type: "does-not-fit",
      unit: "tokens",
      needed: 900 + MIN_OUTPUT_TOKENS,
      left: 1000,
    });
  });

  test("an unknown price is refused under a budget in dollars, not under one in tokens", () => {
    const request = { price: null, inputTokensBound: 10, wantedOutputTokens: 1000 };
    expect(planReservation({ ...request, headroom: { nanos: 1, tokens: null } }).type).toBe("unpriced");
    expect(planReservation({ ...request, headroom: { nanos: 1, tokens: 1e6 } }).type).toBe("fits");
    expect(planReservation({ ...request, headroom: { nanos: null, tokens: null } }).type).toBe("fits");
  });

  test("an unknown price under both ceilings: once the money is gone by what providers said, no call is made", () => {
    const request = { price: null, inputTokensBound: 10, wantedOutputTokens: 1000 };
    const planned = planReservation({ ...request, headroom: { nanos: 0, tokens: 1e6 } });
    expect(planned).toMatchObject({ type: "does-not-fit", unit: "money", left: 0 });
  });

  test("a free model needs no money", () => {
    expect(
      planReservation({
        price: FREE,
        inputTokensBound: 1e6,
        wantedOutputTokens: 4096,
        headroom: { nanos: 0, tokens: null },
      }),
    ).toMatchObject({
      type: "fits",
      heldNanos: 0,
    });
  });

  test("what is held always fits the headroom", () => {
    fc.assert(
      fc.property(
        fc.nat(200_000),
        fc.integer({ min: 1, max: 64_000 }),
        fc.option(fc.nat(3e9)),
        fc.option(fc.nat(400_000)),
        (input, wanted, nanos, tokens) => {
          const planned = planReservation({
            price,
            inputTokensBound: input,
            wantedOutputTokens: wanted,
            headroom: { nanos, tokens },
          });
          if (planned.type !== "fits") return;
          if (nanos !== null) expect(planned.heldNanos).toBeLessThanOrEqual(nanos);
          if (tokens !== null) expect(planned.heldTokens).toBeLessThanOrEqual(tokens);
          expect(planned.maxTokens).toBeLessThanOrEqual(wanted);
        },
      ),
    );
  });
});

test("headroom is what held and settled leave, and never negative", () => {
  const spend = { settledNanos: 70, heldNanos: 50, settledTokens: 5, heldTokens: 0 };
  expect(headroomOf({ maxCostNanos: 100, maxTokens: 10 }, spend)).toEqual({ nanos: 0, tokens: 5 });
  expect(headroomOf({}, spend)).toEqual({ nanos: null, tokens: null });
  expect(tightest({ nanos: 5, tokens: null }, { nanos: 3, tokens: 9 })).toEqual({ nanos: 3, tokens: 9 });
});

test("planner and reviewer get a quarter each, the doer the rest", () => {
  const shares = roleShares({ maxCostNanos: 2e9, maxTokens: 1000 }, ["planner", "doer", "reviewer"]);
  expect(shares).toEqual({
    planner: { maxCostNanos: 5e8, maxTokens: 250 },
    doer: { maxCostNanos: 1e9, maxTokens: 500 },
    reviewer: { maxCostNanos: 5e8, maxTokens: 250 },
  });
  expect(roleShares({ maxCostNanos: 2e9 }, ["doer"]).doer).toEqual({ maxCostNanos: 2e9 });
});

test.each([
  [0, []],
  [74, []],
  [75, [75]],
  [90, [75, 90]],
  [100, [75, 90, 100]],
  [130, [75, 90, 100]],
])("%s %% of a ceiling gives the warnings %s", (percent, warnings) => {
  expect(reachedWarnings({ maxCostNanos: 1000 }, { ...NOTHING_SPENT, heldNanos: percent * 10 })).toEqual(warnings);
  expect(reachedWarnings({ maxTokens: 1000 }, { ...NOTHING_SPENT, settledTokens: percent * 10 })).toEqual(warnings);
  expect(reachedWarnings({}, { ...NOTHING_SPENT, settledTokens: percent * 10 })).toEqual([]);
});

test("a week begins on Monday, over the ends of months and years as well", () => {
  expect(weekOf("2026-11-20")).toBe("2026-11-16");
  expect(weekOf("2026-11-16")).toBe("2026-11-16");
  expect(weekOf("2026-11-22")).toBe("2026-11-16");
  expect(weekOf("2027-01-01")).toBe("2026-12-28");
  expect(weekOf("2024-03-01")).toBe("2024-02-26");
});
