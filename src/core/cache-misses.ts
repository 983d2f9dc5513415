import type { Price } from "./money.ts";
import { inputTokens, type Usage } from "./usage.ts";

/** A settled call, as far as the provider's cache is concerned. */
export interface CacheUse {
  readonly callId: string;
  /** Names the conversation that it is a turn of: what came before it there may be in the cache. */
  readonly conversation: string;
  readonly model: string;
  /** 0: no turn of its conversation. */
  readonly turn: number;
  readonly usage: Usage;
}

/** What a call has paid in full although the call before it had sent it already. */
export interface CacheMiss {
  readonly tokens: number;
  /** More than it would have cost from the cache, in nano-dollars. */
  readonly nanos: number;
}

/** No provider keeps less than this for a cache (Anthropic's largest models: 4,096 tokens). */
const LEAST_KEPT = 4_096;
/** Caches keep whole blocks, and end a little before the text does. */
const LEAST_MISSED = 1_024;

/**
 * Tokens that were in the cache's reach and were not read from it, by call. In its reach is what the call before it, of
 * the same conversation and model, had sent; where a call sends less than that, its conversation was made smaller and
 * what it sends is new. `calls`: in the order in which they were made.
 */
export function missedTokens(calls: readonly CacheUse[]): ReadonlyMap<string, number> {
  const before = new Map<string, Usage>();
  const missed = new Map<string, number>();
  for (const { callId, conversation, model, turn, usage } of calls) {
    if (turn === 0 || inputTokens(usage) === 0) continue;
    const key = `${conversation} ${model}`;
    const tokens = missedBetween(before.get(key), usage);
    if (tokens > 0) missed.set(callId, tokens);
    before.set(key, usage);
  }
  return missed;
}

/** What it cost that tokens were not read from the cache; null: this model's cache is no cheaper, or nobody knows. */
export function missOf(tokens: number, price: Price | null): CacheMiss | null {
  if (tokens === 0 || price === null || price.cacheRead >= price.input) return null;
  return { tokens, nanos: Math.round((tokens * (price.input - price.cacheRead)) / 1_000_000) };
}

function missedBetween(before: Usage | undefined, now: Usage): number {
  const sent = before ? inputTokens(before) : 0;
  if (sent < LEAST_KEPT || inputTokens(now) < sent) return 0;
  const missed = sent - now.cacheRead;
  return missed >= LEAST_MISSED ? missed : 0;
}
