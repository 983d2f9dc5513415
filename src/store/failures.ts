import { CcpError, codeOf, EXIT, messageOf } from "../core/errors.ts";

/** Runs `work` on the file at `path`, turning what SQLite and the file system throw into words. */
export function explained<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw explain(path, cause);
  }
}

/** Runs what may as well be left undone: where there is no room or no right to write, or where others are busy. */
export function attempted(path: string, work: () => void): void {
  try {
    explained(path, work);
  } catch (refused) {
    if (!(refused instanceof CcpError && ["disk_full", "read_only", "busy"].includes(refused.code))) throw refused;
  }
}

function explain(path: string, cause: unknown): unknown {
  if (cause instanceof CcpError) return cause;
  const code = codeOf(cause) ?? "";
  // SHMSIZE: no room for the index of the log, which whoever only reads needs as well.
  if (/^(SQLITE_FULL|SQLITE_IOERR_SHMSIZE|ENOSPC|EDQUOT)/.test(code)) {
    return new CcpError("disk_full", EXIT.disk, `the disk is full: ${path} cannot be written`, {
      hint: "free some space, then `ccp resume`; everything on record is whole",
      cause,
    });
  }
  if (/^(SQLITE_READONLY|SQLITE_CANTOPEN|SQLITE_PERM|EROFS|EACCES|EPERM|ENOTDIR|ENOENT|EEXIST)/.test(code)) {
    return new CcpError("read_only", EXIT.disk, `${path} cannot be written (${messageOf(cause)})`, {
      hint: "make it writable, or set CCP_STATE_DIR to a directory that is",
      cause,
    });
  }
  if (isDamage(cause)) {
    return new CcpError("corrupt_journal", EXIT.disk, `${path} is damaged (${messageOf(cause)})`, {
      hint: "nothing was overwritten; what is wrong with it: ccp doctor",
      cause,
    });
  }
  if (/^SQLITE_IOERR|^EIO/.test(code)) {
    return new CcpError("disk_error", EXIT.disk, `${path} cannot be read or written (${messageOf(cause)})`, {
      hint: "check the disk; everything on record before this is whole",
      cause,
    });
  }
  if (isBusy(cause)) {
    return new CcpError("busy", EXIT.owned, `${path} is busy with another ccp process`, { hint: "try again", cause });
  }
  return cause;
}

/** True when another process holds what is needed: it may be free a moment later. */
export function isBusy(cause: unknown): boolean {
  return /^SQLITE_BUSY|^SQLITE_LOCKED/.test(codeOf(cause) ?? "");
}

/** True when the bytes of the file are not those of a database. */
export function isDamage(cause: unknown): boolean {
  return /^(SQLITE_CORRUPT|SQLITE_NOTADB)/.test(codeOf(cause) ?? "");
}
