import { join } from "node:path";

/** The database of a state directory. */
export function journalPath(stateDir: string): string {
  return join(stateDir, "ccp.db");
}

/** Who owns a run: one file each. */
export function locksPath(stateDir: string): string {
  return join(stateDir, "locks");
}

/** Shared by all who have the journal open. */
export function presencePath(stateDir: string): string {
  return join(locksPath(stateDir), "journal.open");
}
