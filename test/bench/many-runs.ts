import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { SqliteStore } from "../../src/store/sqlite-store.ts";
import { ROOT } from "../smoke/smoke.ts";
import { runCreated } from "../support/events.ts";
import { callFacts } from "./agent-work.ts";
import { inFolder, inMemory } from "./folder.ts";
import { EMPTY_TREE } from "./idle-parts.ts";
import { medians } from "./median.ts";
import { aim, ms, row } from "./rows.ts";
import { makeSampleRepository, type SampleRepository } from "./sample-repository.ts";

const RUNS = 10_000;
/** Every hundredth died on the way: whether somebody still owns it has to be looked up. */
const INTERRUPTED = 100;
const ROUNDS = 9;
const AIM_MS = 200;

/** Medians, in milliseconds from spawn to exit, over a journal of 10,000 runs. */
export interface ManyRunsFigures {
  readonly runs: number;
  readonly versionMs: number;
  readonly runsMs: number;
}

/** `ccp runs` and `ccp --version` in turns. */
export function measureManyRuns(): Promise<ManyRunsFigures> {
  return inFolder(async (folder) => {
    const sample = makeSampleRepository(folder);
    // Each run takes a commit, and none of them has to outlive a power cut.
    await inMemory((state) => {
      recordRuns(state);
      mkdirSync(sample.stateDir);
      copyFileSync(join(state, "ccp.db"), join(sample.stateDir, "ccp.db"));
    });
    const rounds = Array.from({ length: ROUNDS + 1 }, () => ({
      versionMs: commandMs(sample, "--version"),
      runsMs: commandMs(sample, "runs"),
    }));
    // The first fills the compile cache.
    return { runs: RUNS, ...medians(rounds.slice(1)) };
  });
}

/** The report's lines. */
export function manyRunsLines({ runs, versionMs, runsMs }: ManyRunsFigures): readonly string[] {
  return [
    `a journal of ${runs.toLocaleString("en")} runs, median of ${ROUNDS}, taken in turns`,
    row("ccp --version", ms(versionMs)),
    row("ccp runs", ms(runsMs), aim("200 ms at most", runsMs <= AIM_MS)),
  ];
}

function recordRuns(stateDir: string): void {
  const store = new SqliteStore(stateDir);
  const now = Date.now();
  for (let ordinal = 0; ordinal < RUNS; ordinal++) {
    const rid = `r-${ordinal.toString(36).padStart(6, "0")}`;
    const at = now - (RUNS - ordinal) * 60_000;
    const calls = callFacts({ rid, stepId: "build", conversation: 1, turn: 1, tree: EMPTY_TREE });
    const end = {
      type: "run.ended",
      status: "succeeded",
      exitCode: 0,
      reason: null,
      hint: `ccp apply ${rid}`,
    } as const;
    const isEnded = ordinal % INTERRUPTED !== 0;
    store.create(rid, [runCreated(rid), ...calls.map(({ event }) => event), ...(isEnded ? [end] : [])], at);
    store.release(rid);
  }
  store.close();
}

function commandMs({ root, env }: SampleRepository, command: string): number {
  const startedAt = performance.now();
  const { status, stderr } = spawnSync(process.execPath, [join(ROOT, "dist", "main.js"), command], {
    cwd: root,
    env,
    encoding: "utf8",
  });
  const taken = performance.now() - startedAt;
  if (status !== 0) throw new Error(`ccp ${command} ended with ${status}\n${stderr}`);
  return taken;
}
