import { CcpError, codeOf, EXIT, messageOf } from "../core/errors.ts";

/** Longest piece of git's own words that a message carries. */
const LONGEST_QUOTE = 600;

/** `Unable to create '/r/.git/packed-refs.lock': File exists.`, `could not lock config file .git/config: File exists`. */
const SPEAKS_OF_LOCK = /(Unable to create '.*\.lock'|could not lock config file .*): File exists/s;

/** A registration is made file by file, and every git that looks at worktrees reads all of them. */
const SPEAKS_OF_WORKTREE = /failed to read .*\/worktrees\/.*\/commondir/s;

/** `git gc` and the deletion of a branch take away directories that they find empty, and that others had just made. */
const SPEAKS_OF_DIRECTORY = /(unable to create temporary file|Unable to create '.*\.lock'): No such file or directory/s;

/** What git says, what it means, and what to do. The first that matches wins; samples are in the test. */
const KNOWN: readonly {
  readonly says: RegExp;
  readonly code: string;
  readonly exitCode: CcpError["exitCode"];
  readonly message: string;
  readonly hint: string;
}[] = [
  {
    says: /No space left on device|Out of diskspace|Disk quota exceeded/,
    code: "disk_full",
    exitCode: EXIT.disk,
    message: "the disk is full; nothing on record is lost",
    hint: "free some space, then go on with `ccp resume`",
  },
  {
    says: /Read-only file system/,
    code: "read_only",
    exitCode: EXIT.disk,
    message: "the file system is read-only",
    hint: "make it writable, or work in a clone that can be written to; then go on with `ccp resume`",
  },
  {
    says: /insufficient permission|[Pp]ermission denied|Operation not permitted/,
    code: "read_only",
    exitCode: EXIT.disk,
    message: "git was not permitted to write",
    hint: "check who owns the repository and its .git directory",
  },
  {
    says: /Input\/output error/,
    code: "disk_error",
    exitCode: EXIT.disk,
    message: "the disk could not be read or written; everything on record before this is whole",
    hint: "check the disk, then go on with `ccp resume`",
  },
  {
    says: /dubious ownership/,
    code: "unsafe_ownership",
    exitCode: EXIT.usage,
    message: "the repository belongs to another user, so git refuses to read it",
    hint: "if you trust it: git config --global --add safe.directory <its path>",
  },
  {
    says: SPEAKS_OF_LOCK,
    code: "git_locked",
    exitCode: EXIT.failed,
    message: "another git is at work in the repository, or one that died has left its lock; nothing on record is lost",
    hint: "when no other git runs there, remove that lock file, then go on with `ccp resume`",
  },
  {
    says: SPEAKS_OF_WORKTREE,
    code: "worktree_broken",
    exitCode: EXIT.failed,
    message: "a worktree of the repository is registered only in part, so git cannot go on; nothing on record is lost",
    hint: "when no other git runs there, remove that worktree's folder in .git/worktrees, then `ccp resume`",
  },
  // Git keeps the reason to itself here: `error: unable to write file sum.mjs`, `couldn't write '….lock'`.
  {
    says: /unable to write|couldn't write|write error/,
    code: "cannot_write",
    exitCode: EXIT.disk,
    message: "git could not write; nothing on record is lost",
    hint: "see that the disk has room and can be written to (ccp doctor), then go on with `ccp resume`",
  },
];

/** A call of git that failed, in words: a known trouble under its own code, anything else as `git_failed`. */
export function gitFailure(args: readonly string[], stderr: string): CcpError {
  const known = KNOWN.find(({ says }) => says.test(stderr));
  const said = stderr.trim().slice(0, LONGEST_QUOTE);
  if (known) {
    const line = tellingLine(said, known.says);
    return new CcpError(known.code, known.exitCode, `${known.message} (git: ${line})`, { hint: known.hint });
  }
  return new CcpError("git_failed", EXIT.failed, `git ${args[0] ?? ""} failed: ${said || "no reason was given"}`);
}

/** True for what git says when it meets another git at work: it passes by itself, unless that one has died. */
export function isInTheWay(stderr: string): boolean {
  return [SPEAKS_OF_LOCK, SPEAKS_OF_WORKTREE, SPEAKS_OF_DIRECTORY].some((says) => says.test(stderr));
}

/** Git itself could not be started. */
export function gitIsMissing(): CcpError {
  return new CcpError("git_missing", EXIT.usage, "git was not found; nothing was started", {
    hint: "install git 2.36 or newer, or add it to PATH",
  });
}

/** Node reports a program that is not there as a negative exit code (`-ENOENT`). */
export function isMissingBinary(exitCode: number): boolean {
  return exitCode < 0;
}

/** A failed file operation in words: what the disk refuses under its own code, with the file; anything else as it came. */
export function fileFailure(thrown: unknown, path?: string): unknown {
  const says: Readonly<Record<string, string>> = {
    ENOSPC: "No space left on device",
    EDQUOT: "Disk quota exceeded",
    EROFS: "Read-only file system",
    EACCES: "Permission denied",
    EPERM: "Permission denied",
    EIO: "Input/output error",
  };
  const text = says[codeOf(thrown) ?? ""];
  const known = text === undefined ? undefined : KNOWN.find((entry) => entry.says.test(text));
  if (!known) return thrown;
  const named = path === undefined || messageOf(thrown).includes(path) ? "" : `${path}: `;
  const message = `${known.message.replace("git was", "ccp was")} (${named}${messageOf(thrown)})`;
  return new CcpError(known.code, known.exitCode, message, { hint: known.hint, cause: thrown });
}

/** Does a piece of work whose failures are then told in words. */
export async function inWords<T>(work: () => Promise<T>, path?: string): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw fileFailure(error, path);
  }
}

/** Where git says more than one thing, what counts is the line that is known. */
function tellingLine(text: string, says: RegExp): string {
  const lines = text.split("\n");
  return lines.find((line) => says.test(line)) ?? lines[0] ?? "";
}
