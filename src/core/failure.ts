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

/** How a class of failure is answered. */
interface Answer {
  /** Attempts on one candidate, the failed ones counted, while another candidate is left, … */
  readonly attempts: number;
  /** … and on the one that is the last. */
  readonly attemptsOnLast: number;
  /** Who may be asked instead: any other candidate, only one with a larger window, or nobody. */
  readonly elsewhere: "any" | "larger" | "none";
}

/** Has no room just now: it passes, and where nobody else is left it is worth some patience. */
const BUSY: Answer = { attempts: 3, attemptsOnLast: 7, elsewhere: "any" };
/** Silence costs minutes each time, and a stalled answer its money: nobody is waited for twice while another is left. */
const SILENT: Answer = { attempts: 1, attemptsOnLast: 2, elsewhere: "any" };
/** The same request fails here every time. */
const CLOSED: Answer = { attempts: 1, attemptsOnLast: 1, elsewhere: "any" };
/** The same request fails everywhere, or is no matter of the provider's. */
const FINAL: Answer = { attempts: 1, attemptsOnLast: 1, elsewhere: "none" };

const ANSWERS: Readonly<Partial<Record<FailureClass, Answer>>> = {
  rate: BUSY,
  overloaded: BUSY,
  server: BUSY,
  network: { attempts: 3, attemptsOnLast: 3, elsewhere: "any" },
  timeout: SILENT,
  stalled: SILENT,
  quota: CLOSED,
  auth: CLOSED,
  overflow: { attempts: 1, attemptsOnLast: 1, elsewhere: "larger" },
};

/** The most attempts that one candidate gets for a call. */
export const MOST_ATTEMPTS = 7;
/** Classes of which a provider cannot think better, whatever its headers say. */
const SETTLED: readonly FailureClass[] = ["quota", "overflow", "refusal"];
/** A provider that asks for a longer wait is passed over. */
const LONGEST_WAIT_MS = 60_000;
const FIRST_BACKOFF_MS = 1_000;
const LONGEST_BACKOFF_MS = 30_000;

/** What `afterFailedAttempt` decides. */
export type RetryDecision =
  | { readonly type: "retry"; readonly waitMs: number }
  /** `index`: which of the candidates ahead, from 0; those before it are passed over. */
  | { readonly type: "next-candidate"; readonly index: number }
  /** Nothing more can be tried for this call: the failure is the outcome. */
  | { readonly type: "give-up" };

/** What a candidate can hold, in tokens; null: nobody knows. */
export interface Room {
  readonly contextWindow: number | null;
}

/** What is decided from: the failure, and what has been tried for this call. */
export interface FailedAttempt {
  readonly class: FailureClass;
  readonly retryAfterMs: number | null;
  /** The provider's own word on whether to ask it again; null: it has none. */
  readonly shouldRetry: boolean | null;
  /** How many attempts this candidate has had for this call, this one counted. */
  readonly attempts: number;
  /** Whoever failed. */
  readonly candidate: Room;
  /** Who has not been asked yet, in order. */
  readonly ahead: readonly Room[];
  /** Milliseconds until the step or the run is out of time; null: they have no end. */
  readonly msLeft: number | null;
  /** From 0 (inclusive) to 1: full jitter. */
  readonly random: number;
}

/** What to do about a failed attempt. Halts: attempts and candidates only ever run out. */
export function afterFailedAttempt(failed: FailedAttempt): RetryDecision {
  const answer = ANSWERS[failed.class] ?? FINAL;
  const index = failed.ahead.findIndex((other) => isAlternative(answer, failed.candidate, other));
  const onward: RetryDecision = index < 0 ? { type: "give-up" } : { type: "next-candidate", index };
  if (failed.attempts >= attemptsOf(answer, failed, index < 0)) return onward;
  const waitMs = failed.retryAfterMs ?? backoff(failed);
  return waitMs <= Math.min(LONGEST_WAIT_MS, failed.msLeft ?? LONGEST_WAIT_MS) ? { type: "retry", waitMs } : onward;
}

/** What the provider says of asking it again counts more than the class, within bounds. */
function attemptsOf(answer: Answer, { class: failure, shouldRetry }: FailedAttempt, isLast: boolean): number {
  if (shouldRetry === false) return 1;
  const usual = isLast ? answer.attemptsOnLast : answer.attempts;
  return shouldRetry === true && !SETTLED.includes(failure) ? Math.max(usual, BUSY.attempts) : usual;
}

/** A window that nobody knows is not known to be larger. */
function isAlternative({ elsewhere }: Answer, failed: Room, other: Room): boolean {
  if (elsewhere !== "larger") return elsewhere === "any";
  return other.contextWindow !== null && other.contextWindow > (failed.contextWindow ?? 0);
}

function backoff({ attempts, random }: FailedAttempt): number {
  return Math.round(Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (attempts - 1)) * random);
}

/** True when the same request may well succeed a little later. */
export function isTransient(failure: FailureClass): boolean {
  return (ANSWERS[failure]?.attemptsOnLast ?? 1) > 1;
}

/** True when a new conversation may do better. A rejection by the reviewer is an answer, not a failed try. */
export function deservesAnotherTry(failure: FailureClass): boolean {
  return !["rejected", "blocked", "refusal", "auth", "quota", "invalid", "overflow"].includes(failure);
}
