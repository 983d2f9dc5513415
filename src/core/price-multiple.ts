import type { Price } from "./money.ts";

/** Agents read far more than they write: three tokens of fresh input to one of output. */
const INPUT_SHARE = 3;

/** One figure for a price, in nano-dollars per million tokens, three of input to one of output, at a short prompt's rates. */
export function blendedPrice({ input, output }: Price): number {
  return (INPUT_SHARE * input + output) / (INPUT_SHARE + 1);
}

/** How many times as dear as the cheapest that is paid for each price is. Null: it is unknown, or nothing is paid. */
export function priceMultiples(prices: readonly (Price | null)[]): readonly (number | null)[] {
  const blended = prices.map((price) => (price === null ? 0 : blendedPrice(price)));
  const cheapest = Math.min(...blended.filter((each) => each > 0));
  return blended.map((each) => (each > 0 ? each / cheapest : null));
}
