import { expect, test } from "vitest";
import { afterFailedAttempt } from "../../src/core/failure.ts";
import type { Asker, ModelFacts } from "../../src/core/model.ts";
import { FREE } from "../../src/core/money.ts";
import type { FailedCall } from "../../src/core/ports.ts";
import { decidedThen } from "../../src/engine/replay-follow.ts";
import { callReserved } from "../support/events.ts";

const facts = (model: string): ModelFacts => ({
  ref: { provider: "p", model },
  price: FREE,
  contextWindow: null,
  maxOutputTokens: 1,
  local: false,
  scripted: false,
});
const asker: Asker = { role: "doer", stepId: "build", conversation: 1, turn: 2 };
const asked = { ...callReserved("c2", 1), turn: 2 };
const failed: FailedCall = {
  class: "timeout",
  retryAfterMs: null,
  shouldRetry: null,
  attempts: 1,
  candidate: facts("a"),
  ahead: [facts("b"), facts("c")],
};

test.each([
  ["nobody was asked", null, { type: "give-up" }],
  ["the next turn was taken", { ...asked, turn: 3, model: "p/a" }, { type: "give-up" }],
  ["a new conversation began", { ...asked, conversation: 2, model: "p/a" }, { type: "give-up" }],
  ["a summary was asked for", { ...asked, purpose: "compact", model: "p/a" } as const, { type: "give-up" }],
  ["the same one was asked again", { ...asked, model: "p/a" }, { type: "retry", waitMs: 0 }],
  ["the next one was", { ...asked, model: "p/b" }, { type: "next-candidate", index: 0 }],
  ["one was passed over", { ...asked, model: "p/c" }, { type: "next-candidate", index: 1 }],
  ["somebody else was asked", { ...asked, model: "q/x" }, null],
])("a replay does what was done: %s", (_, next, decision) => {
  expect(decidedThen(next, failed, asker)).toEqual(decision);
});

test("also where the rules say otherwise by now", () => {
  const now = afterFailedAttempt({ ...failed, msLeft: null, random: 0 });
  expect(now.type).toBe("next-candidate");
  expect(decidedThen({ ...asked, model: "p/a" }, failed, asker)).toEqual({ type: "retry", waitMs: 0 });
});
