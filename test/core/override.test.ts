import { describe, expect, test } from "vitest";
import type { Budget } from "../../src/core/budget.ts";
import { raisedBudgets } from "../../src/core/override.ts";
import type { Pipeline } from "../../src/core/pipeline.ts";

function pipeline(run: Budget, roles: Readonly<Record<string, Budget>>): Pipeline {
  const named = Object.entries(roles).map(([name, budget]) => [name, { name, budget }]);
  return { budget: run, roles: Object.fromEntries(named) } as unknown as Pipeline;
}

describe("the roles' ceilings under a new one of the run", () => {
  test("keep the proportions that the pipeline gave them", () => {
    const given = pipeline({ maxTokens: 1000 }, { planner: { maxTokens: 250 }, doer: { maxTokens: 500 } });
    expect(raisedBudgets(given, { maxTokens: 4000 })).toEqual({
      run: { maxTokens: 4000 },
      "role:planner": { maxTokens: 1000 },
      "role:doer": { maxTokens: 2000 },
    });
  });

  test("a role without a ceiling under a run that has one gets none: its author has said so", () => {
    const given = pipeline({ maxCostNanos: 10 }, { doer: {} });
    expect(raisedBudgets(given, { maxCostNanos: 40 })).toEqual({ run: { maxCostNanos: 40 }, "role:doer": {} });
  });

  test("a run that gets its first ceiling shares it, and a role's own stays within it", () => {
    const given = pipeline({}, { planner: {}, doer: { maxTokens: 900 } });
    expect(raisedBudgets(given, { maxTokens: 400 })).toEqual({
      run: { maxTokens: 400 },
      "role:planner": { maxTokens: 100 },
      "role:doer": { maxTokens: 400 },
    });
  });

  test("a ceiling of nothing has no proportions: the usual shares are given", () => {
    const given = pipeline({ maxCostNanos: 0 }, { planner: { maxCostNanos: 0 }, doer: { maxCostNanos: 0 } });
    expect(raisedBudgets(given, { maxCostNanos: 100 })).toMatchObject({
      "role:planner": { maxCostNanos: 25 },
      "role:doer": { maxCostNanos: 75 },
    });
  });
});
