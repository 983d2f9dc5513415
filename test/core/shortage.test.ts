import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Budget, Scope } from "../../src/core/budget.ts";
import { foldRun } from "../../src/core/fold-run.ts";
import { raisedBudgets } from "../../src/core/override.ts";
import type { Pipeline } from "../../src/core/pipeline.ts";
import { raiseFor } from "../../src/core/shortage.ts";
import { callReserved, callSettled, runCreated } from "../support/events.ts";
import { agent, pipelineOf } from "../support/pipelines.ts";

const CENT = 10_000_000;

/** A pipeline with these ceilings, and a run on it whose doer has spent so much. */
function worldOf(budget: Budget, doer: Budget, spent: number) {
  const plain = pipelineOf([agent("build", "doer", [])]);
  const roles = { doer: { ...plain.roles.doer, budget: doer } } as Pipeline["roles"];
  const pipeline: Pipeline = { ...plain, budget, roles };
  const budgets: Partial<Record<Scope, Budget>> = { run: budget, "role:doer": doer };
  const call = callReserved("c", spent, spent);
  const events = [runCreated("r-a", budgets), call, callSettled(call, spent, spent)];
  return {
    pipeline,
    run: foldRun(
      "r-a",
      events.map((event, index) => ({ ...event, seq: index + 1, at: 0 })),
    ),
  };
}

/** What the command that is named would make of the ceilings. */
function ceilingsAfter(flag: string, { run, pipeline }: ReturnType<typeof worldOf>) {
  const [, name, plus, amount] = /^--(budget|tokens) (\+?)([\d.]+)$/.exec(flag) ?? [];
  const field = name === "budget" ? "maxCostNanos" : "maxTokens";
  const given = name === "budget" ? Math.round(Number(amount) * 1e9) : Number(amount);
  return raisedBudgets(pipeline, { [field]: (plus ? (run.budgets.run?.[field] ?? Number.NaN) : 0) + given });
}

describe("the flag with which a run goes on", () => {
  test("gives what the call needs, a dollar at least", () => {
    const world = worldOf({ maxCostNanos: 2e9 }, {}, 2e9);
    expect(raiseFor(world.run, world.pipeline, { unit: "money", needed: 5, role: "doer" })).toBe("--budget +1.00");
  });

  test("gives the run so much that the role's share holds the call", () => {
    const world = worldOf({ maxCostNanos: 1000 * CENT }, { maxCostNanos: 9 * CENT }, 9 * CENT);
    const flag = raiseFor(world.run, world.pipeline, { unit: "money", needed: 9 * CENT, role: "doer" });
    expect(ceilingsAfter(flag, world)["role:doer"]?.maxCostNanos).toBeGreaterThanOrEqual(18 * CENT);
  });

  test("is in tokens where tokens are short, and names a whole ceiling where the run has none to add to", () => {
    const world = worldOf({}, { maxTokens: 10_000 }, 9_000);
    const flag = raiseFor(world.run, world.pipeline, { unit: "tokens", needed: 4_000, role: "doer" });
    expect(flag).toMatch(/^--tokens \d+$/);
    expect(ceilingsAfter(flag, world)["role:doer"]?.maxTokens).toBeGreaterThanOrEqual(13_000);
  });

  test("always makes room for the call, in the run and in the role's share of it", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("money", "tokens" as const),
        fc.option(fc.integer({ min: 1, max: 10_000 })),
        fc.option(fc.integer({ min: 1, max: 10_000 })),
        fc.integer({ min: 0, max: 10_000 }),
        fc.integer({ min: 1, max: 10_000 }),
        (unit, ofRun, ofRole, spent, needed) => {
          const scale = unit === "money" ? CENT : 1;
          const field = unit === "money" ? "maxCostNanos" : "maxTokens";
          const budget = (amount: number | null): Budget => (amount === null ? {} : { [field]: amount * scale });
          if (ofRun !== null && ofRole !== null && ofRole > ofRun) return;
          const world = worldOf(budget(ofRun), budget(ofRole), spent * scale);
          const shortage = { unit: unit as "money" | "tokens", needed: needed * scale, role: "doer" };
          const after = ceilingsAfter(raiseFor(world.run, world.pipeline, shortage), world);
          for (const scope of ["run", "role:doer"] as const) {
            const ceiling = after[scope]?.[field];
            if (ceiling !== undefined) expect(ceiling).toBeGreaterThanOrEqual((spent + needed) * scale);
          }
        },
      ),
    );
  });
});
