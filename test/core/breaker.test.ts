import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  afterOutcome,
  type Breaker,
  type BreakerOutcome,
  breakerAt,
  CLOSED,
  verdict,
  withProbe,
  woken,
} from "../../src/core/breaker.ts";
import type { FailureClass } from "../../src/core/failure.ts";

const NOW = 1_000_000;
const success: BreakerOutcome = { type: "success" };
const failure = (why: FailureClass = "server", retryAfterMs: number | null = null): BreakerOutcome => {
  return { type: "failure", why, retryAfterMs };
};

/** Calls that were sent and ended at once, one after the other. */
function having(outcomes: readonly BreakerOutcome[], before = CLOSED, now = NOW): Breaker {
  return outcomes.reduce((breaker, outcome, n) => {
    return afterOutcome(breaker, { callId: `c${n}`, sentAt: now }, outcome, now);
  }, before);
}

const restMs = (breaker: Breaker, now = NOW) => {
  const said = verdict(breaker, now);
  return said.type === "rest" ? said.untilAt - now : said.type;
};

describe("a breaker", () => {
  test.each([
    ["two failures", [failure(), failure()], "go"],
    ["three failures in a row", [failure(), failure(), failure()], 5_000],
    ["a success between them", [failure(), failure(), success, failure()], "go"],
    ["half of five", [success, success, failure(), success, failure(), failure()], 5_000],
    ["less than half", [success, success, success, failure(), failure()], "go"],
    ["one 429", [failure("rate")], 5_000],
    ["a 429 that says when", [failure("rate", 20_000)], 20_000],
    ["one that says less than we wait", [failure("rate", 10)], 10],
    ["a used-up quota", [failure("quota")], 1_800_000],
    ["one that says when", [failure("quota", 7_200_000)], 7_200_000],
    ["one that says at once", [failure("quota", 0)], 1_800_000],
    ["a wait that nobody means", [failure("rate", 1e12)], 86_400_000],
    ["a wrong key", [failure("auth")], 1_800_000],
    ["what was stopped", [failure(), failure(), { type: "nothing" } as const], "go"],
  ])("after %s", (_, outcomes, rest) => {
    expect(restMs(having(outcomes))).toBe(rest);
  });

  test("forgets in a minute what was not in a row", () => {
    const old = having([failure(), success, failure(), success, failure()], CLOSED, NOW - 60_000);
    expect(restMs(having([success, failure()], old))).toBe("go");
  });

  test("rests twice as long each time its probe fails, five minutes at most", () => {
    let breaker = having([failure(), failure(), failure()]);
    let now = NOW;
    const rests: unknown[] = [];
    for (let n = 0; n < 8; n++) {
      const said = verdict(breaker, now);
      if (said.type !== "rest") throw new Error(said.type);
      rests.push(said.untilAt - now);
      now = said.untilAt;
      expect(verdict(breaker, now)).toEqual({ type: "probe" });
      breaker = withProbe(breaker, `p${n}`, now);
      breaker = afterOutcome(breaker, { callId: `p${n}`, sentAt: now }, failure(), now);
    }
    expect(rests).toEqual([5_000, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000]);
  });

  test("is not moved by what was sent before it opened", () => {
    const open = having([failure("rate", 20_000)]);
    for (const outcome of [success, failure(), failure("rate", 90_000)]) {
      expect(restMs(afterOutcome(open, { callId: "old", sentAt: NOW - 1 }, outcome, NOW))).toBe(20_000);
    }
  });

  test("a probe that is stopped leaves its place to another", () => {
    const now = NOW + 5_000;
    const probed = withProbe(having([failure("rate")]), "p", now);
    expect(verdict(probed, now)).toMatchObject({ type: "rest", isProbed: true });
    expect(verdict(afterOutcome(probed, { callId: "other", sentAt: now }, { type: "nothing" }, now), now).type).toBe(
      "rest",
    );
    expect(verdict(afterOutcome(probed, { callId: "p", sentAt: now }, { type: "nothing" }, now), now).type).toBe(
      "probe",
    );
    expect(verdict(probed, now + 600_000).type).toBe("probe");
  });

  test("a person who came later wakes it where nobody has said how long it rests", () => {
    const wake = (breaker: Breaker, since = NOW + 1) => verdict(woken(breaker, since, NOW + 2), NOW + 2).type;
    expect(wake(having([failure("quota")]))).toBe("probe");
    expect(wake(having([failure("rate")]))).toBe("probe");
    expect(wake(having([failure("rate", 10)]))).toBe("rest");
    expect(wake(having([failure("quota", 60_000)]))).toBe("rest");
    expect(wake(having([failure("quota")]), NOW)).toBe("rest");
    expect(wake(CLOSED)).toBe("go");
  });
});

