import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { CallRecord } from "../../src/core/store.ts";
import { addUsage, NO_USAGE, type Usage } from "../../src/core/usage.ts";
import { projected, USAGE_GROUPS, type UsageLine, usageReport } from "../../src/core/usage-report.ts";

const used = (freshInput: number, output: number): Usage => ({ ...NO_USAGE, freshInput, output });

/** A call that was answered: 1,000 nano-dollars, as the price list says. */
const ANSWERED: CallRecord = {
  rid: "r-a",
  callId: "r-a.build.1",
  stepId: "build",
  role: "doer",
  conversation: 1,
  turn: 1,
  model: "one/m",
  state: "settled",
  reservedAt: 0,
  heldNanos: 5_000,
  heldTokens: 500,
  costNanos: 1_000,
  listedNanos: 1_000,
  usage: used(10, 2),
  durationMs: 100,
  failure: null,
  retryOf: null,
};
const FAILED = { failure: "server", costNanos: 0, listedNanos: 0, usage: NO_USAGE };
const LOST = { state: "lost", costNanos: 5_000, listedNanos: null, usage: null, durationMs: null } as const;
const OPEN = { state: "reserved", costNanos: 0, listedNanos: null, usage: null, durationMs: null } as const;

/** A day is a thousand of the clock. */
const dayOf = (at: number) => `day ${Math.floor(at / 1_000)}`;
const PRICE = { input: 3e9, cacheRead: 0.3e9, cacheWrite: 3.75e9, output: 15e9, tiers: [] };
const KNOWN = { dayOf, priceOf: () => PRICE };
const of = (...changes: readonly Partial<CallRecord>[]) => changes.map((change) => ({ ...ANSWERED, ...change }));
const totalOf = (...changes: readonly Partial<CallRecord>[]) => usageReport(of(...changes), "model", KNOWN).total;
const LONG_AGO: Partial<CallRecord> = { conversation: 1 };

