/** Exit codes of `ccp`. What each promises about money and state is in `docs/commands.md`. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  waiting: 3,
  credentials: 4,
  budget: 5,
  unavailable: 6,
  owned: 7,
  disk: 9,
  bug: 70,
  interrupted: 130,
  terminated: 143,
} as const;

/** One of `EXIT`. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** What an error may carry beyond its message. */
export interface CcpErrorOptions {
  /** What a person should do next; one line, imperative. */
  readonly hint?: string;
  readonly cause?: unknown;
}

/** ccp cannot go on: a bad flag, a missing key, a locked database. Expected outcomes are values, never this. */
export class CcpError extends Error {
  override readonly name = "CcpError";
  /** Stable, machine-readable: `dirty_tree`, `missing_key`, … */
  readonly code: string;
  readonly exitCode: ExitCode;
  readonly hint: string | null;

  constructor(code: string, exitCode: ExitCode, message: string, options: CcpErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.exitCode = exitCode;
    this.hint = options.hint ?? null;
  }
}

/** True for a failure of the machine: no word of it is for a model, and what met it counts as never done. */
export function isOfMachine(thrown: unknown): thrown is CcpError {
  return thrown instanceof CcpError && (thrown.exitCode === EXIT.disk || thrown.code.startsWith("sandbox_"));
}

/** Marks a branch that the types rule out. Throws: reaching it is a bug in ccp. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}

/** The code of a failed call of the system or of a library (`ENOENT`, `SQLITE_BUSY`); null where there is none. */
export function codeOf(thrown: unknown): string | null {
  return thrown instanceof Error && "code" in thrown ? String(thrown.code) : null;
}

/** True for a failure with one of these codes. */
export function hasCode(thrown: unknown, ...codes: readonly string[]): boolean {
  return codes.includes(codeOf(thrown) ?? "");
}

/** The text of anything that was thrown, without its stack. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
