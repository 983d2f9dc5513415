import type { Usage } from "./usage.ts";

/** Money is counted in whole nano-dollars: 1 USD = 1e9. Safe in a double up to 9 million dollars. */
export const NANOS_PER_USD = 1_000_000_000;

/** One price list: whole nano-dollars per million tokens ($3 per million is 3e9). */
export interface Rates {
  readonly input: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
  /** Of what is written to the cache for an hour; missing: as `cacheWrite`. */
  readonly cacheWriteHour?: number;
  readonly output: number;
}

/** The price of a model. A tier applies to the whole call once its total input exceeds `aboveTokens`. */
export interface Price extends Rates {
  readonly tiers: readonly (Rates & { readonly aboveTokens: number })[];
}

/** A model that costs nothing: local, scripted, or declared free by the user. */
export const FREE: Price = { input: 0, cacheRead: 0, cacheWrite: 0, output: 0, tiers: [] };

/** Anthropic bills a cache write at so many times its input price (its price page, five-minute cache). */
export const ANTHROPIC_CACHE_WRITE_FACTOR = 1.25;
/** And at so many times where it is kept for an hour, which ccp never asks for: a gateway may. */
export const ANTHROPIC_CACHE_WRITE_HOUR_FACTOR = 2;

/** What a call cost at list price, in nano-dollars, rounded up. */
export function costOf(price: Price, usage: Usage): number {
  const rates = ratesFor(price, usage.freshInput + usage.cacheRead + usage.cacheWrite);
  const hour = usage.cacheWriteHour ?? 0;
  return perMillion(
    usage.freshInput * rates.input +
      usage.cacheRead * rates.cacheRead +
      (usage.cacheWrite - hour) * rates.cacheWrite +
      hour * (rates.cacheWriteHour ?? rates.cacheWrite) +
      usage.output * rates.output,
  );
}

/** The most a call can cost: every input token at its dearest applicable rate, and all of `maxOutputTokens`. */
export function worstCost(price: Price, inputTokensBound: number, maxOutputTokens: number): number {
  const lists = [price, ...price.tiers.filter((tier) => inputTokensBound > tier.aboveTokens)];
  return Math.max(
    ...lists.map((rates) => perMillion(inputTokensBound * dearestInput(rates) + maxOutputTokens * rates.output)),
  );
}

/** The most output tokens that fit beside `inputTokensBound` into `headroomNanos`; negative if not even the input fits. */
export function affordableOutput(price: Price, inputTokensBound: number, headroomNanos: number): number {
  const lists = [price, ...price.tiers.filter((tier) => inputTokensBound > tier.aboveTokens)];
  const estimate = Math.min(
    ...lists.map((rates) => {
      const left = headroomNanos - perMillion(inputTokensBound * dearestInput(rates));
      if (left < 0) return -1;
      return rates.output === 0 ? Number.MAX_SAFE_INTEGER : Math.floor((left / rates.output) * 1_000_000);
    }),
  );
  // A double rounds: what is said to fit must fit.
  return estimate > 0 && worstCost(price, inputTokensBound, estimate) > headroomNanos ? estimate - 1 : estimate;
}

/** `"2"`, `"$0.50"` → nano-dollars; null when it is not an amount of at least zero. */
export function parseUsd(text: string): number | null {
  const match = /^\$?(\d+(?:\.\d+)?|\.\d+)$/.exec(text.trim());
  return match ? usdToNanos(Number(match[1])) : null;
}

/** Rounded to the nearest nano-dollar. */
export function usdToNanos(usd: number): number {
  return Math.round(usd * NANOS_PER_USD);
}

/** `$1.97`; amounts under a cent keep four decimals so that a cheap call never reads as free. */
export function formatUsd(nanos: number): string {
  const usd = nanos / NANOS_PER_USD;
  if (nanos === 0) return "$0.00";
  if (usd < 0.0001) return "<$0.0001";
  return `$${usd.toFixed(usd < 0.01 ? 4 : 2)}`;
}

function ratesFor(price: Price, totalInput: number): Rates {
  return price.tiers.reduce<Rates & { aboveTokens: number }>(
    (best, tier) => (totalInput > tier.aboveTokens && tier.aboveTokens >= best.aboveTokens ? tier : best),
    { ...price, aboveTokens: -1 },
  );
}

function dearestInput(rates: Rates): number {
  return Math.max(rates.input, rates.cacheRead, rates.cacheWrite);
}

function perMillion(amount: number): number {
  return Math.ceil(amount / 1_000_000);
}
