import { CcpError, codeOf, EXIT, messageOf } from "../core/errors.ts";

/** Longest piece of git's own words that a message carries. */
const LONGEST_QUOTE = 600;

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
    message: "the repository is on a read-only file system; ccp needs to write to its .git directory",
    hint: "work in a clone that can be written to",
  },
  {
    says: /insufficient permission|[Pp]ermission denied|Operation not permitted/,
    code: "read_only",
    exitCode: EXIT.disk,
    message: "git was not permitted to write",
    hint: "check who owns the repository and its .git directory",
  },
  {
    says: /dubious ownership/,
    code: "unsafe_ownership",
    exitCode: EXIT.usage,
    message: "the repository belongs to another user, so git refuses to read it",
    hint: "if you trust it: git config --global --add safe.directory <its path>",
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
    return new CcpError(known.code, known.exitCode, `${known.message} (git: ${firstLine(said)})`, { hint: known.hint });
  }
  return new CcpError("git_failed", EXIT.failed, `git ${args[0] ?? ""} failed: ${said || "no reason was given"}`);
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

/** A failed file operation in words: full and read-only disks under their own codes, anything else as it came. */
export function fileFailure(thrown: unknown): unknown {
  const code = codeOf(thrown);
  const says = { ENOSPC: "No space left on device", EDQUOT: "Disk quota exceeded", EROFS: "Read-only file system" };
  const denied = code === "EACCES" || code === "EPERM" ? "Permission denied" : null;
  const text = code !== null && code in says ? says[code as keyof typeof says] : denied;
  const known = text === null ? undefined : KNOWN.find((entry) => entry.says.test(text));
  if (!known) return thrown;
  const message = `${known.message.replace("git was", "ccp was")} (${messageOf(thrown)})`;
  return new CcpError(known.code, known.exitCode, message, { hint: known.hint, cause: thrown });
}

/** Does a piece of work whose failures are then told in words. */
export async function inWords<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw fileFailure(error);
  }
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? "";
}
