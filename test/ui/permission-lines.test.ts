import { expect, test } from "vitest";
import type { Event, EventOf } from "../../src/core/event.ts";
import { LineFeed } from "../../src/ui/line-feed.ts";
import { blob, CREATED, stored, told } from "./sample-run.ts";

const ASKED: EventOf<"permission.asked"> = {
  type: "permission.asked",
  stepId: "build",
  toolCallId: "call-1",
  tool: "bash",
  subject: "npm publish \x1b[2J\u202e--now",
  call: blob(20),
  digest: "d",
  reason: 'releases are made by people (rule: ask bash "npm publish *")',
};
const decided = (effect: "allow" | "deny", scope: "call" | "run"): Event => {
  return { type: "permission.decided", stepId: "build", toolCallId: "call-1", effect, scope };
};

function linesOf(...facts: readonly Event[]) {
  const feed = new LineFeed([]);
  const events = stored([CREATED, ...facts].map((fact) => [1000, fact]));
  return told(events)
    .flatMap(([event, run]) => feed.event(event, run))
    .slice(1);
}

test("a question shows the call and why, and nothing of it drives the terminal", () => {
  expect(linesOf(ASKED)).toEqual([
    {
      kind: "warning",
      text: '? build  asks: bash `npm publish --now`: releases are made by people (rule: ask bash "npm publish *")',
    },
  ]);
});

test.each([
  ["allow", "call", "a person allowed it, this once"],
  ["allow", "run", "a person allowed it, from here on in this run"],
  ["deny", "call", "a person said no"],
] as const)("what was decided is said: %s, %s", (effect, scope, words) => {
  expect(linesOf(ASKED, decided(effect, scope))[1]?.text).toBe(`  build  bash \`npm publish --now\`: ${words}`);
});
