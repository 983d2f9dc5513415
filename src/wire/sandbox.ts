import type { Sandbox } from "../core/confinement.ts";

/** What can hold processes on this machine, in words for people. */
export interface SandboxHere {
  readonly name: Sandbox;
  /** Which it is, or why there is none. */
  readonly detail: string;
  /** What to do about it; null: nothing. */
  readonly hint: string | null;
}

type Environment = Readonly<Record<string, string | undefined>>;

export async function sandboxHere(environment: Environment): Promise<SandboxHere> {
  const { findSandbox } = await import("../workspace/sandbox/find-sandbox.ts");
  const found = findSandbox(environment);
  const name = found.driver?.name ?? "none";
  return { name, detail: found.detail, hint: found.driver === null ? found.hint : null };
}

/** Looks when it is asked, for many a command of ccp starts nothing. */
export async function sandboxFinder(environment: Environment): Promise<() => Sandbox> {
  const { findSandbox } = await import("../workspace/sandbox/find-sandbox.ts");
  return () => findSandbox(environment).driver?.name ?? "none";
}
