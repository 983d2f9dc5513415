import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Pipeline, ShellStep } from "../../src/core/pipeline.ts";
import { createEngine } from "../../src/engine/engine.ts";
import { openResults } from "../../src/workspace/results.ts";
import type { ChainFigures } from "./chain-figures.ts";
import { inFolder } from "./folder.ts";
import { EMPTY_TREE, idleParts, unhurried } from "./idle-parts.ts";

/** Program: `no-op-chain.ts STEPS [files]` drives chains of commands that do nothing and prints the figures of the last. */
const [steps = "100", files] = process.argv.slice(2);
// What the first runs is slower than what comes later: the compiler learns. Nothing of it is in the figures.
for (let round = 0; round < 3; round++) await inFolder((folder) => driveChain(folder, 100, false));
process.stdout.write(JSON.stringify(await inFolder((folder) => driveChain(folder, Number(steps), files === "files"))));

/** `withFiles`: what a run leaves in `results/` is written, too. */
async function driveChain(folder: string, length: number, withFiles: boolean): Promise<ChainFigures> {
  const parts = idleParts(join(folder, "state"));
  const engine = createEngine(withFiles ? { ...parts, results: resultsIn(folder) } : parts);
  const base = { commit: "0".repeat(40), tree: EMPTY_TREE, dirty: false, branch: null };
  const ends: number[] = [];
  const listener = unhurried((event) => {
    if (event.type === "step.finished") ends.push(performance.now());
  });
  const spec = { pipeline: chainOf(length), inputs: {}, task: "Nothing.", base, resultsDir: folder };
  const startedAt = performance.now();
  const run = await engine.start({ ...spec, ccpVersion: "bench", parent: null, inherited: [] }, listener);
  const totalMs = performance.now() - startedAt;
  parts.store.close();
  if (run.status !== "succeeded") throw new Error(`the chain ended ${run.status}: ${run.end?.reason}`);
  const endOf = (step: number) => ends[step - 1] ?? startedAt;
  return {
    msPerStep: totalMs / length,
    firstHundredMs: (endOf(100) - endOf(0)) / 100,
    lastHundredMs: (endOf(length) - endOf(length - 100)) / 100,
    bytesPerStep: statSync(join(folder, "state", "ccp.db")).size / length,
  };
}

function resultsIn(folder: string) {
  const commonDir = join(folder, ".git");
  mkdirSync(commonDir);
  return openResults({ root: folder, commonDir, dir: "results" });
}

function chainOf(length: number): Pipeline {
  return {
    name: "chain",
    description: null,
    inputs: {},
    budget: {},
    workspace: { copy: [], setup: null },
    sandbox: "auto",
    onLostCall: "retry",
    roles: {},
    steps: Array.from({ length }, (_, index) => stepOf(index + 1)),
    messages: {},
  };
}

function stepOf(ordinal: number): ShellStep {
  return {
    kind: "shell",
    id: `step-${ordinal}`,
    needs: ordinal === 1 ? [] : [`step-${ordinal - 1}`],
    attempts: 1,
    timeoutMs: null,
    artifact: null,
    env: [],
    onFailure: null,
    command: { kind: "text", text: "true" },
    changes: "discard",
    check: false,
  };
}
