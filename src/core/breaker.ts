import type { FailureClass } from "./failure.ts";

/**
 * What is known of the health of something that is asked: closed (`rest` null), open until its rest is over, then
 * half-open. Plain data, so that processes can share it. All instants are of one clock, which may jump.
 */
export interface Breaker {
  /** When it was touched last. A clock that shows less has been put back. */
  readonly at: number;
  /** How calls of the last minute ended. */
  readonly samples: readonly Sample[];
  readonly failuresInARow: number;
  /** How often it has opened since its last success: each rest is twice as long as the one before. */
  readonly openings: number;
  /** Null: closed. */
  readonly rest: Rest | null;
  /** The one call that tries whether it is well again; null: none does. */
  readonly probe: { readonly callId: string; readonly untilAt: number } | null;
}

interface Sample {
  readonly at: number;
  readonly failed: boolean;
}

/** Why and for how long nothing is sent. `isGuess`: nobody has said how long, so a person may know better. */
export interface Rest {
  readonly fromAt: number;
  readonly untilAt: number;
  readonly why: FailureClass;
  readonly isGuess: boolean;
}

/** What a breaker says to a call. `probe`: one may try. */
export type Verdict =
  | { readonly type: "go" }
  | { readonly type: "probe" }
  /** `isProbed`: somebody tries just now, and may know sooner. */
  | { readonly type: "rest"; readonly untilAt: number; readonly isProbed: boolean };

/** What a call has shown. `nothing`: it was stopped by whoever made it. */
export type BreakerOutcome =
  | { readonly type: "success" }
  | { readonly type: "failure"; readonly why: FailureClass; readonly retryAfterMs: number | null }
  | { readonly type: "nothing" };

/** A call that has ended. `sentAt`: of the same clock as `at`. */
export interface EndedCall {
  readonly callId: string;
  readonly sentAt: number;
}

/** Nothing is known: all may pass. */
export const CLOSED: Breaker = { at: 0, samples: [], failuresInARow: 0, openings: 0, rest: null, probe: null };

const WINDOW_MS = 60_000;
const LEAST_SAMPLES = 5;
const FAILED_SHARE = 0.5;
const FAILURES_IN_A_ROW = 3;
/** More say nothing new. */
const MOST_SAMPLES = 100;

const FIRST_REST_MS = 5_000;
const LONGEST_BACKOFF_MS = 300_000;
/** For a quota or a key: they do not get better by themselves, but a person may see to them. */
const LONG_REST_MS = 1_800_000;
/** Whatever a provider asks for. */
const LONGEST_REST_MS = 86_400_000;
/** A probe whose process is gone, or that never ends, lets another one try after this. */
const LONGEST_PROBE_MS = 600_000;

const GO: Verdict = { type: "go" };
const PROBE: Verdict = { type: "probe" };

/** What it says to a call now. */
export function verdict(breaker: Breaker, now: number): Verdict {
  const { rest, probe } = breakerAt(breaker, now);
  if (rest === null) return GO;
  if (now < rest.untilAt) return { type: "rest", untilAt: rest.untilAt, isProbed: false };
  if (probe !== null && now < probe.untilAt) return { type: "rest", untilAt: probe.untilAt, isProbed: true };
  return PROBE;
}

/** A call goes as the probe. Only where the verdict was `probe`. */
export function withProbe(breaker: Breaker, callId: string, now: number): Breaker {
  return { ...breakerAt(breaker, now), probe: { callId, untilAt: now + LONGEST_PROBE_MS } };
}

/** Its probe is gone with its process. */
export function withoutProbe(breaker: Breaker): Breaker {
  return { ...breaker, probe: null };
}

/** What a call's end makes of it. A call that was sent before it opened knows nothing of what came after. */
export function afterOutcome(breaker: Breaker, call: EndedCall, outcome: BreakerOutcome, now: number): Breaker {
  const known = breakerAt(breaker, now);
  const isProbe = known.probe?.callId === call.callId;
  const before = isProbe ? withoutProbe(known) : known;
  if (outcome.type === "nothing") return before;
  if (before.rest !== null && !isProbe && call.sentAt < before.rest.fromAt) return before;
  if (outcome.type === "success") return afterSuccess(before, now);
  const failed = { ...before, failuresInARow: before.failuresInARow + 1, samples: withSample(before, true, now) };
  return opens(failed, outcome.why) ? opened(failed, outcome, now) : failed;
}

/**
 * A person who has begun something at `since` perhaps knows better: where only we had guessed before how long it rests,
 * one call may try.
 */
export function woken(breaker: Breaker, since: number, now: number): Breaker {
  const known = breakerAt(breaker, now);
  const { rest } = known;
  if (rest === null || !rest.isGuess || rest.untilAt <= now || rest.fromAt >= since) return known;
  return { ...known, rest: { ...rest, untilAt: now } };
}

/** The same by a clock that shows less than when it was touched last: what is left of each wait stays what it was. */
export function breakerAt(breaker: Breaker, now: number): Breaker {
  const back = Math.max(0, breaker.at - now);
  const { rest, probe } = breaker;
  const samples = breaker.samples.map((sample) => ({ ...sample, at: sample.at - back }));
  return {
    ...breaker,
    at: now,
    samples: samples.filter(({ at }) => at > now - WINDOW_MS),
    rest: rest && { ...rest, fromAt: rest.fromAt - back, untilAt: rest.untilAt - back },
    probe: probe && { ...probe, untilAt: probe.untilAt - back },
  };
}

function afterSuccess(breaker: Breaker, now: number): Breaker {
  return { ...CLOSED, at: now, samples: breaker.rest === null ? withSample(breaker, false, now) : [] };
}

function withSample({ samples }: Breaker, failed: boolean, now: number): readonly Sample[] {
  return [...samples, { at: now, failed }].slice(-MOST_SAMPLES);
}

/** The probe has failed, the class leaves no doubt, or too many have failed. */
function opens({ rest, samples, failuresInARow }: Breaker, why: FailureClass): boolean {
  if (rest !== null || isOfCredential(why) || failuresInARow >= FAILURES_IN_A_ROW) return true;
  const failed = samples.filter((sample) => sample.failed).length;
  return samples.length >= LEAST_SAMPLES && failed >= samples.length * FAILED_SHARE;
}

function opened(
  breaker: Breaker,
  { why, retryAfterMs }: Extract<BreakerOutcome, { type: "failure" }>,
  now: number,
): Breaker {
  const ms = Math.min(LONGEST_REST_MS, restMs(why, breaker.openings, retryAfterMs));
  const isGuess = retryAfterMs === null || retryAfterMs < ms;
  return {
    ...breaker,
    samples: [],
    openings: breaker.openings + 1,
    rest: { fromAt: now, untilAt: now + ms, why, isGuess },
  };
}

function restMs(why: FailureClass, openings: number, retryAfterMs: number | null): number {
  if (needsPerson(why) && !retryAfterMs) return LONG_REST_MS;
  // Whoever counts requests knows when the next may come.
  if (why === "rate" && retryAfterMs !== null) return retryAfterMs;
  return Math.max(retryAfterMs ?? 0, Math.min(LONGEST_BACKOFF_MS, FIRST_REST_MS * 2 ** openings));
}

/** True for what says nothing of a model, and all of the credential: one is enough. */
export function isOfCredential(why: FailureClass): boolean {
  return why === "rate" || needsPerson(why);
}

/** True for what time alone does not mend. */
export function needsPerson(why: FailureClass): boolean {
  return why === "quota" || why === "auth";
}