describe("what calls have used", () => {
  test.each<[string, readonly Partial<CallRecord>[], Partial<UsageLine>]>([
    ["no call: nothing", [], { calls: 0, costNanos: 0, costSpread: { p50: null, p95: null } }],
    ["an answer: what it cost", [{}], { calls: 1, costNanos: 1_000, wastedNanos: 0, retries: 0, usage: used(10, 2) }],
    [
      "a call under way: held, and no cost yet",
      [OPEN],
      { calls: 1, costNanos: 0, heldNanos: 5_000, wastedNanos: 0, lost: 0, latencySpreadMs: { p50: null, p95: null } },
    ],
    [
      "a lost call: charged at what was held for it, and wasted",
      [LOST, { turn: 1 }],
      { lost: 1, failed: 0, retries: 1, fallbacks: 0, costNanos: 6_000, wastedNanos: 5_000, heldNanos: 0 },
    ],
    [
      "a failed call that cost nothing, and its retry",
      [FAILED, {}],
      { calls: 2, failed: 1, retries: 1, fallbacks: 0, costNanos: 1_000, wastedNanos: 0 },
    ],
    ["a failed call that was billed: wasted", [{ failure: "server" }, {}], { costNanos: 2_000, wastedNanos: 1_000 }],
    [
      "another model than the time before: a retry that is a fallback",
      [FAILED, FAILED, { model: "two/n" }],
      { retries: 2, fallbacks: 1 },
    ],
    ["there and back again: two fallbacks", [FAILED, { ...FAILED, model: "two/n" }, {}], { retries: 2, fallbacks: 2 }],
    ["the next question is no retry", [{}, { turn: 2 }], { retries: 0 }],
    ["the same question of another step is none", [{}, { stepId: "test" }], { retries: 0 }],
    ["nor that of another run", [{}, { rid: "r-b" }], { retries: 0 }],
    ["nor that of another try", [{}, { conversation: 2 }], { retries: 0 }],
    [
      "a try that another followed is wasted with all its answers",
      [LONG_AGO, { turn: 2 }, { conversation: 2, costNanos: 7 }],
      { costNanos: 2_007, wastedNanos: 2_000 },
    ],
    [
      "another run's or step's second try says nothing of this one's first",
      [{}, { rid: "r-b", conversation: 2 }, { stepId: "test", conversation: 2 }],
      { wastedNanos: 0 },
    ],
    [
      "a lost call in a try that another followed is wasted once",
      [LOST, { conversation: 2 }],
      { costNanos: 6_000, wastedNanos: 5_000 },
    ],
    [
      "drift is what providers charged beyond the list, less what they charged under it",
      [
        { costNanos: 1_500, listedNanos: 1_000 },
        { costNanos: 900, listedNanos: 1_000, turn: 2 },
      ],
      { costNanos: 2_400, driftNanos: 400 },
    ],
    ["no price is no drift, and nor is a lost call", [{ listedNanos: null }, LOST], { driftNanos: 0 }],
  ])("%s", (_, calls, expected) => {
    expect(totalOf(...calls)).toMatchObject(expected);
  });

  test("the middle and the dear end are values that were measured, of answered calls alone", () => {
    const hundred = Array.from({ length: 100 }, (_, n) => ({ turn: n, costNanos: 100 - n, durationMs: n + 1 }));
    const { costSpread, latencySpreadMs } = totalOf(...hundred, { ...FAILED, turn: 200, durationMs: 9_999 }, LOST);
    expect({ costSpread, latencySpreadMs }).toEqual({
      costSpread: { p50: 50, p95: 95 },
      latencySpreadMs: { p50: 50, p95: 95 },
    });
    expect(totalOf({ costNanos: 7 }).costSpread).toEqual({ p50: 7, p95: 7 });
    expect(totalOf({ costNanos: 7 }, { costNanos: 9, turn: 2 }).costSpread).toEqual({ p50: 7, p95: 9 });
  });

  test("groups: the dearest first, days in their order", () => {
    const calls = of(
      { reservedAt: 2_500, model: "one/m", role: "doer" },
      { reservedAt: 1_500, model: "one/n", role: "reviewer", costNanos: 30, rid: "r-b", stepId: "look" },
      { reservedAt: 1_999, model: "two/m", role: "reviewer", costNanos: 5_000, turn: 2 },
    );
    const names = (by: (typeof USAGE_GROUPS)[number]) =>
      usageReport(calls, by, KNOWN).lines.map(({ name, costNanos }) => `${name}: ${costNanos}`);
    expect(names("run")).toEqual(["r-a: 6000", "r-b: 30"]);
    expect(names("step")).toEqual(["build: 6000", "look: 30"]);
    expect(names("role")).toEqual(["reviewer: 5030", "doer: 1000"]);
    expect(names("model")).toEqual(["two/m: 5000", "one/m: 1000", "one/n: 30"]);
    expect(names("lane")).toEqual(["two: 5000", "one: 1030"]);
    expect(names("day")).toEqual(["day 1: 5030", "day 2: 1000"]);
  });

  test.each([
    [1_000, 0.5, 2_000],
    [1_000, 1, 1_000],
    // A clock that went on while we looked at it.
    [1_000, 1.5, 1_000],
    [0, 0.01, 0],
    [1, 1 / 3, 3],
  ])("a spend of %s when %s of a window is over comes to %s", (spent, elapsed, expected) => {
    expect(projected(spent, elapsed)).toBe(expected);
  });
});

