import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { arch, cpus, platform, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { seeded } from "../support/killer.ts";
import { layGround } from "./crash/ground.ts";
import { formatCase, parseCase, placesOf } from "./crash/plan-cases.ts";
import { type DoneCase, type Proof, proveCrash } from "./crash/prove-crash.ts";
import { effectRows, renderRows, renderViolations, sumOf } from "./crash/report.ts";

/** The project's own folder. */
const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const PROGRESS_EVERY = 50;

const { values } = parseArgs({
  options: {
    /** Default: every place of the run once, and 1,000 at least. */
    kills: { type: "string" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    jobs: { type: "string", default: "2" },
    /** Another build than the one in dist. */
    binary: { type: "string", default: join(ROOT, "dist", "main.js") },
    /** May be repeated; nothing is written to `results` then. */
    case: { type: "string", multiple: true },
  },
});
const seed = Number(values.seed);
const folder = realpathSync(mkdtempSync(join(tmpdir(), "ccp-prove-")));
const startedAt = performance.now();
process.stdout.write(`seed ${seed}\n`);
try {
  const proof = await proveCrash(layGround(folder, values.binary), {
    kills: values.kills === undefined ? null : Number(values.kills),
    chance: seeded(seed),
    jobs: Number(values.jobs),
    only: values.case?.map(parseCase) ?? null,
    onCase: progress(),
  });
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  const violated = proof.cases.filter(({ outcome }) => outcome.violations.length > 0);
  process.stdout.write(`\n${renderRows(effectRows(proof))}\n${summary(proof, seconds)}\n`);
  if (values.case === undefined) writeFigures(proof, seconds);
  process.exitCode = violated.length > 0 ? 1 : 0;
} finally {
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}

function progress(): (done: DoneCase) => void {
  let [cases, kills] = [0, 0];
  return (done) => {
    cases += 1;
    kills += done.outcome.killed.length;
    if (done.outcome.violations.length > 0) process.stdout.write(renderViolations(done));
    if (cases % PROGRESS_EVERY === 0) process.stdout.write(`${cases} cases, ${kills} kills\n`);
  };
}

function summary({ course, cases }: Proof, seconds: number): string {
  const kills = cases.flatMap(({ outcome }) => outcome.killed);
  const violated = cases.filter(({ outcome }) => outcome.violations.length > 0).length;
  return [
    `${cases.length} runs, ${kills.length} kills, ${kills.filter(({ process }) => process > 0).length} of them while going on;`,
    `${course.hits.length} points in ${placesOf(course.hits).length} places; ${kills.filter(({ open }) => open.length > 0).length} kills in flight;`,
    `${violated} violated; ${seconds} s`,
  ].join(" ");
}

function writeFigures(proof: Proof, seconds: number): void {
  const rows = effectRows(proof);
  const violated = proof.cases.filter(({ outcome }) => outcome.violations.length > 0);
  const figures = {
    at: new Date().toISOString(),
    machine: { node: process.version, platform: platform(), arch: arch(), cpus: cpus().length, cpu: cpus()[0]?.model },
    seed,
    seconds,
    runs: proof.cases.length,
    places: placesOf(proof.course.hits).length,
    all: sumOf("all", rows),
    effects: rows,
    violations: violated.map(({ kills, outcome }) => ({ case: formatCase(kills), lines: outcome.violations })),
  };
  const results = join(ROOT, "results", "prove");
  mkdirSync(results, { recursive: true });
  writeFileSync(join(results, "crash.json"), `${JSON.stringify(figures, null, 2)}\n`);
}
