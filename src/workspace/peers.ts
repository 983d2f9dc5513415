import { hasCode } from "../core/errors.ts";
import type { Peers } from "../core/ports.ts";
import type { Owner } from "../core/store.ts";
import { startOf } from "./process-table.ts";

/** The processes of the machine `host`, which is this one. */
export function createPeers(host: string): Peers {
  const self = { pid: process.pid, host, startedAt: startOf(process.pid) };
  return {
    self,
    signal: (owner, name) => isThere(owner, host) && send(owner.pid, name),
    hasEnded: (owner) => owner.host === host && !isSame(owner, self) && !isRunning(owner),
  };
}

/** A pid is used again: only its start tells whether it is still the same process. Nobody is taken for this process. */
function isThere({ pid, host, startedAt }: Owner, here: string): boolean {
  return host === here && pid !== process.pid && startedAt !== null && startOf(pid) === startedAt;
}

function isSame(a: Owner, b: Owner): boolean {
  return a.pid === b.pid && a.startedAt === b.startedAt;
}

/** One whose start is not known is taken for whoever has its pid now. */
function isRunning({ pid, startedAt }: Owner): boolean {
  try {
    process.kill(pid, 0);
  } catch (thrown) {
    if (hasCode(thrown, "ESRCH")) return false;
  }
  return startedAt === null || startOf(pid) === startedAt;
}

/** False for one that has ended by itself since, and for one of another user, which may not be signalled. */
function send(pid: number, name: "SIGTERM" | "SIGKILL"): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}
