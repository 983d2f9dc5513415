import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Confinement } from "../../src/core/confinement.ts";
import { createProcesses } from "../../src/workspace/processes.ts";
import { findSandbox } from "../../src/workspace/sandbox/find-sandbox.ts";
import { createHold } from "../../src/workspace/sandbox/hold.ts";
import { inFolder } from "./folder.ts";
import { median } from "./median.ts";
import { ms, row } from "./rows.ts";

const ROUNDS = 25;

/** Milliseconds of a command that does nothing, medians. `heldMs` null: there is no sandbox here. */
export interface HeldFigures {
  readonly bareMs: number;
  readonly heldMs: number | null;
}

/** With a sandbox and without, in turns. */
export function measureHeld(): Promise<HeldFigures> {
  return inFolder(async (folder) => {
    const at = (name: string) => join(folder, name);
    for (const name of ["tree", "repository/.git/ccp", "run"]) mkdirSync(at(name), { recursive: true });
    const env = { PATH: process.env.PATH ?? "", LANG: "C.UTF-8" };
    const places = {
      rid: "r-bench1",
      worktree: at("tree"),
      userRoot: at("repository"),
      commonDir: at("repository/.git"),
    };
    const hold = createHold({ ...places, env, stateDir: null, environment: process.env });
    const spec = { rid: "r-bench1", family: "bench", root: at("tree"), folder: at("run"), env, hold };
    const processes = createProcesses(spec);
    const run = async (confinement?: Confinement) => {
      const startedAt = performance.now();
      const { signal } = new AbortController();
      const request = { command: ":", env: {}, timeoutMs: null, signal, ...(confinement ? { confinement } : {}) };
      const { exitCode } = await processes.run(request);
      if (exitCode !== 0) throw new Error(`: ended with ${exitCode}`);
      return performance.now() - startedAt;
    };
    const canHold = findSandbox(process.env).driver !== null;
    const [bare, held]: [number[], number[]] = [[], []];
    for (let round = -2; round < ROUNDS; round++) {
      const bareMs = await run();
      const heldMs = canHold ? await run({ writes: "worktree", network: "none" }) : 0;
      if (round < 0) continue;
      bare.push(bareMs);
      held.push(heldMs);
    }
    return { bareMs: median(bare), heldMs: canHold ? median(held) : null };
  });
}

/** The report's lines. */
export function heldLines({ bareMs, heldMs }: HeldFigures): readonly string[] {
  return [
    `a command that does nothing, median of ${ROUNDS}, taken in turns`,
    row("bare", ms(bareMs)),
    heldMs === null ? row("in a sandbox", "none here") : row("in a sandbox", ms(heldMs), `${ms(heldMs - bareMs)} more`),
  ];
}
