import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { WIRES } from "./agent/answers.ts";
import { figuresOf, violationsOf } from "./failover/judge.ts";
import { type Play, play } from "./failover/play.ts";
import { type Outcome, reportOf } from "./failover/report.ts";
import { AFTER, BEFORE } from "./failover/scenarios.ts";

const ROOT = join(import.meta.dirname, "..", "..");

const { values } = parseArgs({
  options: {
    jobs: { type: "string", default: "2" },
    /** Only what has this in its id or its wire. */
    only: { type: "string", default: "" },
    binary: { type: "string", default: join(ROOT, "dist", "main.js") },
    out: { type: "string", default: join(ROOT, "results", "prove", "failover") },
  },
});

const startedAt = performance.now();
const plays = [...BEFORE, ...AFTER].flatMap((scenario) => scenario.wires.map((wire): Play => ({ scenario, wire })));
const outcomes = await playAll(plays.filter(isAsked));
const seconds = Math.round((performance.now() - startedAt) / 1000);
const report = reportOf(outcomes, { seconds, wires: WIRES });
process.stdout.write(`${report.table}\n`);
for (const violation of report.json.violations) process.stdout.write(`✗ ${violation}\n`);
if (values.only === "") {
  mkdirSync(dirname(values.out), { recursive: true });
  writeFileSync(`${values.out}.json`, `${JSON.stringify(report.json, null, 2)}\n`);
  writeFileSync(`${values.out}.md`, report.markdown);
}
process.exitCode = report.json.violations.length === 0 ? 0 : 1;

function isAsked({ scenario, wire }: Play): boolean {
  return [scenario.id, wire].some((name) => name.includes(values.only));
}

async function playAll(all: readonly Play[]): Promise<readonly Outcome[]> {
  const done: Outcome[] = [];
  let next = 0;
  const worker = async () => {
    for (let one = all[next++]; one; one = all[next++]) {
      const of = one;
      const outcome = await play(of, values.binary, (played) => ({
        play: of,
        violations: violationsOf(played),
        figures: figuresOf(played),
      }));
      done.push(outcome);
      for (const violation of outcome.violations)
        process.stdout.write(`${of.scenario.id} · ${of.wire}: ${violation}\n`);
    }
  };
  await Promise.all(Array.from({ length: Number(values.jobs) }, worker));
  return done;
}
