import { setTimeout as wait } from "node:timers/promises";
import { ancestorsOf, environmentOf, programOf, readProcesses } from "./process-table.ts";

/** Processes that belong together: a process group, and whoever carries a variable of the environment (on Linux). */
export interface Family {
  /** Null: only the marker tells. */
  readonly groupId: number | null;
  /** `NAME=value`, as the first process of the family was given it, or how that begins. */
  readonly marker: string;
}

/** What ends a family: how long it may take to end by itself, and how long after SIGTERM, in milliseconds. */
export interface Patience {
  readonly beforeTermMs: number;
  readonly beforeKillMs: number;
}

const FIRST_POLL_MS = 5;
const LONGEST_POLL_MS = 100;
/** Rounds of SIGKILL: a process that starts others faster than they can be killed is met again and again. */
const KILL_ROUNDS = 50;

/**
 * Ends all of a family and returns how many there were. Who has left the group is found by the marker; a process that
 * left the group and also wiped its environment is not found: only a PID namespace could.
 */
export async function endFamily(family: Family, patience: Patience): Promise<number> {
  const count = membersOf(family).length;
  if (count === 0) return 0;
  if (patience.beforeTermMs > 0 && (await isGone(family, patience.beforeTermMs))) return count;
  signal(family, "SIGTERM");
  if (await isGone(family, patience.beforeKillMs)) return count;
  for (let round = 0; round < KILL_ROUNDS; round++) {
    killFamily(family);
    if (await isGone(family, LONGEST_POLL_MS)) break;
  }
  return count;
}

/**
 * Kills every member. The group first, and at one stroke: of one that starts others faster than they can be told apart,
 * none gets away. Who has left the group is stopped before it is killed, so that it starts no more meanwhile.
 */
export function killFamily(family: Family): void {
  if (family.groupId !== null) send(-family.groupId, "SIGKILL");
  signal(family, "SIGSTOP");
  signal(family, "SIGKILL");
}

/**
 * Sends a signal to every member that is alive. A sandbox's own processes are not asked to end: with the first of them
 * all others are killed, and could not tidy up. They end when those do.
 */
export function signal(family: Family, name: "SIGTERM" | "SIGKILL" | "SIGSTOP" | "SIGCONT"): void {
  for (const id of membersOf(family)) if (name !== "SIGTERM" || programOf(id) !== "bwrap") send(id, name);
}

function send(id: number, name: NodeJS.Signals): void {
  try {
    process.kill(id, name);
  } catch {
    // It has ended by itself since.
  }
}

async function isGone(family: Family, withinMs: number): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  for (let pause = FIRST_POLL_MS; membersOf(family).length > 0; pause = Math.min(pause * 2, LONGEST_POLL_MS)) {
    const left = deadline - performance.now();
    if (left <= 0) return false;
    await wait(Math.min(pause, left));
  }
  return true;
}

/** Who is alive of a family. What `process.kill` takes: process ids; where there is no /proc, minus the group's id while the group lives. */
export function membersOf(family: Family): readonly number[] {
  const processes = readProcesses();
  if (processes === null) return family.groupId !== null && groupLives(family.groupId) ? [-family.groupId] : [];
  // ccp may run inside a command of the very run that it cleans up after.
  const spared = ancestorsOf(process.pid, processes);
  return processes
    .filter(({ id, isZombie }) => !isZombie && !spared.has(id))
    .filter(({ id, groupId }) => groupId === family.groupId || carries(id, family.marker))
    .map(({ id }) => id);
}

function groupLives(groupId: number): boolean {
  try {
    return process.kill(-groupId, 0);
  } catch {
    return false;
  }
}

function carries(id: number, marker: string): boolean {
  return environmentOf(id).some((entry) => entry.startsWith(marker));
}
