import fc from "fast-check";
import { expect, test } from "vitest";
import {
  ATTEMPTS_ON_LAST,
  ATTEMPTS_PER_CANDIDATE,
  afterFailedAttempt,
  deservesAnotherTry,
  type FailureClass,
} from "../../src/core/failure.ts";

const failed = (failure: FailureClass, change: object = {}) =>
  afterFailedAttempt({ class: failure, retryAfterMs: null, attempts: 1, candidatesLeft: 0, random: 0.5, ...change });

test.each<[FailureClass, object, object]>([
  ["overloaded", {}, { type: "retry", waitMs: 500 }],
  ["overloaded", { attempts: 2 }, { type: "retry", waitMs: 1000 }],
  ["overloaded", { attempts: 3 }, { type: "retry", waitMs: 2000 }],
  ["overloaded", { attempts: 6 }, { type: "retry", waitMs: 15_000 }],
  ["overloaded", { attempts: 7 }, { type: "give-up" }],
  ["stalled", {}, { type: "retry", waitMs: 500 }],
  ["stalled", { attempts: 3 }, { type: "give-up" }],
  ["stalled", { attempts: 3, candidatesLeft: 1 }, { type: "next-candidate" }],
  ["timeout", { attempts: 3 }, { type: "give-up" }],
  ["network", { attempts: 3 }, { type: "give-up" }],
  ["overloaded", { attempts: 3, candidatesLeft: 1 }, { type: "next-candidate" }],
  ["rate", { retryAfterMs: 1500 }, { type: "retry", waitMs: 1500 }],
  ["rate", { retryAfterMs: 61_000 }, { type: "give-up" }],
  ["rate", { retryAfterMs: 61_000, candidatesLeft: 2 }, { type: "next-candidate" }],
  ["quota", {}, { type: "give-up" }],
  ["quota", { candidatesLeft: 1 }, { type: "next-candidate" }],
  ["auth", { candidatesLeft: 1 }, { type: "next-candidate" }],
  ["auth", {}, { type: "give-up" }],
  ["overflow", { candidatesLeft: 1 }, { type: "next-candidate" }],
  ["invalid", { candidatesLeft: 1 }, { type: "give-up" }],
  ["refusal", { candidatesLeft: 1 }, { type: "give-up" }],
])("%s with %s: %s", (failure, change, decision) => {
  expect(failed(failure, change)).toEqual(decision);
});

test("a provider that keeps failing is asked a bounded number of times", () => {
  const classes: FailureClass[] = [
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
  fc.assert(
    fc.property(
      fc.infiniteStream(fc.constantFrom(...classes)),
      fc.nat(4),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (stream, more, random) => {
        let candidatesLeft = more;
        let attempts = 1;
        let asked = 1;
        for (;;) {
          const next = stream.next().value as FailureClass;
          const decision = afterFailedAttempt({ class: next, retryAfterMs: null, attempts, candidatesLeft, random });
          if (decision.type === "give-up") break;
          asked += 1;
          attempts = decision.type === "retry" ? attempts + 1 : 1;
          if (decision.type === "next-candidate") candidatesLeft -= 1;
        }
        expect(asked).toBeLessThanOrEqual(ATTEMPTS_PER_CANDIDATE * more + ATTEMPTS_ON_LAST);
      },
    ),
  );
});

test("a reviewer's rejection is an answer: asking again until somebody approves is not a try", () => {
  expect(deservesAnotherTry("rejected")).toBe(false);
  expect(deservesAnotherTry("check-failed")).toBe(true);
});
