import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { seeded } from "../support/killer.ts";
import { type ProcessesOutcome, playProcesses } from "./budget-processes.ts";
import { playSchedule, type ScheduleOutcome } from "./budget-schedule.ts";
import { diceOf, planOf } from "./budget-world.ts";

/** A disk that need not be waited for, where there is one: this proof cuts no power. */
const IN_MEMORY = ["/dev/shm"].find((path) => existsSync(path));

const { values } = parseArgs({
  options: {
    schedules: { type: "string", default: "10000" },
    /** So many times several real processes contend for one ceiling, and are killed. */
    processes: { type: "string", default: "20" },
    seed: { type: "string", default: "1" },
    out: { type: "string", default: join(import.meta.dirname, "..", "..", "results", "prove", "budget.json") },
  },
});
const [count, seed] = [Number(values.schedules), Number(values.seed)];
const directory = mkdtempSync(join(IN_MEMORY ?? tmpdir(), "ccp-budget-"));
const startedAt = performance.now();
const outcomes: ScheduleOutcome[] = [];
const contests: ProcessesOutcome[] = [];
try {
  for (let serial = 0; serial < count; serial++) {
    const dice = diceOf(seeded(seed * 1_000_003 + serial));
    // One journal for a few hundred: it is small again then.
    const outcome = await playSchedule(planOf(dice, serial), dice, join(directory, String(Math.floor(serial / 250))));
    outcomes.push(outcome);
    for (const violation of outcome.violations) {
      process.stdout.write(`schedule ${serial} of seed ${seed}: ${violation}\n`);
    }
    if ((serial + 1) % 1000 === 0) process.stdout.write(`${serial + 1} schedules\n`);
  }
  for (let serial = 0; serial < Number(values.processes); serial++) {
    const dice = diceOf(seeded(seed * 1_000_033 + serial));
    const contest = await playProcesses(planOf(dice, serial), dice, join(directory, "processes"));
    contests.push(contest);
    for (const violation of contest.violations) {
      process.stdout.write(`processes ${serial} of seed ${seed}: ${violation}\n`);
    }
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}

const sum = (of: (outcome: ScheduleOutcome) => number) => outcomes.reduce((total, outcome) => total + of(outcome), 0);
const ofContests = (of: (contest: ProcessesOutcome) => number) => contests.reduce((all, one) => all + of(one), 0);
const used = outcomes.flatMap(({ utilisations }) => utilisations).toSorted((a, b) => a - b);
const figures = {
  seed,
  schedules: outcomes.length,
  calls: sum(({ calls }) => calls),
  lostCalls: sum(({ lost }) => lost),
  crashes: sum(({ crashes }) => crashes),
  refusedSteps: sum(({ refused }) => refused),
  violations: sum(({ violations }) => violations.length) + ofContests(({ violations }) => violations.length),
  processSeeds: contests.length,
  processCalls: ofContests(({ calls }) => calls),
  processLostCalls: ofContests(({ lost }) => lost),
  processKills: ofContests(({ kills }) => kills),
  processLooks: ofContests(({ looks }) => looks),
  utilisationMean: used.reduce((total, part) => total + part, 0) / Math.max(1, used.length),
  utilisationMedian: used[Math.floor(used.length / 2)] ?? null,
  utilisationRuns: used.length,
  seconds: Math.round((performance.now() - startedAt) / 1000),
};
for (const [name, value] of Object.entries(figures)) process.stdout.write(`${name.padEnd(18)} ${value}\n`);
mkdirSync(join(values.out, ".."), { recursive: true });
writeFileSync(values.out, `${JSON.stringify({ at: new Date().toISOString(), ...figures }, null, 2)}\n`);
process.exitCode = figures.violations === 0 ? 0 : 1;
