import { dirname } from "node:path";
import type { Confinement } from "../core/confinement.ts";
import type { Refusal } from "./proxy.ts";

/** The way of a held process to the hosts that it may reach, and to no other. */
export interface WayOut {
  /** Program and arguments that run a command on this way. */
  through(command: readonly string[]): readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Paths that it has to see, to read. */
  readonly shown: readonly string[];
  /** What was not let through, a line each, for who reads the output; empty: nothing. */
  refusals(): string;
  close(): Promise<void>;
}

/** Opens it. Null: a process that is not held, may reach nothing, or everything, needs none. */
export async function openWayOut(confinement: Confinement | undefined): Promise<WayOut | null> {
  const hosts = confinement?.network ?? "none";
  if (hosts === "none" || hosts === "open") return null;
  const [{ openProxy }, { relayed }] = await Promise.all([import("./proxy.ts"), import("./proxy-relay.ts")]);
  // Only a name space has a loopback of its own, and needs a relay to get out of it.
  const proxy = await openProxy({ hosts, listen: process.platform === "linux" ? "socket" : "loopback" });
  const { path, env } = proxy;
  return {
    through: (command) => (path === null ? command : relayed(proxy, command)),
    env,
    shown: path === null ? [] : [dirname(path), process.execPath],
    refusals: () => proxy.refusals().map(refusalText).join(""),
    close: () => proxy.close(),
  };
}

function refusalText({ host, port, why, count }: Refusal): string {
  return `ccp: ${host}:${port} was not reached${count > 1 ? `, ${count} times` : ""}: ${why}\n`;
}
