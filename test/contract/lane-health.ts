import { describe, expect, it } from "vitest";
import type { BreakerOutcome } from "../../src/core/breaker.ts";
import type { Limits } from "../../src/core/lane.ts";
import { type LaneOutcome, NOTHING_SHOWN } from "../../src/core/lane-account.ts";
import type { AskedLane, LaneHealth } from "../../src/core/lane-health.ts";

const NOW = 1_000_000_000;

/** A call of 100 tokens to model `m` of a lane with these credentials. */
export function asking(
  callId: string,
  more: {
    readonly lane?: string;
    readonly names?: readonly (string | null)[];
    readonly limits?: Limits;
    readonly call?: Partial<AskedLane["call"]>;
    readonly preferred?: string | null;
    readonly except?: readonly string[];
  } = {},
): AskedLane {
  const { lane = "acme", names = [null], limits = {}, preferred = null, except = [] } = more;
  const credentials = names.map((name) => ({ name, key: `${name}#1` }));
  const call = { callId, model: "m", inputTokens: 60, outputTokens: 40, isForced: false, ...more.call };
  return { standing: { lane, credentials, limits }, call, preferred, except };
}

const success: LaneOutcome = { breaker: { type: "success" }, tokens: 10, allowances: [] };
const failure = (why: "server" | "rate" | "quota" | "auth", retryAfterMs: number | null = null): LaneOutcome => {
  const breaker: BreakerOutcome = { type: "failure", why, retryAfterMs };
  return { breaker, tokens: 0, allowances: [] };
};

