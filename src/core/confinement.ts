import type { SandboxMode } from "./pipeline.ts";
import type { ServerNetwork } from "./tool-servers.ts";

/** What can hold a process, by the name of the program that does it. `none`: nothing can here. */
export const SANDBOXES = ["bubblewrap", "sandbox-exec", "none"] as const;
/** One of `SANDBOXES`. */
export type Sandbox = (typeof SANDBOXES)[number];

/** What a process may reach: nothing, hosts by name, or everything. */
export type Network = ServerNetwork;

/** What the operating system holds a process to. */
export interface Confinement {
  /** `worktree`: the files of the run, but never its `.git`. What is outside of it is nobody's to write. */
  readonly writes: "worktree" | "none";
  readonly network: Network;
}

/** The sandbox that a run works in, of the one that was found here. */
export function activeSandbox(asked: SandboxMode, found: Sandbox): Sandbox {
  return asked === "off" ? "none" : found;
}

/** What a sandbox is called where people read of it. */
export function sandboxText(asked: SandboxMode, active: Sandbox): string {
  if (active === "sandbox-exec") return "sandbox sandbox-exec (untested)";
  if (active === "bubblewrap") return "sandbox bubblewrap";
  return `${asked === "off" ? "sandbox off" : "no sandbox"}: the doer's shell is not confined`;
}
