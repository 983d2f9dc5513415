import type { Limits } from "./limits.ts";
import type { Hold } from "./sandbox/hold.ts";

/** What running a command takes. */
export interface ProcessesSpec {
  readonly rid: string;
  /** What all commands of the run are found by; see `familyOf`. */
  readonly family: string;
  /** Absolute path of the worktree. */
  readonly root: string;
  /** Absolute path of the run's own folder. */
  readonly folder: string;
  /** What every command gets; see `childEnvironment`. */
  readonly env: Readonly<Record<string, string>>;
  /** Other limits than those of `COMMAND_LIMITS`. */
  readonly limits?: Partial<Limits>;
  /** What holds a process to its confinement; missing: nothing can. */
  readonly hold?: Hold;
}