/** What every implementation of the `LaneHealth` port promises. `make` is called anew for each test. */
export function laneHealthContract(name: string, make: () => LaneHealth): void {
  /** Sends a call and ends it. */
  const done = (health: LaneHealth, asked: AskedLane, outcome: LaneOutcome, now = NOW) => {
    expect(health.admit(asked, now)).toMatchObject({ type: "go" });
    health.settle(asked.call.callId, outcome, now);
  };
  const fail = (health: LaneHealth, times = 3) => {
    for (let n = 0; n < times; n++) done(health, asking(`f${n}`), failure("server"));
  };

  describe(`${name}, as the health of lanes`, () => {
    it("lets all through of which nothing is known", () => {
      expect(make().admit(asking("a"), NOW)).toEqual({ type: "go", credential: null });
    });

    it("rests a model that fails, and no other one", () => {
      const health = make();
      fail(health);
      expect(health.admit(asking("a"), NOW)).toMatchObject({ type: "rest", untilAt: NOW + 5_000 });
      expect(health.admit(asking("b", { call: { model: "n" } }), NOW)).toMatchObject({ type: "go" });
      expect(health.admit(asking("c", { lane: "other" }), NOW)).toMatchObject({ type: "go" });
    });

    it("lets one call try when the rest is over, and all when that was answered", () => {
      const health = make();
      fail(health);
      const later = NOW + 5_000;
      expect(health.admit(asking("a"), later)).toMatchObject({ type: "go" });
      expect(health.admit(asking("b"), later)).toMatchObject({ type: "wait", untilAt: null });
      health.settle("a", success, later + 1);
      expect(health.admit(asking("b"), later + 1)).toMatchObject({ type: "go" });
      expect(health.admit(asking("c"), later + 1)).toMatchObject({ type: "go" });
    });

    it("lets another try when the first was stopped, or was never sent", () => {
      const health = make();
      fail(health);
      health.admit(asking("a"), NOW + 5_000);
      health.settle("a", NOTHING_SHOWN, NOW + 5_000);
      expect(health.admit(asking("b"), NOW + 5_000)).toMatchObject({ type: "go" });
      health.withdraw("b", NOW + 5_000);
      expect(health.admit(asking("c"), NOW + 5_000)).toMatchObject({ type: "go" });
    });

    it.each(["rate", "quota", "auth"] as const)("rests all models of the credential after %s, and no other", (why) => {
      const health = make();
      const names = ["A", "B"];
      done(health, asking("a", { names }), failure(why, 20_000));
      expect(health.admit(asking("b", { names: ["A"], call: { model: "n" } }), NOW).type).not.toBe("go");
      expect(health.admit(asking("c", { names }), NOW)).toEqual({ type: "go", credential: "B" });
    });

    it("rests one model where the key may not use that one", () => {
      const health = make();
      done(health, asking("a"), { ...failure("auth"), isOfModel: true });
      expect(health.admit(asking("b"), NOW).type).toBe("rest");
      expect(health.admit(asking("c", { call: { model: "n" } }), NOW)).toMatchObject({ type: "go" });
    });

    it("keeps to the credential that was used, and goes without those that have failed", () => {
      const health = make();
      const names = ["A", "B", "C"];
      expect(health.admit(asking("a", { names }), NOW)).toEqual({ type: "go", credential: "A" });
      expect(health.admit(asking("b", { names, preferred: "B" }), NOW)).toEqual({ type: "go", credential: "B" });
      const except = { names, preferred: "B", except: ["A", "B"] };
      expect(health.admit(asking("c", except), NOW)).toEqual({ type: "go", credential: "C" });
      expect(health.admit(asking("d", { names, except: names }), NOW)).toEqual({ type: "none" });
    });

    it("says of several which is soonest", () => {
      const health = make();
      const names = ["A", "B"];
      done(health, asking("a", { names }), failure("rate", 40_000));
      done(health, asking("b", { names }), failure("rate", 20_000));
      expect(health.admit(asking("c", { names }), NOW)).toMatchObject({ type: "wait", untilAt: NOW + 20_000 });
    });

    it("lets a person's own question through, and learns of it", () => {
      const health = make();
      done(health, asking("a"), failure("quota"));
      expect(health.admit(asking("b"), NOW).type).toBe("rest");
      done(health, asking("c", { call: { isForced: true } }), success, NOW + 1);
      expect(health.admit(asking("d"), NOW + 1)).toMatchObject({ type: "go" });
    });

    it("wakes what rests only because we guess so, for whoever began later", () => {
      const health = make();
      done(health, asking("a"), failure("quota"));
      done(health, asking("b", { lane: "other" }), failure("quota", 60_000));
      expect(health.wake(["acme"], NOW, NOW)).toBe(false);
      expect(health.wake(["other", "nobody"], NOW + 1, NOW + 1)).toBe(false);
      expect(health.wake(["acme", "other"], NOW + 1, NOW + 1)).toBe(true);
      expect(health.wake(["acme", "other"], NOW + 1, NOW + 1)).toBe(false);
      expect(health.admit(asking("c"), NOW + 1)).toMatchObject({ type: "go" });
      expect(health.admit(asking("d"), NOW + 1).type).toBe("wait");
      expect(health.admit(asking("e", { lane: "other" }), NOW + 1)).toMatchObject({ type: "rest" });
    });

    it("holds calls at once", () => {
      const health = make();
      const limits = { concurrency: 2 };
      expect(health.admit(asking("a", { limits }), NOW)).toMatchObject({ type: "go" });
      expect(health.admit(asking("b", { limits, call: { model: "n" } }), NOW)).toMatchObject({ type: "go" });
      expect(health.admit(asking("c", { limits }), NOW)).toMatchObject({ type: "wait", untilAt: null });
      health.settle("a", success, NOW);
      expect(health.admit(asking("c", { limits }), NOW)).toMatchObject({ type: "go" });
    });

    it("holds requests a minute", () => {
      const health = make();
      const limits = { requestsPerMinute: 2 };
      done(health, asking("a", { limits }), success);
      done(health, asking("b", { limits }), success, NOW + 10_000);
      expect(health.admit(asking("c", { limits }), NOW + 20_000)).toMatchObject({
        type: "wait",
        untilAt: NOW + 61_000,
      });
      done(health, asking("c", { limits }), success, NOW + 61_000);
      const next = health.admit(asking("d", { limits }), NOW + 61_000);
      expect(next).toMatchObject({ type: "wait", untilAt: NOW + 71_000 });
    });

    it("holds tokens a minute: the most that a call can take, then what it took", () => {
      const health = make();
      const limits = { tokensPerMinute: 150 };
      health.admit(asking("a", { limits }), NOW);
      expect(health.admit(asking("b", { limits }), NOW)).toMatchObject({ type: "wait", untilAt: NOW + 61_000 });
      health.settle("a", success, NOW + 1);
      expect(health.admit(asking("b", { limits }), NOW + 1)).toMatchObject({ type: "go" });
    });

    it("lets a call that is larger than the whole limit through when nothing else was sent", () => {
      const health = make();
      const limits = { tokensPerMinute: 50 };
      done(health, asking("a", { limits }), success);
      expect(health.admit(asking("b", { limits }), NOW + 1_000)).toMatchObject({ type: "wait" });
      expect(health.admit(asking("b", { limits }), NOW + 61_000)).toMatchObject({ type: "go" });
    });

    it("waits for what the provider says, for the model that it says it of", () => {
      const health = make();
      const said = { unit: "requests", remaining: 1, limit: 5, resetMs: 30_000 } as const;
      done(health, asking("a"), { ...success, allowances: [said] });
      expect(health.admit(asking("b"), NOW)).toMatchObject({ type: "go" });
      expect(health.admit(asking("c"), NOW)).toMatchObject({ type: "wait", untilAt: NOW + 30_000 });
      expect(health.admit(asking("d", { call: { model: "n" } }), NOW)).toMatchObject({ type: "go" });
      expect(health.admit(asking("c"), NOW + 30_000)).toMatchObject({ type: "go" });
    });

    it.each([
      ["tokens", 99],
      ["input_tokens", 59],
      ["output_tokens", 39],
    ] as const)("waits where fewer %s are left than it may take", (unit, remaining) => {
      const health = make();
      const said = { unit, limit: 1000, resetMs: 30_000 };
      done(health, asking("a"), { ...success, allowances: [{ ...said, remaining: remaining + 1 }] });
      done(health, asking("b"), { ...success, allowances: [{ ...said, remaining }] });
      expect(health.admit(asking("c"), NOW)).toMatchObject({ type: "wait", untilAt: NOW + 30_000 });
    });

    it("tells what is known", () => {
      const health = make();
      fail(health);
      health.admit(asking("b", { call: { model: "n" } }), NOW);
      const [only, ...others] = health.accounts(NOW + 1);
      expect(others).toEqual([]);
      expect(only).toMatchObject({
        lane: "acme",
        key: "null#1",
        account: {
          models: { m: { rest: { why: "server", untilAt: NOW + 5_000 } } },
          traffic: { calls: [{ callId: "b" }] },
        },
      });
    });

    it("goes on when the clock is put back", () => {
      const health = make();
      done(health, asking("a"), failure("rate", 20_000));
      const then = NOW - 1e8;
      expect(health.admit(asking("b"), then)).toMatchObject({ type: "wait", untilAt: then + 20_000 });
      expect(health.admit(asking("b"), then + 20_000)).toMatchObject({ type: "go" });
    });

    it("takes the end of a call that it does not know for nothing", () => {
      const health = make();
      health.settle("nobody", failure("quota"), NOW);
      health.withdraw("nobody", NOW);
      expect(health.accounts(NOW)).toEqual([]);
      expect(health.trouble()).toBeNull();
    });
  });
}
