import { type CacheMiss, type CacheUse, missedTokens, missOf } from "./cache-misses.ts";
import type { Price } from "./money.ts";
import type { CallRecord } from "./store.ts";
import { addUsage, NO_USAGE, type Usage } from "./usage.ts";

/** By what calls may be put together. A lane is the provider of a model's name. */
export const USAGE_GROUPS = ["run", "step", "role", "model", "lane", "day"] as const;
/** One of `USAGE_GROUPS`. */
export type UsageGroup = (typeof USAGE_GROUPS)[number];

/** The middle and the slow or dear end of a measure: of a hundred, the fiftieth and the ninety-fifth. Null: no call to measure. */
export interface Spread {
  readonly p50: number | null;
  readonly p95: number | null;
}

/** What a group of calls has used. Nano-dollars and tokens, as the ledger has them. */
export interface UsageLine {
  readonly name: string;
  readonly calls: number;
  /** Sent, outcome unknown, charged at what was held. */
  readonly lost: number;
  /** Gave no answer. */
  readonly failed: number;
  /** Asked a question that had been asked before; of them, `fallbacks` another model than the time before. */
  readonly retries: number;
  readonly fallbacks: number;
  readonly usage: Usage;
  /** Settled, and lost calls at what was held for them. */
  readonly costNanos: number;
  readonly heldNanos: number;
  /** Of the cost, what lost and failed calls and tries of a step that another followed have taken. */
  readonly wastedNanos: number;
  /** What providers charged beyond the price list; negative: less. Where no price is known it counts nothing. */
  readonly driftNanos: number;
  /** Input that a provider's cache could have had and that was paid in full: tokens, and what that cost more. */
  readonly missed: CacheMiss;
  /** Of answered calls. */
  readonly costSpread: Spread;
  readonly latencySpreadMs: Spread;
}

/** What calls have used, in all and by group; the dearest group first, days in their order. */
export interface UsageReport {
  readonly total: UsageLine;
  readonly by: UsageGroup;
  readonly lines: readonly UsageLine[];
}

/** What a report is made with beside its calls. */
export interface UsageKnown {
  /** The user's calendar day at an instant. */
  readonly dayOf: (at: number) => string;
  /** What a call was priced by; null: nobody knows. */
  readonly priceOf: (call: CallRecord) => Price | null;
}

/** Puts calls together. */
export function usageReport(calls: readonly CallRecord[], by: UsageGroup, { dayOf, priceOf }: UsageKnown): UsageReport {
  const facts = attemptsOf(calls, priceOf);
  const groups = Map.groupBy(facts, ({ call }) => nameOf(call, by, dayOf));
  const lines = [...groups].map(([name, members]) => lineOf(name, members));
  const sorted = lines.toSorted((a, b) => (by === "day" ? compare(a.name, b.name) : b.costNanos - a.costNanos));
  return { total: lineOf("total", facts), by, lines: sorted };
}

/** What a spend comes to by the end of its window if it goes on as it did. `elapsed`: the part of the window that is over, above 0. */
export function projected(spentNanos: number, elapsed: number): number {
  return Math.round(spentNanos / Math.min(1, elapsed));
}

/** A call, and what came before it. */
interface Attempt {
  readonly call: CallRecord;
  readonly isRetry: boolean;
  readonly isFallback: boolean;
  /** Another try of its step came after the one that it belongs to. */
  readonly isSuperseded: boolean;
  /** Null: nothing of it was in the reach of a cache and read past it. */
  readonly miss: CacheMiss | null;
}

function attemptsOf(calls: readonly CallRecord[], priceOf: UsageKnown["priceOf"]): readonly Attempt[] {
  const missed = missedTokens(calls.flatMap(cacheUse));
  const latest = new Map<string, number>();
  for (const { rid, stepId, conversation } of calls) {
    const step = `${rid} ${stepId}`;
    latest.set(step, Math.max(latest.get(step) ?? 0, conversation));
  }
  const asked = new Map<string, CallRecord>();
  return calls.map((call) => {
    const step = `${call.rid} ${call.stepId}`;
    const question = `${step} ${call.conversation} ${call.turn}`;
    const before = asked.get(question);
    asked.set(question, call);
    // Questions beside the talk have no turn of their own: each is another one, unless the one before it came to nothing.
    const isSame = call.turn > 0 || (before !== undefined && (before.state === "lost" || before.failure !== null));
    const isRetry = before !== undefined && isSame;
    return {
      call,
      isRetry,
      isFallback: isRetry && before?.model !== call.model,
      isSuperseded: call.conversation < (latest.get(step) ?? 0),
      miss: missed.has(call.callId) ? missOf(missed.get(call.callId) ?? 0, priceOf(call)) : null,
    };
  });
}

function cacheUse({ callId, rid, stepId, conversation, model, turn, usage, failure }: CallRecord): readonly CacheUse[] {
  return usage && failure === null
    ? [{ callId, conversation: `${rid} ${stepId} ${conversation}`, model, turn, usage }]
    : [];
}

function nameOf(call: CallRecord, by: UsageGroup, dayOf: (at: number) => string): string {
  switch (by) {
    case "run":
      return call.rid;
    case "step":
      return call.stepId;
    case "role":
      return call.role;
    case "model":
      return call.model;
    case "lane":
      return call.model.split("/", 1)[0] ?? "";
    case "day":
      return dayOf(call.reservedAt);
  }
}

function lineOf(name: string, attempts: readonly Attempt[]): UsageLine {
  const calls = attempts.map(({ call }) => call);
  const answered = calls.filter((call) => call.state === "settled" && call.failure === null);
  const isWaste = ({ call, isSuperseded }: Attempt) => isSuperseded || call.state === "lost" || call.failure !== null;
  return {
    name,
    calls: calls.length,
    lost: calls.filter(({ state }) => state === "lost").length,
    failed: calls.filter(({ failure }) => failure !== null).length,
    retries: attempts.filter(({ isRetry }) => isRetry).length,
    fallbacks: attempts.filter(({ isFallback }) => isFallback).length,
    usage: calls.reduce((sum, { usage }) => (usage ? addUsage(sum, usage) : sum), NO_USAGE),
    costNanos: sum(calls, ({ costNanos }) => costNanos),
    heldNanos: sum(calls, ({ state, heldNanos }) => (state === "reserved" ? heldNanos : 0)),
    wastedNanos: sum(attempts.filter(isWaste), ({ call }) => call.costNanos),
    driftNanos: sum(calls, ({ costNanos, listedNanos }) => (listedNanos === null ? 0 : costNanos - listedNanos)),
    missed: {
      tokens: sum(attempts, ({ miss }) => miss?.tokens ?? 0),
      nanos: sum(attempts, ({ miss }) => miss?.nanos ?? 0),
    },
    costSpread: spreadOf(answered.map(({ costNanos }) => costNanos)),
    latencySpreadMs: spreadOf(answered.flatMap(({ durationMs }) => durationMs ?? [])),
  };
}

function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  return { p50: percentile(sorted, 0.5), p95: percentile(sorted, 0.95) };
}

/** The nearest rank: a value that was measured, never one in between. */
function percentile(sorted: readonly number[], part: number): number | null {
  return sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? null;
}

function sum<T>(values: readonly T[], of: (value: T) => number): number {
  return values.reduce((total, value) => total + of(value), 0);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : 1;
}
