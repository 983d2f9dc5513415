import type { ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { setImmediate as turnOfTheLoop } from "node:timers/promises";
import type { Moment } from "./doors.ts";

/**
 * When a run is killed: at the `nth` line or request of its kind, and so many turns of the event loop after it.
 * `started`: a line that says that a tool or a command has begun.
 */
export interface KillMoment {
  readonly on: "line" | "started" | Moment;
  readonly nth: number;
  readonly turns: number;
}

/** Counts what it sees and kills at its moment. */
export function killerOf(child: ChildProcess, moment: KillMoment) {
  let seen = 0;
  return {
    saw(happened: KillMoment["on"]): void {
      if (happened !== moment.on) return;
      seen += 1;
      if (seen !== moment.nth) return;
      if (moment.turns === 0) child.kill("SIGKILL");
      else void killAfter(child, moment.turns);
    },
  };
}

async function killAfter(child: ChildProcess, turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await turnOfTheLoop();
  child.kill("SIGKILL");
}

/** Standard output, line by line. */
export function linesOf(child: ChildProcess) {
  if (!child.stdout) throw new Error("the binary was started without a pipe");
  return createInterface({ input: child.stdout });
}

/** Numbers from 0 to 1 that a seed repeats (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
