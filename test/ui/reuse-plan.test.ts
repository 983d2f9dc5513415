import fc from "fast-check";
import { expect, test } from "vitest";
import type { ReusePlan } from "../../src/core/reuse.ts";
import { renderReusePlan } from "../../src/ui/reuse-plan.ts";
import { displayWidth } from "../../src/ui/width.ts";
import { hostileText, UNPRINTABLE } from "./hostile.ts";
import { usd } from "./sample-run.ts";

const PLAN: ReusePlan = {
  steps: [
    { stepId: "plan", decision: "reuse", why: "it is given the same things as then", costNanos: usd(0.12) },
    { stepId: "lint", decision: "reuse", why: "it is given the same things as then", costNanos: 0 },
    { stepId: "build", decision: "re-run", why: "its definition or its role has changed", costNanos: usd(0.5) },
    { stepId: "test", decision: "go-on", why: "it was under way", costNanos: 0 },
    { stepId: "review", decision: "run", why: "it has not been done yet", costNanos: 0 },
  ],
  tree: "1a2b3c4d5e6f7a8b9c0d1a2b3c4d5e6f7a8b9c0d",
};

test("a plan of reuse tells for each step the decision, why, and its money, and at last the sum and the tree", () => {
  expect(renderReusePlan(PLAN).split("\n")).toEqual([
    "step    decision  why                                     saved or spent",
    "plan    reuse     it is given the same things as then        $0.12 saved",
    "lint    reuse     it is given the same things as then",
    "build   re-run    its definition or its role has changed     $0.50 spent",
    "test    go on     it was under way",
    "review  run       it has not been done yet",
    "",
    "2 of 5 steps reused, $0.12 saved; it starts from tree 1a2b3c4d5e6f",
    "",
  ]);
});

test("a plan that takes nothing back says that the files stay", () => {
  expect(renderReusePlan({ ...PLAN, tree: null })).toContain("$0.12 saved; the files stay as they are\n");
});

test("on a narrow terminal the reasons give way, not the decisions and the money", () => {
  const lines = renderReusePlan(PLAN, { width: 50 }).split("\n").slice(0, 6);
  for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(50);
  expect(lines[3]).toMatch(/^build +re-run +its .*… +\$0\.50 spent$/);
});

test("law: whatever the steps and reasons are called, the plan is one harmless line a step", () => {
  fc.assert(
    fc.property(hostileText, hostileText, hostileText, (stepId, why, tree) => {
      const step = { stepId, why, decision: "re-run", costNanos: 1 } as const;
      const lines = renderReusePlan({ steps: [step, step], tree }, { width: 80 }).split("\n");
      expect(lines).toHaveLength(6);
      for (const line of lines) {
        expect(line).not.toMatch(UNPRINTABLE);
        expect(line).not.toMatch(/^\s*::|##\[|##vso\[/i);
      }
    }),
    { numRuns: 300 },
  );
});
