import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "../smoke/smoke.ts";
import { median } from "./median.ts";
import { aim, ms, row, times } from "./rows.ts";

/** Enough that one busy moment of the machine does not move the median. */
const ROUNDS = 25;

/** Milliseconds from spawn to exit. */
export interface StartupFigures {
  readonly nodeMs: number;
  readonly versionMs: number;
  readonly helpMs: number;
}

const BINARY = join(ROOT, "dist", "main.js");
const COMMANDS: Readonly<Record<keyof StartupFigures, readonly string[]>> = {
  nodeMs: ["-e", "0"],
  versionMs: [BINARY, "--version"],
  helpMs: [BINARY, "--help"],
};

/** Each round takes every command once, so that whatever else the machine does falls on all alike. */
export function measureStartup(): StartupFigures {
  // As a user has it: a home of one's own, and a compile cache that the first start has filled.
  const home = mkdtempSync(join(tmpdir(), "ccp-bench-home-"));
  const env = { PATH: process.env.PATH ?? "", HOME: home, TMPDIR: home };
  const taken: Record<keyof StartupFigures, number[]> = { nodeMs: [], versionMs: [], helpMs: [] };
  const names = Object.keys(COMMANDS) as (keyof StartupFigures)[];
  for (let round = -2; round < ROUNDS; round++) {
    for (const name of names) {
      const ms = timed(COMMANDS[name], env);
      if (round >= 0) taken[name].push(ms);
    }
  }
  rmSync(home, { recursive: true, force: true });
  return { nodeMs: median(taken.nodeMs), versionMs: median(taken.versionMs), helpMs: median(taken.helpMs) };
}

/** The report's lines. */
export function startupLines({ nodeMs, versionMs, helpMs }: StartupFigures): readonly string[] {
  const beside = (figure: number) => `${times(figure, nodeMs)} (${aim("2x at most", figure <= 2 * nodeMs)})`;
  return [
    `start-up, median of ${ROUNDS}, taken in turns`,
    row("node -e 0", ms(nodeMs)),
    row("ccp --version", ms(versionMs), beside(versionMs)),
    row("ccp --help", ms(helpMs), beside(helpMs)),
  ];
}

function timed(argv: readonly string[], env: Readonly<Record<string, string>>): number {
  const startedAt = performance.now();
  const { status } = spawnSync(process.execPath, argv, { env, stdio: "ignore" });
  const ms = performance.now() - startedAt;
  if (status !== 0) throw new Error(`node ${argv.join(" ")} ended with ${status}`);
  return ms;
}