describe("by law", () => {
  const STATE = fc.constantFrom<Partial<CallRecord>>({}, FAILED, { failure: "server" }, LOST, OPEN);
  const PLACE = fc.record({
    rid: fc.constantFrom("r-a", "r-b"),
    stepId: fc.constantFrom("s", "t"),
    role: fc.constantFrom("doer", "reviewer"),
    conversation: fc.integer({ min: 1, max: 3 }),
    turn: fc.integer({ min: 1, max: 3 }),
    model: fc.constantFrom("one/m", "one/n", "two/m"),
    reservedAt: fc.nat(5_000),
  });
  const CALL = fc.tuple(PLACE, STATE, fc.nat(1_000), fc.nat(50)).map(([place, state, nanos, tokens]): CallRecord => {
    const call = { ...ANSWERED, ...place, ...state };
    if (call.state !== "settled") return call;
    return { ...call, costNanos: nanos, listedNanos: tokens, usage: used(tokens, nanos) };
  });
  const CALLS = fc.array(CALL, { maxLength: 40 });
  const FIGURES = [
    "calls",
    "lost",
    "failed",
    "retries",
    "fallbacks",
    "costNanos",
    "heldNanos",
    "wastedNanos",
    "driftNanos",
  ] as const;

  test("however calls are put together, the groups add up to the total, and the total to the calls", () => {
    fc.assert(
      fc.property(CALLS, (calls) => {
        const totals = USAGE_GROUPS.map((by) => {
          const { total, lines } = usageReport(calls, by, KNOWN);
          for (const figure of FIGURES)
            expect(
              lines.reduce((sum, line) => sum + line[figure], 0),
              `${by}: ${figure}`,
            ).toBe(total[figure]);
          expect(lines.reduce((sum, { usage }) => addUsage(sum, usage), NO_USAGE)).toEqual(total.usage);
          expect(lines.filter((line) => line.calls === 0)).toEqual([]);
          return total;
        });
        const [total] = totals;
        for (const other of totals) expect(other).toEqual(total);
        expect(total).toMatchObject({
          calls: calls.length,
          costNanos: calls.reduce((sum, { costNanos }) => sum + costNanos, 0),
          heldNanos: calls.reduce((sum, { state, heldNanos }) => sum + (state === "reserved" ? heldNanos : 0), 0),
        });
      }),
    );
  });

  test("what was wasted is a part of the cost, what was a fallback is a retry, and all tries but the last are waste", () => {
    fc.assert(
      fc.property(CALLS, (calls) => {
        for (const line of usageReport(calls, "step", KNOWN).lines) {
          expect(line.wastedNanos).toBeLessThanOrEqual(line.costNanos);
          expect(line.fallbacks).toBeLessThanOrEqual(line.retries);
          expect(line.retries).toBeLessThan(line.calls);
        }
        const isLast = (call: CallRecord) =>
          !calls.some(
            ({ rid, stepId, conversation }) =>
              rid === call.rid && stepId === call.stepId && conversation > call.conversation,
          );
        const useful = calls.filter((call) => isLast(call) && call.state === "settled" && call.failure === null);
        const { total } = usageReport(calls, "run", KNOWN);
        expect(total.costNanos - total.wastedNanos).toBe(useful.reduce((sum, { costNanos }) => sum + costNanos, 0));
      }),
    );
  });
});

describe("input that a provider's cache could have had", () => {
  const turns = (...usages: readonly (readonly [fresh: number, read: number])[]) =>
    of(
      ...usages.map(([freshInput, cacheRead], at) => ({
        callId: `c${at}`,
        turn: at + 1,
        usage: { ...NO_USAGE, freshInput, cacheRead },
      })),
    );
  const missedOf = (calls: readonly CallRecord[], price = PRICE) =>
    usageReport(calls, "model", { dayOf, priceOf: () => price }).total.missed;

  test("is what the call before had sent and this one did not read from the cache, and what that cost more", () => {
    expect(missedOf(turns([10_000, 0], [12_000, 0]))).toEqual({ tokens: 10_000, nanos: 10_000 * 2_700 });
    expect(missedOf(turns([10_000, 0], [4_000, 8_000]))).toEqual({ tokens: 2_000, nanos: 2_000 * 2_700 });
  });

  test("is nothing where it was read, where a conversation was made smaller, is new or small, or another model's", () => {
    expect(missedOf(turns([10_000, 0], [2_000, 9_900]))).toEqual({ tokens: 0, nanos: 0 });
    expect(missedOf(turns([10_000, 0], [6_000, 0]))).toEqual({ tokens: 0, nanos: 0 });
    expect(missedOf(turns([3_000, 0], [4_000, 0]))).toEqual({ tokens: 0, nanos: 0 });
    const [first, second] = turns([10_000, 0], [12_000, 0]) as [CallRecord, CallRecord];
    expect(missedOf([first, { ...second, conversation: 2 }])).toEqual({ tokens: 0, nanos: 0 });
    expect(missedOf([first, { ...second, model: "one/n" }])).toEqual({ tokens: 0, nanos: 0 });
    expect(missedOf([first, { ...second, turn: 0 }])).toEqual({ tokens: 0, nanos: 0 });
  });

  test("is nothing where a cache is no cheaper", () => {
    expect(missedOf(turns([10_000, 0], [12_000, 0]), { ...PRICE, cacheRead: PRICE.input })).toEqual({
      tokens: 0,
      nanos: 0,
    });
  });
});
