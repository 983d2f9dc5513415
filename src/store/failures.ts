import { CcpError, codeOf, EXIT, messageOf } from "../core/errors.ts";

/** Runs `work` on the file at `path`, turning what SQLite and the file system throw into words. */
export function explained<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw explain(path, cause);
  }
}

function explain(path: string, cause: unknown): unknown {
  if (cause instanceof CcpError) return cause;
  const code = codeOf(cause) ?? "";
  if (/^(SQLITE_FULL|ENOSPC|EDQUOT)/.test(code)) {
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
  if (/^(SQLITE_CORRUPT|SQLITE_NOTADB)/.test(code)) {
    return new CcpError("corrupt_journal", EXIT.disk, `${path} is damaged or not a ccp journal (${messageOf(cause)})`, {
      hint: "nothing was overwritten; move the file away to start a new journal, and keep it for repair",
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
