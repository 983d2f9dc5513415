import type { Confinement, Sandbox } from "../../core/confinement.ts";
import type { View } from "./views.ts";

/** A process that is to be held. */
export interface HeldProcess {
  readonly confinement: Confinement;
  /** In order: see `inOrder`. */
  readonly views: readonly View[];
  /** Where it starts. */
  readonly cwd: string;
  /** Program and arguments. */
  readonly command: readonly string[];
}

/** A way to hold a process. Pure: what is there was looked for before. */
export interface SandboxDriver {
  readonly name: Exclude<Sandbox, "none">;
  /** Absolute path. */
  readonly program: string;
  argumentsFor(held: HeldProcess): readonly string[];
}
