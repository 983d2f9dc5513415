import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { affordableOutput, costOf, FREE, formatUsd, type Price, parseUsd, worstCost } from "../../src/core/money.ts";
import type { Usage } from "../../src/core/usage.ts";

const sonnet: Price = { input: 3e9, cacheRead: 3e8, cacheWrite: 3.75e9, output: 15e9, tiers: [] };
const tiered: Price = {
  ...sonnet,
  tiers: [{ aboveTokens: 200_000, input: 6e9, cacheRead: 6e8, cacheWrite: 7.5e9, output: 22.5e9 }],
};
const usage = (freshInput: number, output: number, cacheRead = 0, cacheWrite = 0): Usage => ({
  freshInput,
  cacheRead,
  cacheWrite,
  output,
  reasoning: 0,
  source: "provider",
});

describe("costs", () => {
  test.each([
    { price: sonnet, used: usage(1_000_000, 0), nanos: 3_000_000_000 },
    { price: sonnet, used: usage(1000, 100), nanos: 3_000_000 + 1_500_000 },
    { price: sonnet, used: usage(0, 0, 1000, 1000), nanos: 300_000 + 3_750_000 },
    { price: sonnet, used: usage(0, 0), nanos: 0 },
    { price: tiered, used: usage(200_000, 1), nanos: 600_015_000 },
    { price: tiered, used: usage(200_001, 1), nanos: 1_200_006_000 + 22_500 },
    { price: FREE, used: usage(1e6, 1e6), nanos: 0 },
  ])("$used costs $nanos nano-dollars", ({ price, used, nanos }) => {
    expect(costOf(price, used)).toBe(nanos);
  });

  test("a fraction of a nano-dollar is rounded up, never away", () => {
    expect(costOf({ input: 1, cacheRead: 1, cacheWrite: 1, output: 1, tiers: [] }, usage(1, 0))).toBe(1);
  });

  test("what a call costs never exceeds its worst case", () => {
    fc.assert(
      fc.property(priceArb, fc.nat(500_000), fc.nat(100_000), fc.nat(3), (price, input, output, split) => {
        const cacheRead = split === 1 ? input : 0;
        const cacheWrite = split === 2 ? input : 0;
        const used = usage(input - cacheRead - cacheWrite, output, cacheRead, cacheWrite);
        expect(costOf(price, used)).toBeLessThanOrEqual(worstCost(price, input, output));
      }),
    );
  });

  test("the output that is affordable fits, and one token more does not", () => {
    fc.assert(
      fc.property(priceArb, fc.nat(300_000), fc.nat(1_000_000_000_000), (price, input, headroom) => {
        const output = affordableOutput(price, input, headroom);
        if (output >= 0) expect(worstCost(price, input, output)).toBeLessThanOrEqual(headroom);
        if (output < Number.MAX_SAFE_INTEGER) expect(worstCost(price, input, output + 1)).toBeGreaterThan(headroom - 1);
      }),
    );
  });
});

const rates = {
  input: fc.nat(2e10),
  cacheRead: fc.nat(2e10),
  cacheWrite: fc.nat(2e10),
  output: fc.integer({ min: 1_000_000, max: 1e11 }),
};
const priceArb: fc.Arbitrary<Price> = fc.record({
  ...rates,
  tiers: fc.array(fc.record({ ...rates, aboveTokens: fc.nat(400_000) }), { maxLength: 2 }),
});

test.each([
  ["2", 2e9],
  ["$0.50", 5e8],
  [".25", 25e7],
  ["0", 0],
  ["", null],
  ["-1", null],
  ["1e3", null],
  ["2 dollars", null],
  ["NaN", null],
])("%s is read as %s nano-dollars", (text, nanos) => {
  expect(parseUsd(text)).toBe(nanos);
});

test.each([
  [0, "$0.00"],
  [1, "<$0.0001"],
  [1_234_567, "$0.0012"],
  [360_000_000, "$0.36"],
  [2_000_000_000, "$2.00"],
])("%s nano-dollars read as %s", (nanos, text) => {
  expect(formatUsd(nanos)).toBe(text);
});
