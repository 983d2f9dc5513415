import type { Run } from "../core/run.ts";
import type { Wiring } from "../wire/wire.ts";
import type { GlobalFlags, Surroundings } from "./config.ts";

/** What every command works with. */
export interface CommandContext {
  readonly surroundings: Surroundings;
  /** Ports, constructed when they are first asked for. */
  readonly wiring: (flags?: GlobalFlags) => Wiring;
  /** Sets the exit code of a command that did not throw. */
  readonly exit: (code: number) => void;
  /** Says which run is being driven and how it stands, so that an error in the middle of it can name it. */
  readonly driven: (run: Run) => void;
}