// ── laws ─────────────────────────────────────────────────────────────────────────────────────────────────────────

type Step =
  | { readonly type: "ask" }
  | { readonly type: "end"; readonly which: number; readonly outcome: BreakerOutcome }
  | { readonly type: "wait"; readonly ms: number }
  | { readonly type: "jump"; readonly ms: number };

const classes = fc.constantFrom<FailureClass>("rate", "quota", "auth", "server", "overloaded", "network", "timeout");
const outcomes: fc.Arbitrary<BreakerOutcome> = fc.oneof(
  fc.constant(success),
  fc.constant<BreakerOutcome>({ type: "nothing" }),
  fc.record({
    type: fc.constant("failure" as const),
    why: classes,
    retryAfterMs: fc.option(fc.integer({ min: 0, max: 1e7 })),
  }),
);
const steps: fc.Arbitrary<Step> = fc.oneof(
  fc.constant<Step>({ type: "ask" }),
  fc.record({ type: fc.constant("end" as const), which: fc.nat(), outcome: outcomes }),
  fc.record({ type: fc.constant("wait" as const), ms: fc.integer({ min: 0, max: 100_000 }) }),
);
const jumps = fc.record({ type: fc.constant("jump" as const), ms: fc.integer({ min: -1e9, max: 0 }) });

/** Callers who keep to what they are told: all that they come to, and how many have tried at once. */
function live(story: readonly Step[]) {
  let [breaker, now] = [CLOSED, NOW];
  let calls: { callId: string; sentAt: number }[] = [];
  /** When each probe's time is up: the clock that is put back does not make it longer for them. */
  let probes: { callId: string; untilAt: number }[] = [];
  let probesAtOnce = 0;
  for (const [n, step] of story.entries()) {
    const callId = `c${n}`;
    if (step.type === "wait") now += step.ms;
    if (step.type === "jump") {
      now += step.ms;
      calls = calls.map((call) => ({ ...call, sentAt: call.sentAt + step.ms }));
      probes = probes.map((probe) => ({ ...probe, untilAt: probe.untilAt + step.ms }));
    }
    if (step.type === "ask") {
      const said = verdict(breaker, now);
      if (said.type === "probe") {
        breaker = withProbe(breaker, callId, now);
        probes = [...probes.filter(({ untilAt }) => now < untilAt), { callId, untilAt: now + 600_000 }];
        probesAtOnce = Math.max(probesAtOnce, probes.length);
      }
      if (said.type !== "rest") calls.push({ callId, sentAt: now });
    }
    if (step.type === "end") {
      const [call] = calls.splice(step.which % Math.max(1, calls.length), 1);
      if (call) breaker = afterOutcome(breaker, call, step.outcome, now);
      // Once it is closed nothing is tried any more: what was the probe is a call as any other.
      probes = breaker.rest === null ? [] : probes.filter(({ callId }) => callId !== call?.callId);
    }
  }
  return { breaker, now, probesAtOnce };
}

describe("laws of a breaker", () => {
  const stories = fc.array(fc.oneof(steps, steps, steps, jumps), { maxLength: 80 });
  const law = (check: (lived: ReturnType<typeof live>) => void) => {
    fc.assert(
      fc.property(stories, (story) => {
        check(live(story));
      }),
      { numRuns: 500 },
    );
  };

  test("never more than one probe", () => {
    law(({ probesAtOnce }) => expect(probesAtOnce).toBeLessThanOrEqual(1));
  });

  test("an open one always becomes half-open, whatever its clock has done", () => {
    law(({ breaker: left, now }) => {
      const breaker = breakerAt(left, now);
      const said = verdict(breaker, now);
      if (said.type !== "rest") return;
      expect(said.untilAt - now).toBeLessThanOrEqual(86_400_000);
      const then = verdict(breaker, said.untilAt);
      // Whoever tries it already may go on until their time is up.
      expect(then.type === "rest" ? verdict(breaker, then.untilAt).type : then.type).toBe("probe");
    });
  });

  test("a success of what was sent since it opened closes it", () => {
    law(({ breaker, now }) => {
      expect(verdict(afterOutcome(breaker, { callId: "x", sentAt: now }, success, now), now).type).toBe("go");
    });
  });

  test("a clock that is put back changes nothing of what is left", () => {
    law(({ breaker, now }) => {
      const touched = afterOutcome(breaker, { callId: "x", sentAt: now }, { type: "nothing" }, now);
      for (const back of [1, 5_000, 1e9]) expect(restMs(touched, now - back)).toBe(restMs(touched, now));
    });
  });
});
