import { expect, test } from "vitest";
import type { Event, EventOf } from "../../src/core/event.ts";
import { applyEvent } from "../../src/core/fold-run.ts";
import { newRun, openQuestion, type Run } from "../../src/core/run.ts";

const BLOB = { sha256: "0".repeat(64), sizeBytes: 0 };
const asked = (stepId: string, toolCallId = "call-1"): EventOf<"permission.asked"> => ({
  type: "permission.asked",
  stepId,
  toolCallId,
  tool: "bash",
  subject: "npm publish",
  call: BLOB,
  digest: `digest of ${stepId} ${toolCallId}`,
  reason: "a rule asks",
});
const decided = (stepId: string, effect: "allow" | "deny", scope: "call" | "run" = "call"): Event => ({
  type: "permission.decided",
  stepId,
  toolCallId: "call-1",
  effect,
  scope,
});
const over = (stepId: string): Event => ({
  type: "tool.finished",
  stepId,
  toolCallId: "call-1",
  tool: "bash",
  status: "ok",
  result: BLOB,
  summary: "",
  durationMs: 0,
  treeAfter: null,
  finish: null,
});
const started = (stepId: string, conversation: number): Event => ({
  type: "step.started",
  stepId,
  conversation,
  tree: "t",
  prompt: null,
  fingerprint: null,
});
const fold = (...events: readonly Event[]): Run =>
  events.reduce((run, event, index) => applyEvent(run, { ...event, seq: index + 1, at: 0 }), newRun("r-aaaaaa"));

test("a question waits until it is decided; the oldest comes first", () => {
  expect(openQuestion(fold())).toBe(null);
  expect(openQuestion(fold(asked("a"), asked("b")))?.stepId).toBe("a");
  expect(openQuestion(fold(asked("a"), asked("b"), decided("a", "allow")))?.stepId).toBe("b");
});

test("what is decided holds until the call is over, and no longer: the next call may have the same name", () => {
  const run = fold(asked("a"), decided("a", "allow"));
  expect(Object.values(run.questions).map(({ decision }) => decision)).toEqual(["allow"]);
  expect(fold(asked("a"), decided("a", "allow"), over("a")).questions).toEqual({});
});

test("what is allowed for the run is remembered by what it is; a no is not", () => {
  expect(fold(asked("a"), decided("a", "allow", "run")).consents).toEqual(["digest of a call-1"]);
  expect(fold(asked("a"), decided("a", "allow")).consents).toEqual([]);
  expect(fold(asked("a"), decided("a", "deny", "run")).consents).toEqual([]);
});

test("whoever begins anew, is done or is taken back asks anew", () => {
  const waiting = [started("a", 1), asked("a"), decided("a", "allow")];
  expect(Object.keys(fold(...waiting, started("a", 1)).questions)).toHaveLength(1);
  expect(fold(...waiting, started("a", 2)).questions).toEqual({});
  expect(fold(...waiting, { type: "run.rewound", to: "a", steps: ["a"], tree: "t" }).questions).toEqual({});
  const lost = { status: "failed", class: "timeout", reason: "", finish: null } as const;
  expect(
    fold(...waiting, { type: "step.finished", stepId: "a", conversation: 1, outcome: lost, tree: "t" }).questions,
  ).toEqual({});
});

test("a decision over nothing decides nothing", () => {
  expect(fold(decided("a", "allow", "run"))).toMatchObject({ questions: {}, consents: [] });
});
