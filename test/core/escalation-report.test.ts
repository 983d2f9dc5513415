import { expect, test } from "vitest";
import { type ESCALATION_FACTS, escalationReport } from "../../src/core/escalation-report.ts";
import { type EscalationAction, NO_MEANS, type Signal } from "../../src/core/escalation-terms.ts";
import type { CallRecord, EventOfRun } from "../../src/core/store.ts";
import { EMPTY_BLOB } from "../support/events.ts";

type Fact = EventOfRun<(typeof ESCALATION_FACTS)[number]>;

const decided = (conversation: number, signal: Signal, action: EscalationAction, rid = "r-a") => {
  const where = { stepId: "build", role: "doer", rung: 0, from: "p/m", to: "p/m" } as const;
  const fact = { type: "escalation.decided", conversation, signal, action, reason: "so", means: NO_MEANS } as const;
  return { ...fact, ...where, rid, seq: 0, at: 0 } satisfies Fact;
};
const ended = (conversation: number, isGood: boolean, rid = "r-a") => {
  const outcome = isGood
    ? ({ status: "succeeded", output: EMPTY_BLOB, finish: null } as const)
    : ({ status: "failed", class: "loop", reason: "so", finish: null } as const);
  const end = { type: "step.finished", stepId: "build", conversation, outcome, tree: "t" } as const;
  return { ...end, rid, seq: 0, at: 0 } satisfies Fact;
};
const call = (conversation: number, costNanos: number, change: Partial<CallRecord> = {}): CallRecord => ({
  ...{ rid: "r-a", callId: `c${conversation}`, stepId: "build", role: "doer", conversation, turn: 1, model: "p/m" },
  ...{ state: "settled", reservedAt: 0, heldNanos: 0, heldTokens: 0, costNanos, listedNanos: null, usage: null },
  ...{ durationMs: 1, failure: null, retryOf: null },
  ...change,
});

const line = (
  signal: Signal,
  action: EscalationAction,
  times: number,
  tried: number,
  won: number,
  addedNanos: number,
) => ({
  signal,
  action,
  times,
  tried,
  won,
  addedNanos,
});

test("a decision wins where the try after it succeeds, and costs what that try has cost", () => {
  const facts = [
    ended(1, false),
    decided(1, "tool-loop", "stronger"),
    ended(2, true),
    decided(2, "succeeded", "cheaper"),
  ];
  const report = escalationReport(facts, [call(1, 5), call(2, 7), call(2, 8), call(3, 100)]);
  expect(report.lines).toEqual([line("tool-loop", "stronger", 1, 1, 1, 15), line("succeeded", "cheaper", 1, 0, 0, 0)]);
  expect(report.total).toEqual({ times: 1, tried: 1, won: 1, addedNanos: 15 });
});

test("a finish that is doubted or sent back once more for the same reason has won nothing, nor has a try that goes on", () => {
  const facts = [
    decided(1, "same-failure", "tactic"),
    ended(2, true),
    decided(2, "low-confidence", "stronger"),
    ended(3, true),
    decided(3, "same-failure", "diagnose"),
  ];
  expect(escalationReport(facts, []).lines).toEqual([
    line("same-failure", "tactic", 1, 1, 0, 0),
    line("same-failure", "diagnose", 1, 0, 0, 0),
    line("low-confidence", "stronger", 1, 1, 0, 0),
  ]);
});

test("a diagnosis costs its own question, too; the same role's summaries of the try before it are none of it", () => {
  const facts = [decided(1, "tool-loop", "diagnose"), ended(2, false), decided(2, "tool-loop", "fail")];
  const calls = [call(1, 1, { turn: 0 }), call(1, 20, { turn: 0, role: "reviewer" }), call(2, 300)];
  expect(escalationReport(facts, calls).lines[0]).toEqual(line("tool-loop", "diagnose", 1, 1, 0, 320));
});

test("runs and steps of the same name are told apart; kinds are put together", () => {
  const facts = ["r-a", "r-b"].flatMap((rid) => [decided(1, "churn", "stronger", rid), ended(2, rid === "r-b", rid)]);
  const report = escalationReport(facts, [call(2, 5), call(2, 6, { rid: "r-b" }), call(2, 9, { stepId: "other" })]);
  expect(report.lines).toEqual([line("churn", "stronger", 2, 2, 1, 11)]);
});
