import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { ROOT } from "../smoke/smoke.ts";
import { median, medians } from "./median.ts";
import { ms, row, times } from "./rows.ts";

const ROUNDS = 9;

/** One run, taken apart. Milliseconds; what overlaps counts once. */
interface RunFigures {
  readonly totalMs: number;
  readonly gitMs: number;
  readonly gitCalls: number;
  readonly testsMs: number;
  readonly tests: number;
  readonly restMs: number;
}

/** Medians of several runs, and an estimate of what it takes to start git, once. */
export interface RunsFigures {
  readonly run: RunFigures;
  readonly gitSpawnMs: number;
}

/** From, to: milliseconds since 1970. */
type Span = readonly [number, number];

/** The scripted run, again and again. */
export function measureRuns(): RunsFigures {
  const spawnMs = gitSpawnMs();
  // The first fills the compile cache and the file cache.
  const runs = Array.from({ length: ROUNDS + 1 }, measureRun);
  return { run: medians(runs.slice(1)), gitSpawnMs: spawnMs };
}

/** The report's lines. `nodeMs`: what node takes to start. */
export function runLines({ run, gitSpawnMs: spawnMs }: RunsFigures, nodeMs: number): readonly string[] {
  const { totalMs, gitMs, gitCalls, testsMs, tests, restMs } = run;
  return [
    `planner, doer, test and reviewer on the sample, scripted, no sandbox, median of ${ROUNDS}`,
    row("total", ms(totalMs), "process start to exit"),
    row("git", ms(gitMs), `${gitCalls} calls, by git's own trace2 clock`),
    row("tests", ms(testsMs), `${tests} runs of npm test, by a clock around npm`),
    row("the rest", ms(restMs), `${times(totalMs, totalMs - restMs)} of git and tests alone`),
    row("  of which", ms(gitCalls * spawnMs), `starting ${gitCalls} git processes (${ms(spawnMs)} each, estimated)`),
    row("  of which", ms(nodeMs), "starting node"),
  ];
}

/**
 * The demo's project, transcript and pipeline, without the transcript's pauses. Git tells its times itself (trace2, set
 * in the home's own configuration: ccp hands no variable of tracing on); a wrapper around npm notes those of the tests.
 */
function measureRun(): RunFigures {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "ccp-bench-")));
  try {
    const bench = prepare(folder);
    const startedAt = performance.now();
    const { status, stderr } = spawnSync(process.execPath, [join(ROOT, "dist", "main.js"), ...bench.argv], {
      cwd: bench.sample,
      env: bench.env,
      encoding: "utf8",
    });
    const totalMs = performance.now() - startedAt;
    if (status !== 0) throw new Error(`the run ended with ${status}\n${stderr}`);
    const [git, tests] = [gitSpans(bench.trace), testSpans(bench.times)];
    const [gitMs, testsMs] = [covered(git), covered(tests)];
    // The project's tests call no git, so that the two do not overlap.
    return {
      totalMs,
      gitMs,
      gitCalls: git.length,
      testsMs,
      tests: tests.length,
      restMs: totalMs - covered([...git, ...tests]),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What it takes to start git and to see it end, beyond what git's own clock says. */
function gitSpawnMs(): number {
  const taken = Array.from({ length: 25 }, () => {
    const startedAt = performance.now();
    spawnSync("git", ["--version"], { stdio: "ignore" });
    return performance.now() - startedAt;
  });
  return median(taken);
}

function prepare(folder: string) {
  const at = (name: string) => join(folder, name);
  const [sample, home, bin, trace, times] = [at("sample"), at("home"), at("bin"), at("git.trace"), at("tests.times")];
  for (const path of [home, bin]) mkdirSync(path);
  cpSync(join(ROOT, "templates", "demo", "project"), sample, { recursive: true });
  const transcript = readFileSync(join(ROOT, "templates", "demo", "transcript.yaml"), "utf8");
  writeFileSync(at("transcript.yaml"), transcript.replaceAll(/^\s*delay_ms:.*\n/gm, ""));
  // The clock around npm writes outside of the worktree, which a sandbox would not let it do.
  const pipeline = readFileSync(join(ROOT, "pipelines", "plan-build-test-review.yaml"), "utf8");
  writeFileSync(at("pipeline.yaml"), `${pipeline}\nsandbox: off\n`);
  const identity = ["-c", "user.name=Bench", "-c", "user.email=bench@example.invalid"];
  for (const args of [
    ["init", "--quiet", "--initial-branch=main"],
    ["add", "--all"],
    ["commit", "--quiet", "-m=start"],
  ])
    execFileSync("git", [...identity, ...args], { cwd: sample });

  writeFileSync(join(home, ".gitconfig"), `[trace2]\n\teventTarget = ${trace}\n`);
  const npm = programOnPath("npm");
  const wrapper = `#!/bin/bash\nbegun=$EPOCHREALTIME\n"${npm}" "$@"\ncode=$?\necho "$begun $EPOCHREALTIME" >> "${times}"\nexit $code\n`;
  writeFileSync(join(bin, "npm"), wrapper);
  chmodSync(join(bin, "npm"), 0o755);
  const env = {
    PATH: `${bin}:${dirname(process.execPath)}:${process.env.PATH ?? ""}`,
    HOME: home,
    LANG: "C.UTF-8",
    TERM: "dumb",
  };
  const argv = [
    "run",
    "--pipeline",
    at("pipeline.yaml"),
    "--transcript",
    at("transcript.yaml"),
    "--json",
    "Mend the tests.",
  ];
  return { sample, env, argv, trace, times };
}

function programOnPath(name: string): string {
  const found = (process.env.PATH ?? "")
    .split(":")
    .map((folder) => join(folder, name))
    .find(existsSync);
  if (found === undefined) throw new Error(`${name} is not on the PATH`);
  return found;
}

/** Processes that git starts itself have a slash in their session's id: their time is in their parent's. */
function gitSpans(trace: string): readonly Span[] {
  const begun = new Map<string, number>();
  const spans: Span[] = [];
  for (const line of readFileSync(trace, "utf8").split("\n").filter(Boolean)) {
    const { event, sid, time } = JSON.parse(line) as {
      readonly event: string;
      readonly sid: string;
      readonly time: string;
    };
    if (sid.includes("/")) continue;
    if (event === "start") begun.set(sid, instant(time));
    if (event === "atexit") spans.push([begun.get(sid) ?? instant(time), instant(time)]);
  }
  return spans;
}

/** `2026-11-20T09:59:15.123456Z`, microseconds kept. */
function instant(time: string): number {
  return Date.parse(`${time.slice(0, 19)}Z`) + Number(`0${time.slice(19, -1)}`) * 1000;
}

function testSpans(times: string): readonly Span[] {
  const lines = readFileSync(times, "utf8").trim().split("\n");
  return lines.map((line) => line.split(" ").map((seconds) => Number(seconds) * 1000) as unknown as Span);
}

/** Length of the union. */
function covered(spans: readonly Span[]): number {
  let [total, end] = [0, 0];
  for (const [from, to] of spans.toSorted(([a], [b]) => a - b)) {
    total += Math.max(0, to - Math.max(from, end));
    end = Math.max(end, to);
  }
  return total;
}
