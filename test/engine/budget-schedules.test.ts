import { expect, test } from "vitest";
import { playProcesses } from "../prove/budget-processes.ts";
import { playSchedule } from "../prove/budget-schedule.ts";
import { diceOf, planOf } from "../prove/budget-world.ts";
import { seeded } from "../support/killer.ts";
import { tempDir } from "../support/temp.ts";

const SCHEDULES = Number(process.env.CCP_SCHEDULES ?? 120);
const SEED = Number(process.env.CCP_SCHEDULE_SEED ?? 20_261);

test(`no ceiling is ever exceeded, and no bill is missed, over ${SCHEDULES} schedules of calls, failures and crashes (seed ${SEED})`, async () => {
  const directory = tempDir("ccp-schedules");
  const tally = { calls: 0, lost: 0, refused: 0, crashes: 0 };
  for (let serial = 0; serial < SCHEDULES; serial++) {
    const dice = diceOf(seeded(SEED * 1_000_003 + serial));
    const outcome = await playSchedule(planOf(dice, serial), dice, directory);
    expect(outcome.violations, `schedule ${serial} of seed ${SEED}: npm run prove:budget -- --seed ${SEED}`).toEqual(
      [],
    );
    for (const name of ["calls", "lost", "refused", "crashes"] as const) tally[name] += outcome[name];
  }
  // What the schedules are for has come up in them.
  for (const count of Object.values(tally)) expect(count).toBeGreaterThan(0);
}, 180_000);

test(`nor among real processes that share a day's ceiling and are killed at any moment (seed ${SEED})`, async () => {
  const dice = diceOf(seeded(SEED));
  const outcome = await playProcesses(planOf(dice, 0), dice, tempDir("ccp-processes"));
  expect(outcome.violations).toEqual([]);
  expect(outcome.calls).toBeGreaterThan(0);
  expect(outcome.looks).toBeGreaterThan(10);
}, 120_000);
