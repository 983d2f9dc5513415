import type { ModelPrice, TieredPrices } from "@pydantic/genai-prices";
import {
  ANTHROPIC_CACHE_WRITE_FACTOR,
  ANTHROPIC_CACHE_WRITE_HOUR_FACTOR,
  type Price,
  type Rates,
  usdToNanos,
} from "../core/money.ts";

/** A price of the catalogue in our own words. Null where a fee cannot be told in tokens, or a rate is missing. */
export function toPrice(list: ModelPrice, model: string): Price | null {
  if (list.requests_kcount !== undefined) return null;
  const base = ratesAt(list, model, 0);
  if (base === null) return null;
  const tiers = tierStarts(list).flatMap((start) => {
    const rates = ratesAt(list, model, start + 1);
    return rates === null ? [] : [{ ...rates, aboveTokens: start }];
  });
  return { ...base, tiers };
}

/** Rate by rate the higher of two lists, at every size of prompt. */
export function dearest(a: Price, b: Price): Price {
  const starts = [...new Set([...a.tiers, ...b.tiers].map((tier) => tier.aboveTokens))].sort((x, y) => x - y);
  const tiers = starts.map((start) => ({ ...higher(priceAt(a, start), priceAt(b, start)), aboveTokens: start }));
  return { ...higher(a, b), tiers };
}

/** Missing cache rates are taken at the dearest that is sensible: reading like fresh input, writing a quarter more for Claude. */
function ratesAt(list: ModelPrice, model: string, inputTokens: number): Rates | null {
  const usd = (key: string) => rateAt(list[key], inputTokens);
  const input = usd("input_mtok");
  const output = usd("output_mtok");
  if (input === null || output === null) return isFreeOffer(list, model) ? NOTHING : null;
  return {
    input: usdToNanos(input),
    cacheRead: usdToNanos(usd("cache_read_mtok") ?? input),
    cacheWrite: usdToNanos(
      usd("cache_write_mtok") ?? (model.includes("claude") ? input * ANTHROPIC_CACHE_WRITE_FACTOR : input),
    ),
    ...hourRate(usd("cache_write_1h_mtok"), model, input),
    output: usdToNanos(Math.max(output, usd("output_reasoning_mtok") ?? 0)),
  };
}

function hourRate(listed: number | null, model: string, input: number): Pick<Rates, "cacheWriteHour"> {
  const usd = listed ?? (model.includes("claude") ? input * ANTHROPIC_CACHE_WRITE_HOUR_FACTOR : null);
  return usd === null ? {} : { cacheWriteHour: usdToNanos(usd) };
}

const NOTHING: Rates = { input: 0, cacheRead: 0, cacheWrite: 0, output: 0 };

/** OpenRouter's `…:free` models have an empty list; any other empty list is only a gap. */
function isFreeOffer(list: ModelPrice, model: string): boolean {
  return Object.keys(list).length === 0 && model.endsWith(":free");
}

function tierStarts(list: ModelPrice): readonly number[] {
  const tiers = Object.values(list).flatMap((rate) => (typeof rate === "object" ? rate.tiers : []));
  return [...new Set(tiers.map((tier) => tier.start))].sort((a, b) => a - b);
}

function rateAt(rate: number | TieredPrices | undefined, inputTokens: number): number | null {
  if (rate === undefined || typeof rate === "number") return rate ?? null;
  const reached = rate.tiers.filter((tier) => inputTokens > tier.start).sort((a, b) => a.start - b.start);
  return reached.at(-1)?.price ?? rate.base;
}

function priceAt(price: Price, start: number): Rates {
  return price.tiers.filter((tier) => tier.aboveTokens <= start).at(-1) ?? price;
}

function higher(a: Rates, b: Rates): Rates {
  const hour = Math.max(a.cacheWriteHour ?? 0, b.cacheWriteHour ?? 0);
  return {
    input: Math.max(a.input, b.input),
    cacheRead: Math.max(a.cacheRead, b.cacheRead),
    cacheWrite: Math.max(a.cacheWrite, b.cacheWrite),
    ...(hour > 0 ? { cacheWriteHour: hour } : {}),
    output: Math.max(a.output, b.output),
  };
}
