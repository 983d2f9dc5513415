import type Database from "better-sqlite3";
import { CcpError, EXIT } from "../core/errors.ts";
import { makeDurableDirectory } from "./durable-directory.ts";
import { explained } from "./failures.ts";
import { Lock } from "./lock.ts";
import { JOURNAL } from "./migrations.ts";
import { BUSY_TIMEOUT_MS, openDatabase, openInMemory } from "./open-database.ts";
import { journalPath, locksPath, presencePath } from "./places.ts";
import { isReadOnly, openReadOnly } from "./read-only.ts";
import { FileRunLocks, heldRun, MemoryRunLocks, type RunLocks } from "./run-locks.ts";
import { setAsideIfUnreadable } from "./set-aside.ts";

/** A journal that is open, and what has to be closed with it. */
export interface OpenJournal {
  /** As people are told of it. */
  readonly path: string;
  readonly database: Database.Database;
  readonly locks: RunLocks;
  close(): void;
}

/**
 * Opens the journal of a state directory, making both where there are none. Where nothing can be written it can still
 * be read. Throws `CcpError`: `read_only`, `newer_journal`, `corrupt_journal`, `busy`, …
 */
export function openJournal(stateDir: string): OpenJournal {
  const path = journalPath(stateDir);
  const locks = new FileRunLocks(locksPath(stateDir));
  return explained(path, () => {
    if (isReadOnly(path)) return opened(path, openReadOnly(path, JOURNAL), locks, null);
    makeDurableDirectory(locksPath(stateDir));
    setAsideIfUnreadable(stateDir, JOURNAL);
    const presence = bePresent(stateDir);
    try {
      return opened(
        path,
        openDatabase(path, JOURNAL, () => refuseWhileDriven(stateDir)),
        locks,
        presence,
      );
    } catch (cause) {
      presence.release();
      throw cause;
    }
  });
}

/** A journal that is gone when it is closed. */
export function openMemoryJournal(): OpenJournal {
  return opened("the journal in memory", openInMemory(JOURNAL), new MemoryRunLocks(), null);
}

function opened(path: string, database: Database.Database, locks: RunLocks, presence: Lock | null): OpenJournal {
  const close = () => {
    locks.close();
    database.close();
    presence?.release();
  };
  return { path, database, locks, close };
}

/** Nobody sets a journal aside while somebody else has it open. */
function bePresent(stateDir: string): Lock {
  const presence = Lock.share(presencePath(stateDir), BUSY_TIMEOUT_MS);
  if (presence !== null) return presence;
  throw new CcpError("busy", EXIT.owned, `${journalPath(stateDir)} is being set aside by another ccp process`, {
    hint: "try again",
  });
}

/** An older ccp that is at work would find tables that it does not know. */
function refuseWhileDriven(stateDir: string): void {
  const rid = heldRun(locksPath(stateDir));
  if (rid === null) return;
  throw new CcpError(
    "owned",
    EXIT.owned,
    `${journalPath(stateDir)} has to be brought up to date, and an older ccp is at work on ${rid}`,
    { hint: "nothing was changed; let that run end or pause, then try again" },
  );
}
