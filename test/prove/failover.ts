import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { WIRES } from "./agent/answers.ts";
import { ownAccounts, recordedAccounts } from "./failover/accounts.ts";
import { type Flapped, flap } from "./failover/flap.ts";
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
const outcomes: Outcome[] = [];
const flapped: Flapped[] = [];
await atOnce([
  ...plays.filter(isAsked).map((one) => async () => void outcomes.push(await playOne(one))),
  ...WIRES.filter((wire) => ["S15", wire].some((name) => name.includes(values.only))).map(
    (wire) => async () => void flapped.push(await flap(wire, values.binary)),
  ),
]);
const accounts = { own: await ownAccounts(), recorded: await recordedAccounts(process.env.CCP_WIRE) };
const seconds = Math.round((performance.now() - startedAt) / 1000);
const report = reportOf({ outcomes, flapped, accounts, seconds });
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

async function playOne(one: Play): Promise<Outcome> {
  const outcome = await play(one, values.binary, (played) => ({
    play: one,
    violations: violationsOf(played),
    figures: figuresOf(played),
  }));
  for (const violation of outcome.violations) process.stdout.write(`${one.scenario.id} · ${one.wire}: ${violation}\n`);
  return outcome;
}

/** Carries them out, so many side by side. */
async function atOnce(all: readonly (() => Promise<void>)[]): Promise<void> {
  let next = 0;
  const worker = async () => {
    for (let one = all[next++]; one; one = all[next++]) await one();
  };
  await Promise.all(Array.from({ length: Number(values.jobs) }, worker));
}
