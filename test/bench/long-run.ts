import { spawn, spawnSync } from "node:child_process";
import { statSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../smoke/smoke.ts";
import { inFolder } from "./folder.ts";
import { type LongRun, recordLongRun } from "./long-run-journal.ts";
import { medians } from "./median.ts";
import { runProgram } from "./program.ts";
import { aim, ms, row } from "./rows.ts";
import { makeSampleRepository, type SampleRepository } from "./sample-repository.ts";

const ROUNDS = 5;
const AIM_MS = 300;

/** Milliseconds, each of a new process. */
interface Timings {
  readonly nodeMs: number;
  /** The store opened and the run folded; what node takes to start is not in it. */
  readonly openMs: number;
  /** The same, then the run taken and driven until its agent asks a model. */
  readonly resumeMs: number;
  /** `ccp resume`, from the start of its process until it reports its first call. */
  readonly commandMs: number;
}

/** Medians, and what it was that was opened. */
export interface LongRunFigures extends Timings, Omit<LongRun, "rid" | "tree"> {
  readonly databaseBytes: number;
}

/** A run of 100,000 events that was killed in the middle of its last step. */
export function measureLongRun(): Promise<LongRunFigures> {
  return inFolder(async (folder) => {
    const sample = makeSampleRepository(folder);
    const { rid, tree, ...recorded } = recordLongRun(sample, folder);
    const databaseBytes = statSync(join(sample.stateDir, "ccp.db")).size;
    const rounds: Timings[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      rounds.push({
        nodeMs: nodeStartMs(),
        openMs: runProgram<number>("open-run.ts", ["open", sample.stateDir, rid]),
        resumeMs: runProgram<number>("open-run.ts", ["resume", sample.stateDir, rid, tree]),
        commandMs: await untilFirstCallMs(sample, rid),
      });
    }
    return { ...recorded, databaseBytes, ...medians(rounds) };
  });
}

/** The report's lines. */
export function longRunLines(figures: LongRunFigures): readonly string[] {
  const { events, nodeMs, openMs, resumeMs, commandMs } = figures;
  return [
    `a run of ${events.toLocaleString("en")} events, killed in its last step, median of ${ROUNDS}`,
    row("node -e 0", ms(nodeMs)),
    row("open", ms(openMs), "store opened, events folded, beside the start of node"),
    row("open and resume", ms(resumeMs), `to the first model call (${aim("300 ms at most", resumeMs <= AIM_MS)})`),
    row("ccp resume", ms(commandMs), "process start to the first model call, git and worktree looked at"),
  ];
}

function nodeStartMs(): number {
  const startedAt = performance.now();
  spawnSync(process.execPath, ["-e", "0"]);
  return performance.now() - startedAt;
}

/** Then it is killed, as it was before: the next round finds the same run with a call more that was lost. */
function untilFirstCallMs({ root, env }: SampleRepository, rid: string): Promise<number> {
  const startedAt = performance.now();
  const argv = [join(ROOT, "dist", "main.js"), "resume", rid, "--json"];
  const child = spawn(process.execPath, argv, { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
  let [seen, said, takenMs] = ["", "", 0];
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    seen += text;
    if (takenMs > 0 || !seen.includes('"type":"call.reserved"')) return;
    takenMs = performance.now() - startedAt;
    child.kill("SIGKILL");
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", () => (takenMs > 0 ? resolve(takenMs) : reject(new Error(`ccp resume asked nobody\n${said}`))));
  });
}
