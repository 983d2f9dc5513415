import { expect, test } from "vitest";
import { BINARY } from "../support/cli.ts";
import { seeded } from "../support/killer.ts";
import { violationsOf } from "./failover/judge.ts";
import { play } from "./failover/play.ts";
import { AFTER, BEFORE } from "./failover/scenarios.ts";

/** A sample of `npm run prove:failover`: one of each way to decide, on the wires in turn. */
const SAMPLE = ["S01-ms", "S03", "S06-announced", "quota", "S12", "redirect", "S08", "S10-prefix", "stop"];
const SEED = 20_261_120;

const start = Math.floor(seeded(SEED)() * 4);
const plays = [...BEFORE, ...AFTER]
  .filter(({ id }) => SAMPLE.includes(id))
  .map((scenario, index) => ({
    scenario,
    wire: scenario.wires[(start + index) % scenario.wires.length] ?? "openai-chat",
  }));

test.concurrent.each(plays)("$scenario.id, $scenario.title: $wire", async (one) => {
  expect(await play(one, BINARY, violationsOf)).toEqual([]);
});

test("the sample is there", () => {
  expect(plays.map(({ scenario }) => scenario.id).toSorted()).toEqual(SAMPLE.toSorted());
});
