/** The class decides what happens next; the message is for people. */
export type FailureClass = ProviderFailureClass | WorkFailureClass;

/** Ways in which a model call gives no usable answer. */
export type ProviderFailureClass =
  | "rate"
  | "quota"
  | "overloaded"
  | "server"
  | "timeout"
  | "network"
  | "overflow"
  | "auth"
  | "invalid"
  | "refusal";

/** Ways in which work that was done does not count. */
export type WorkFailureClass =
  | "check-failed"
  | "no-change"
  | "loop"
  | "malformed"
  | "denied"
  | "stalled"
  | "incomplete"
  | "max-turns"
  | "empty"
  | "blocked"
  | "rejected"
  | "stale"
  | "tree-changed"
  /** The conversation fits its model's window no more, and cannot be made smaller. */
  | "context-exhausted";

/** Failed attempts on one candidate before the next is asked: the first and two more, … */
export const ATTEMPTS_PER_CANDIDATE = 3;
/** … and where there is no next, and the provider is only busy: the first and six more. */
export const ATTEMPTS_ON_LAST = 7;
/** A provider that asks for a longer wait is passed over. */
const LONGEST_WAIT_MS = 60_000;
const FIRST_BACKOFF_MS = 1_000;
const LONGEST_BACKOFF_MS = 30_000;

/** What `afterFailedAttempt` decides. */
export type RetryDecision =
  | { readonly type: "retry"; readonly waitMs: number }
  | { readonly type: "next-candidate" }
  /** Nothing more can be tried for this call: the failure is the outcome. */
  | { readonly type: "give-up" };

/** What is decided from: the failure, and what has been tried for this call. */
export interface FailedAttempt {
  readonly class: FailureClass;
  readonly retryAfterMs: number | null;
  /** How many attempts this candidate has had for this call, this one counted. */
  readonly attempts: number;
  readonly candidatesLeft: number;
  /** From 0 (inclusive) to 1: full jitter. */
  readonly random: number;
}

/** What to do about a failed attempt. Halts: attempts and candidates only ever run out. */
export function afterFailedAttempt(failed: FailedAttempt): RetryDecision {
  const onward: RetryDecision = failed.candidatesLeft > 0 ? { type: "next-candidate" } : { type: "give-up" };
  if (!isTransient(failed.class)) return isAnothersChance(failed.class) ? onward : { type: "give-up" };
  if (failed.attempts >= mostAttempts(failed)) return onward;
  if (failed.retryAfterMs !== null) {
    return failed.retryAfterMs <= LONGEST_WAIT_MS ? { type: "retry", waitMs: failed.retryAfterMs } : onward;
  }
  const ceiling = Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (failed.attempts - 1));
  return { type: "retry", waitMs: Math.round(ceiling * failed.random) };
}

/** A provider that answers at all, and only has no room, is waited for. Silence costs minutes each time, and a stalled answer its money. */
function mostAttempts({ class: failure, candidatesLeft }: FailedAttempt): number {
  const isBusy = ["rate", "overloaded", "server"].includes(failure);
  return isBusy && candidatesLeft === 0 ? ATTEMPTS_ON_LAST : ATTEMPTS_PER_CANDIDATE;
}

/** True when the same request may well succeed a little later. */
export function isTransient(failure: FailureClass): boolean {
  return ["rate", "overloaded", "server", "timeout", "network", "stalled"].includes(failure);
}

/** True when this candidate is out, but another may answer. A refusal or an invalid request is the same everywhere. */
function isAnothersChance(failure: FailureClass): boolean {
  return ["quota", "auth", "overflow"].includes(failure);
}

/** True when a new conversation may do better. A rejection by the reviewer is an answer, not a failed try. */
export function deservesAnotherTry(failure: FailureClass): boolean {
  return !["rejected", "blocked", "refusal", "auth", "quota", "invalid", "overflow"].includes(failure);
}
