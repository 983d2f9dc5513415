import { join } from "node:path";
import type { Budget, Window } from "../core/budget.ts";
import type { Config } from "../core/config.ts";
import type { LaneHealth } from "../core/lane-health.ts";
import { permittedWindow } from "../core/policy-limits.ts";
import type { Peers, Policies, Repository, Spool } from "../core/ports.ts";
import type { Store, UserLedger } from "../core/store.ts";

/** Something with a life. */
export interface Closable {
  close(): void;
}

/** Beside git's own data, unless the user moved it. */
export async function stateDir(repository: Repository, config: Config): Promise<string> {
  return (await import("../workspace/layout.ts")).stateDirOf(repository.commonDir, config.stateDir);
}

/** A journal in this directory. `opened`: whoever closes it in the end. */
export async function openStore(directory: string, peers: Peers, opened: Closable[]): Promise<Store> {
  const { SqliteStore } = await import("../store/sqlite-store.ts");
  const store = new SqliteStore(directory, peers.self);
  opened.push(store);
  return store;
}

export async function openSpool(directory: string): Promise<Spool> {
  return (await import("../store/spool.ts")).openSpool(directory);
}

/** How the lanes are, for all processes of this user on this machine. */
export async function openHealth(config: Config, peers: Peers, opened: Closable[]): Promise<LaneHealth> {
  const { openLaneHealth } = await import("../store/sqlite-shelf.ts");
  const health = openLaneHealth(join(config.stateHome, "ccp", "health.db"), peers);
  opened.push(health);
  return health;
}

/**
 * What all runs of this user have spent, held to the ceilings of the user's own configuration and to those of the policies
 * that somebody works under by then (the list may grow).
 */
export async function openUserLedger(
  config: Config,
  opened: Closable[],
  policies: readonly Policies[],
): Promise<UserLedger> {
  const { openUserLedger: open } = await import("../store/user-ledger.ts");
  const { readUserConfig } = await import("../pipeline/library.ts");
  const { budget } = readUserConfig(join(config.configHome, "config.yaml"));
  const narrowed = (window: Window, own: Budget | undefined) =>
    policies.reduce((left, one) => permittedWindow(one.now(), window, left), own);
  const ledger = open(join(config.stateHome, "ccp", "ledger.db"), budget, narrowed);
  opened.push(ledger);
  return ledger;
}
