import type { Allowance, AllowanceUnit } from "./allowance.ts";
import type { Limits } from "./lane.ts";
import type { Owner } from "./store.ts";
import { plural } from "./words.ts";

/** What has passed through one credential of a lane of late, and what its provider has said of the rest. Plain data. */
export interface Traffic {
  /** Under way, as far as anybody knows. */
  readonly calls: readonly SentCall[];
  /** What was sent in the last minute, by second. */
  readonly sent: readonly Sent[];
  readonly said: readonly Said[];
}

/** A call that was sent and has not come back. */
export interface SentCall {
  readonly callId: string;
  readonly model: string;
  readonly owner: Owner;
  readonly sentAt: number;
  /** The most that it can take; what it has taken is known in the end. */
  readonly tokens: number;
}

/** What was sent in one second. */
interface Sent {
  readonly at: number;
  readonly requests: number;
  readonly tokens: number;
}

/** The same once it is kept: providers count by model. What is sent since is taken off. */
export interface Said extends Omit<Allowance, "resetMs"> {
  readonly model: string;
  readonly untilAt: number;
}

/** What a call may take at most. */
export interface Need {
  readonly model: string;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** Whether there is room for a call. `untilAt` null: when one of those under way comes back. */
export type Room =
  | { readonly type: "room" }
  | { readonly type: "full"; readonly untilAt: number | null; readonly reason: string };

/** Nothing has passed. */
export const NO_TRAFFIC: Traffic = { calls: [], sent: [], said: [] };

const MINUTE_MS = 60_000;
const SECOND_MS = 1_000;
/** A call whose process cannot be looked for (on another machine, or hung for good) gives its place back after this. */
const LONGEST_CALL_MS = 3_600_000;
/** Longer than any provider's window: what a server says beyond it is not believed. */
const LONGEST_RESET_MS = 86_400_000;

/** Whether a call fits what is set and what was said. One that is larger than a whole limit goes when nothing else does. */
export function roomFor(traffic: Traffic, need: Need, limits: Limits, now: number): Room {
  const full = [
    withinConcurrency(traffic, limits),
    ...withinMinute(traffic, need, limits),
    ...withinSaid(traffic, need),
  ];
  const tight = full.filter((one) => one !== null && (one.untilAt === null || one.untilAt > now)) as readonly Full[];
  const [first, ...others] = tight;
  if (!first) return { type: "room" };
  return others.reduce((latest, one) => ((one.untilAt ?? 0) > (latest.untilAt ?? 0) ? one : latest), first);
}

type Full = Extract<Room, { type: "full" }>;

/** A call goes. */
export function withCall(traffic: Traffic, call: SentCall, need: Need): Traffic {
  const at = Math.floor(call.sentAt / SECOND_MS) * SECOND_MS;
  return {
    calls: [...traffic.calls, call],
    sent: booked(traffic.sent, at, { requests: 1, tokens: call.tokens }),
    said: traffic.said.map((one) =>
      one.model === need.model ? { ...one, remaining: Math.max(0, one.remaining - needOf(need, one.unit)) } : one,
    ),
  };
}

/** A call has come back. `tokens`: what it took; null: nobody knows, so all that it could. */
export function withoutCall(traffic: Traffic, callId: string, tokens: number | null): Traffic {
  const call = traffic.calls.find((one) => one.callId === callId);
  if (!call) return traffic;
  const at = Math.floor(call.sentAt / SECOND_MS) * SECOND_MS;
  const isKept = tokens !== null && traffic.sent.some((one) => one.at === at);
  return {
    ...traffic,
    calls: traffic.calls.filter((one) => one !== call),
    sent: isKept ? booked(traffic.sent, at, { requests: 0, tokens: tokens - call.tokens }) : traffic.sent,
  };
}

/** What the provider said with an answer of this model, in place of what it said before. */
export function withSaid(traffic: Traffic, model: string, allowances: readonly Allowance[], now: number): Traffic {
  if (allowances.length === 0) return traffic;
  const units = allowances.map(({ unit }) => unit);
  const kept = traffic.said.filter((one) => one.model !== model || !units.includes(one.unit));
  const said = allowances.map(({ resetMs, ...allowance }) => {
    return { ...allowance, model, untilAt: now + Math.min(LONGEST_RESET_MS, Math.max(0, resetMs)) };
  });
  return { ...traffic, said: [...kept, ...said] };
}

/** Without what is over, and without calls of processes that are gone. */
export function sweptTraffic(traffic: Traffic, now: number, isAlive: (owner: Owner) => boolean): Traffic {
  return {
    calls: traffic.calls.filter(({ owner, sentAt }) => sentAt > now - LONGEST_CALL_MS && isAlive(owner)),
    sent: traffic.sent.filter(({ at }) => at + SECOND_MS > now - MINUTE_MS),
    said: traffic.said.filter(({ untilAt }) => untilAt > now),
  };
}

/** The same by a clock that was put back by so much. */
export function trafficBack({ calls, sent, said }: Traffic, backMs: number): Traffic {
  return {
    calls: calls.map((call) => ({ ...call, sentAt: call.sentAt - backMs })),
    sent: sent.map((one) => ({ ...one, at: one.at - backMs })),
    said: said.map((one) => ({ ...one, untilAt: one.untilAt - backMs })),
  };
}

/** Requests and tokens of the last minute; of calls under way the most that they can take. */
export function lastMinute({ sent }: Traffic): { readonly requests: number; readonly tokens: number } {
  return sent.reduce((sum, one) => ({ requests: sum.requests + one.requests, tokens: sum.tokens + one.tokens }), {
    requests: 0,
    tokens: 0,
  });
}

function withinConcurrency({ calls }: Traffic, { concurrency }: Limits): Full | null {
  if (concurrency === undefined || calls.length < concurrency) return null;
  return { type: "full", untilAt: null, reason: `${plural(calls.length, "call")} at once is its limit` };
}

function withinMinute(
  { sent }: Traffic,
  need: Need,
  { requestsPerMinute, tokensPerMinute }: Limits,
): readonly (Full | null)[] {
  return [
    fullUntil(sent, "requests", 1, requestsPerMinute),
    fullUntil(sent, "tokens", need.inputTokens + need.outputTokens, tokensPerMinute),
  ];
}

/** Until so much of what was sent is a minute old that the rest leaves room. */
function fullUntil(
  sent: readonly Sent[],
  unit: "requests" | "tokens",
  need: number,
  limit: number | undefined,
): Full | null {
  if (limit === undefined) return null;
  let over = sent.reduce((sum, one) => sum + one[unit], Math.min(need, limit)) - limit;
  if (over <= 0) return null;
  const last = sent
    .toSorted((a, b) => a.at - b.at)
    .find((one) => {
      over -= one[unit];
      return over <= 0;
    });
  const untilAt = (last?.at ?? 0) + SECOND_MS + MINUTE_MS;
  return { type: "full", untilAt, reason: `${limit} ${unit} a minute is its limit` };
}

function withinSaid({ said }: Traffic, need: Need): readonly (Full | null)[] {
  return said
    .filter(({ model }) => model === need.model)
    .map(({ unit, remaining, limit, untilAt }) => {
      const wanted = Math.min(needOf(need, unit), limit ?? Number.POSITIVE_INFINITY);
      if (remaining > 0 && remaining >= wanted) return null;
      return { type: "full", untilAt, reason: `it says that ${remaining} ${unit.replace("_", " ")} are left` };
    });
}

function needOf({ inputTokens, outputTokens }: Need, unit: AllowanceUnit): number {
  switch (unit) {
    case "requests":
      return 1;
    case "tokens":
      return inputTokens + outputTokens;
    case "input_tokens":
      return inputTokens;
    case "output_tokens":
      return outputTokens;
  }
}

function booked(
  sent: readonly Sent[],
  at: number,
  { requests, tokens }: { readonly requests: number; readonly tokens: number },
): readonly Sent[] {
  const before = sent.find((one) => one.at === at) ?? { at, requests: 0, tokens: 0 };
  const after = { at, requests: before.requests + requests, tokens: before.tokens + tokens };
  return [...sent.filter((one) => one.at !== at), after];
}
