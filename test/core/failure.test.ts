import fc from "fast-check";
import { expect, test } from "vitest";
import {
  afterFailedAttempt,
  deservesAnotherTry,
  type FailedAttempt,
  type FailureClass,
  isTransient,
  MOST_ATTEMPTS,
  type Room,
} from "../../src/core/failure.ts";

const room = (contextWindow: number | null): Room => ({ contextWindow });
const OTHER = [room(null)];
const RETRY = (waitMs: number) => ({ type: "retry", waitMs });
const NEXT = { type: "next-candidate", index: 0 };
const GIVE_UP = { type: "give-up" };

const failed = (failure: FailureClass, change: Partial<FailedAttempt> = {}) =>
  afterFailedAttempt({
    class: failure,
    retryAfterMs: null,
    shouldRetry: null,
    attempts: 1,
    candidate: room(1_000),
    ahead: [],
    msLeft: null,
    random: 0.5,
    ...change,
  });

test.each<[FailureClass, Partial<FailedAttempt>, object]>([
  // Busy: the same one twice more, then the next; seven times where there is none.
  ["overloaded", { ahead: OTHER }, RETRY(500)],
  ["overloaded", { ahead: OTHER, attempts: 2 }, RETRY(1_000)],
  ["overloaded", { ahead: OTHER, attempts: 3 }, NEXT],
  ["overloaded", { attempts: 3 }, RETRY(2_000)],
  ["overloaded", { attempts: 6 }, RETRY(15_000)],
  ["overloaded", { attempts: 7 }, GIVE_UP],
  ["rate", { ahead: OTHER, attempts: 3 }, NEXT],
  ["server", { ahead: OTHER, attempts: 3 }, NEXT],
  ["network", { ahead: OTHER }, RETRY(500)],
  ["network", { ahead: OTHER, attempts: 3 }, NEXT],
  ["network", { attempts: 3 }, GIVE_UP],
  // Silent: never twice while another is left.
  ["timeout", { ahead: OTHER }, NEXT],
  ["timeout", {}, RETRY(500)],
  ["timeout", { attempts: 2 }, GIVE_UP],
  ["stalled", { ahead: OTHER }, NEXT],
  ["stalled", {}, RETRY(500)],
  ["stalled", { attempts: 2 }, GIVE_UP],
  // What the provider asks for is done, to the millisecond.
  ["rate", { retryAfterMs: 1_500 }, RETRY(1_500)],
  ["rate", { retryAfterMs: 0, random: 0.9 }, RETRY(0)],
  ["server", { retryAfterMs: 60_000, ahead: OTHER }, RETRY(60_000)],
  // A wait beyond the deadline is none.
  ["rate", { retryAfterMs: 60_001 }, GIVE_UP],
  ["rate", { retryAfterMs: 60_001, ahead: OTHER }, NEXT],
  ["rate", { retryAfterMs: 1_500, msLeft: 1_499, ahead: OTHER }, NEXT],
  ["overloaded", { msLeft: 499, ahead: OTHER }, NEXT],
  ["overloaded", { msLeft: -1 }, GIVE_UP],
  // x-should-retry, both ways.
  ["overloaded", { shouldRetry: false, ahead: OTHER }, NEXT],
  ["overloaded", { shouldRetry: false }, GIVE_UP],
  ["timeout", { shouldRetry: true, ahead: OTHER }, RETRY(500)],
  ["invalid", { shouldRetry: true, ahead: OTHER }, RETRY(500)],
  ["invalid", { shouldRetry: true, attempts: 3, ahead: OTHER }, GIVE_UP],
  ["auth", { shouldRetry: true, ahead: OTHER }, RETRY(500)],
  ["quota", { shouldRetry: true, ahead: OTHER }, NEXT],
  ["overflow", { shouldRetry: true, ahead: OTHER }, GIVE_UP],
  ["refusal", { shouldRetry: true, ahead: OTHER }, GIVE_UP],
  // Closed: the next at once.
  ["quota", { ahead: OTHER }, NEXT],
  ["quota", {}, GIVE_UP],
  ["auth", { ahead: OTHER }, NEXT],
  ["auth", {}, GIVE_UP],
  // Too long: only a window that is known to be larger.
  ["overflow", { ahead: [room(1_001)] }, NEXT],
  ["overflow", { ahead: [room(null), room(1_000), room(2_000)] }, { type: "next-candidate", index: 2 }],
  ["overflow", { ahead: [room(null), room(1_000), room(999)] }, GIVE_UP],
  ["overflow", { candidate: room(null), ahead: [room(null), room(8)] }, { type: "next-candidate", index: 1 }],
  // The same everywhere.
  ["invalid", { ahead: OTHER }, GIVE_UP],
  ["refusal", { ahead: OTHER }, GIVE_UP],
  ["malformed", { ahead: OTHER }, GIVE_UP],
])("%s with %j: %j", (failure, change, decision) => {
  expect(failed(failure, change)).toEqual(decision);
});

const CLASSES: readonly FailureClass[] = [
  "rate",
  "quota",
  "overloaded",
  "server",
  "timeout",
  "network",
  "overflow",
  "auth",
  "invalid",
  "refusal",
  "stalled",
];

const anything = fc.record({
  class: fc.constantFrom(...CLASSES),
  retryAfterMs: fc.option(fc.nat(120_000)),
  shouldRetry: fc.option(fc.boolean()),
  random: fc.double({ min: 0, max: 0.999, noNaN: true }),
  msLeft: fc.option(fc.integer({ min: -10, max: 90_000 })),
});

test("whatever comes, a call is asked a bounded number of times, waits no longer than a minute, and never past its time", () => {
  const windows = fc.array(fc.option(fc.nat(5)), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(fc.infiniteStream(anything), windows, (stream, known) => {
      const candidates = known.map(room);
      let [at, attempts, asked] = [0, 1, 1];
      for (;;) {
        const next = stream.next().value as typeof anything extends fc.Arbitrary<infer T> ? T : never;
        const [candidate = room(null), ...ahead] = candidates.slice(at);
        const decision = afterFailedAttempt({ ...next, attempts, candidate, ahead });
        if (decision.type === "give-up") break;
        asked += 1;
        if (decision.type === "next-candidate") {
          expect(ahead[decision.index]).toBeDefined();
          at += 1 + decision.index;
          attempts = 1;
          continue;
        }
        attempts += 1;
        expect(decision.waitMs).toBeLessThanOrEqual(Math.min(60_000, next.msLeft ?? 60_000));
        if (next.retryAfterMs !== null) expect(decision.waitMs).toBe(next.retryAfterMs);
      }
      expect(asked).toBeLessThanOrEqual(MOST_ATTEMPTS * candidates.length);
    }),
  );
});

test("a candidate is passed over for what another may do better, and for nothing else", () => {
  fc.assert(
    fc.property(anything, fc.integer({ min: 1, max: 9 }), (next, attempts) => {
      const decision = afterFailedAttempt({ ...next, attempts, candidate: room(5), ahead: [room(5)] });
      if (decision.type === "next-candidate") expect(["invalid", "refusal", "overflow"]).not.toContain(next.class);
      if (next.shouldRetry === false) expect(decision.type).not.toBe("retry");
    }),
  );
});

test("what passes by itself is told from what does not", () => {
  expect(CLASSES.filter(isTransient)).toEqual(["rate", "overloaded", "server", "timeout", "network", "stalled"]);
});

test("a reviewer's rejection is an answer: asking again until somebody approves is not a try", () => {
  expect(deservesAnotherTry("rejected")).toBe(false);
  expect(deservesAnotherTry("check-failed")).toBe(true);
});
