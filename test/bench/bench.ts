import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { arch, cpus, loadavg, platform } from "node:os";
import { join } from "node:path";
import { ROOT } from "../smoke/smoke.ts";
import { median } from "./median.ts";
import { gitSpawnMs, measureRun, type RunFigures } from "./scripted-run.ts";
import { measureStartup, type StartupFigures } from "./startup.ts";

/** Enough that one busy moment of the machine does not move the median. */
const STARTUP_ROUNDS = 25;
const RUN_ROUNDS = 9;

const loadBefore = loadavg()[0];
const startup = measureStartup(STARTUP_ROUNDS);
const spawnMs = gitSpawnMs();
const runs = Array.from({ length: RUN_ROUNDS + 1 }, measureRun);
// The first fills the compile cache and the file cache.
const run = medians(runs.slice(1));
const figures = { machine: machine(), startup, run, gitSpawnMs: spawnMs };

process.stdout.write(report(startup, run, spawnMs));
const folder = join(ROOT, "results", "bench");
mkdirSync(folder, { recursive: true });
writeFileSync(
  join(folder, "latest.json"),
  `${JSON.stringify({ at: new Date().toISOString(), ...figures }, null, 2)}\n`,
);

function medians(all: readonly RunFigures[]): RunFigures {
  const of = (key: keyof RunFigures) => median(all.map((figures) => figures[key]));
  return {
    totalMs: of("totalMs"),
    gitMs: of("gitMs"),
    gitCalls: of("gitCalls"),
    testsMs: of("testsMs"),
    tests: of("tests"),
    restMs: of("restMs"),
  };
}

function report(start: StartupFigures, figures: RunFigures, spawnMs: number): string {
  const { totalMs, gitMs, gitCalls, testsMs, tests, restMs } = figures;
  const starting = gitCalls * spawnMs;
  return [
    `start-up, median of ${STARTUP_ROUNDS}, taken in turns (aim: 2x at most)`,
    row("node -e 0", start.nodeMs, "1.00x"),
    row("ccp --version", start.versionMs, ratio(start.versionMs, start.nodeMs)),
    row("ccp --help", start.helpMs, ratio(start.helpMs, start.nodeMs)),
    "",
    `planner, doer, test and reviewer on the sample, scripted, median of ${RUN_ROUNDS}`,
    row("total", totalMs, "process start to exit"),
    row("git", gitMs, `${gitCalls} calls, by git's own trace2 clock`),
    row("tests", testsMs, `${tests} runs of npm test, by a clock around npm`),
    row("the rest", restMs, `${ratio(totalMs, totalMs - restMs)} of git and tests alone`),
    row("  of which", starting, `starting ${gitCalls} git processes (${spawnMs.toFixed(1)} ms each, estimated)`),
    row("  of which", start.nodeMs, "starting node"),
    "",
    "figures: results/bench/latest.json",
    "",
  ].join("\n");
}

function row(name: string, ms: number, remark: string): string {
  return `  ${name.padEnd(14)} ${ms.toFixed(0).padStart(6)} ms   ${remark}`;
}

function ratio(a: number, b: number): string {
  return `${(a / b).toFixed(2)}x`;
}

function machine() {
  const all = cpus();
  return {
    node: process.versions.node,
    platform: `${platform()} ${arch()}`,
    cpus: `${all.length} x ${all[0]?.model ?? "unknown"}`,
    load: loadBefore,
    ccp: JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")).version as string,
  };
}
