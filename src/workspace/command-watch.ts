import { statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import type { CommandRequest, CommandResult } from "../core/ports.ts";
import type { Limits } from "./limits.ts";
import { type Output, sizeOf } from "./output.ts";
import { tasksOfSystem, writtenBytesOf } from "./process-table.ts";
import { type Family, killFamily, membersOf, signal } from "./survivors.ts";

const POLL_MS = 100;
const TERM_TO_KILL_MS = 2_000;
/** Looking through all processes may take this part of the time. */
const SCAN_PART = 0.1;
/** So often they are looked through without cause: what gives it may be hidden by what others have ended meanwhile. */
const SCAN_MS = 2_000;

/** Why ccp ends a command. */
export type EndedBy = NonNullable<CommandResult["endedBy"]>;

/** What a watch looks at. */
export interface Watched {
  readonly output: Output;
  /** The worktree: its disk is watched, and that of temporary files. */
  readonly root: string;
  readonly limits: Limits;
}

/** An eye on a command that runs. */
export interface CommandWatch {
  /** Ends the command; the first reason stays. */
  end(why: EndedBy): void;
  /** Its shell has ended; what that has left is still watched. Says why it was ended, if it was. */
  shellEnded(): CommandResult["endedBy"];
  /** All of it has ended. Says why it was ended, if it was. */
  close(): CommandResult["endedBy"];
}

/** Ends a command that takes too long, is no longer wanted, or takes too much of the machine. */
export function watchCommand(
  family: Family,
  request: Pick<CommandRequest, "signal" | "timeoutMs">,
  { output, root, limits }: Watched,
): CommandWatch {
  let endedBy: CommandResult["endedBy"] = null;
  let killTimer: NodeJS.Timeout | undefined;
  const end = (why: EndedBy) => {
    const isFirst = endedBy === null;
    endedBy ??= why;
    // What takes too much is not asked to tidy up first, and is met as often as it is found again.
    if (why !== "timeout" && why !== "abort") return killFamily(family);
    if (!isFirst) return;
    signal(family, "SIGTERM");
    killTimer = setTimeout(() => killFamily(family), TERM_TO_KILL_MS);
  };
  const appetite = watchAppetite(family, root, limits);
  const poll = async () => {
    const why = appetite() ?? ((await sizeOf(output)) > limits.outputBytes ? "output-limit" : null);
    if (why !== null) end(why);
  };
  const abort = () => end("abort");
  request.signal.addEventListener("abort", abort, { once: true });
  // It may have come while the shell was being started: then nobody calls.
  if (request.signal.aborted) abort();
  // A poll that comes when the output is closed already finds nothing to measure.
  const pollTimer = setInterval(() => void poll().catch(() => undefined), POLL_MS);
  const timeout = request.timeoutMs === null ? undefined : setTimeout(() => end("timeout"), request.timeoutMs);
  const shellEnded = () => {
    request.signal.removeEventListener("abort", abort);
    clearTimeout(timeout);
    clearTimeout(killTimer);
    return endedBy;
  };
  const close = () => {
    clearInterval(pollTimer);
    return shellEnded();
  };
  return { end, shellEnded, close };
}

/**
 * Says, each time it is asked, whether a command takes too many processes or too much of the disk. The costly looks are
 * taken only where a cheap one gives cause: the system has many more tasks, or much less room, than when it began.
 */
function watchAppetite(family: Family, root: string, limits: Limits): () => EndedBy | null {
  // The fewest so far: what others have running may end meanwhile.
  let otherTasks = tasksOfSystem() ?? 0;
  const disks = [root, tmpdir()].map((path) => ({ path, before: roomAt(path) }));
  let nextScanAt = 0;
  let nextDueAt = performance.now() + SCAN_MS;
  const members = (): readonly number[] => {
    const beganAt = performance.now();
    if (beganAt < nextScanAt) return [];
    const found = membersOf(family);
    nextScanAt = performance.now() + (performance.now() - beganAt) / SCAN_PART;
    nextDueAt = nextScanAt + SCAN_MS;
    return found;
  };
  return () => {
    const rooms = disks.map(({ path, before }) => ({ before, now: roomAt(path) }));
    if (rooms.some(({ before, now }) => isTooFull(before, now, limits))) return "disk-limit";
    const tasks = tasksOfSystem() ?? 0;
    otherTasks = Math.min(otherTasks, tasks);
    const manyTasks = tasks - otherTasks > limits.processes / 2;
    const muchWritten = rooms.some(
      ({ before, now }) => (before?.free ?? 0) - (now?.free ?? 0) > limits.writtenBytes / 2,
    );
    if (!manyTasks && !muchWritten && performance.now() < nextDueAt) return null;
    const ids = members();
    if (ids.length > limits.processes) return "process-limit";
    return muchWritten && writtenBytesOf(ids) > limits.writtenBytes ? "disk-limit" : null;
  };
}

/** Bytes of a disk. */
export interface Room {
  readonly size: number;
  /** Of these, what is free for this user. */
  readonly free: number;
}

/** A disk that was nearly full before has lost at least a quarter of its room: what little others write is not the command's. */
export function isTooFull(
  before: Room | null,
  now: Room | null,
  limits: Pick<Limits, "freeBytes" | "freePart">,
): boolean {
  if (before === null || now === null) return false;
  const floor = Math.min(limits.freeBytes, now.size * limits.freePart);
  return now.free < floor && now.free < before.free * 0.75;
}

/** Null: it cannot be told. */
function roomAt(path: string): Room | null {
  try {
    const { bavail, bsize, blocks } = statfsSync(path);
    return { size: blocks * bsize, free: bavail * bsize };
  } catch {
    return null;
  }
}
