import { expect } from "vitest";
import { makeRepository } from "./git.ts";
import { driven, fileOf, type MockSite, mockSite, type RoleTurn } from "./mock-site.ts";
import type { Done } from "./proof.ts";
import { APPROVAL, PLAN, RED_PROJECT, REJECTION, WORK } from "./scenario.ts";

/** A tool call as a model makes it. */
export const call = (tool: string, args: unknown) => ({ tool, args });
/** A change of the red file. */
export const edit = (old: string, now: string) => call("edit", { path: "sum.mjs", edits: [{ old, new: now }] });

/** What the three roles answer, each in one go. */
export const PLANS: RoleTurn = { role: "planner", turn: 1, calls: [call("finish", PLAN)] };
export const MENDS: RoleTurn = { role: "doer", turn: 1, calls: [edit("a - b", "a + b"), call("finish", WORK)] };
/** It fits only where nobody has mended it before. */
export const MENDS_ANEW: RoleTurn = { role: "doer", turn: 1, calls: [edit("a - b", "b + a"), call("finish", WORK)] };
export const APPROVES: RoleTurn = { role: "reviewer", turn: 1, calls: [call("finish", APPROVAL)] };
export const REJECTS: RoleTurn = { role: "reviewer", turn: 1, calls: [call("finish", REJECTION)] };

/** Steps of a pipeline file. */
export const PLANNER = "  - role: planner\n";
export const DOER = "  - role: doer\n";
export const TEST = "  - { id: test, run: node check.mjs, check: true }\n";
export const REVIEWER = "  - role: reviewer\n";
export const STEPS = PLANNER + DOER + TEST + REVIEWER;

/** A run that has planned, mended and tested, and that the reviewer has turned down. */
export async function rejectedRun(
  file: string = fileOf(STEPS),
  flags: readonly string[] = [],
): Promise<{ readonly on: MockSite; readonly run: Done }> {
  const on = await mockSite(makeRepository(RED_PROJECT));
  on.answer(PLANS, MENDS, REJECTS);
  const run = await driven(on, 1, "run", "--pipeline", on.pipeline(file), ...flags, "Make sum add.");
  expect(on.asked()).toEqual(["planner 1", "doer 1", "reviewer 1"]);
  return { on, run };
}
