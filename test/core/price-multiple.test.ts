import fc from "fast-check";
import { expect, test } from "vitest";
import { FREE, type Price } from "../../src/core/money.ts";
import { blendedPrice, priceMultiples } from "../../src/core/price-multiple.ts";

const priced = (input: number, output: number): Price => ({ ...FREE, input, output });

test("three tokens of input count to one of output", () => {
  expect(blendedPrice(priced(2e9, 10e9))).toBe(4e9);
});

test("each price is held against the cheapest that is paid for; free and unknown ones against none", () => {
  const prices = [priced(2e9, 10e9), null, FREE, priced(1e9, 5e9), priced(5e9, 25e9)];
  expect(priceMultiples(prices)).toEqual([2, null, null, 1, 5]);
  expect(priceMultiples([])).toEqual([]);
  expect(priceMultiples([null, FREE])).toEqual([null, null]);
});

test("law: no multiple is below one, one is exactly one where anything is paid, and what is unknown has none", () => {
  const nanos = fc.integer({ min: 0, max: 1e14 });
  const price = fc.option(fc.tuple(nanos, nanos).map(([input, output]) => priced(input, output)));
  fc.assert(
    fc.property(fc.array(price), (prices) => {
      const multiples = priceMultiples(prices);
      const paid = prices.map((one) => one !== null && one.input + one.output > 0);
      expect(multiples.map((multiple) => multiple !== null)).toEqual(paid);
      const known = multiples.filter((multiple) => multiple !== null);
      if (known.length > 0) expect(Math.min(...known)).toBe(1);
    }),
  );
});
