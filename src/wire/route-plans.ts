import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Budget, Window } from "../core/budget.ts";
import type { Config } from "../core/config.ts";
import type { Lane } from "../core/lane.ts";
import type { LaneHealth } from "../core/lane-health.ts";
import { permittedWindow } from "../core/policy-limits.ts";
import type { Chance, Peers, Policies, Repository, Tools } from "../core/ports.ts";
import type { RouteRule } from "../core/route-rules.ts";
import type { UserLedger } from "../core/store.ts";
import type { RunSpec } from "../engine/begin-run.ts";
import type { PlannedRoute } from "../engine/planned-routes.ts";
import type { Closable } from "./journal.ts";
import { openModels, secretsOf } from "./models.ts";
import { sandboxFinder } from "./sandbox.ts";

export type { PlannedCandidate, PlannedRoute } from "../engine/planned-routes.ts";

/** What of the rooms, put together, it takes to look at routes. */
interface Wired {
  readonly config: Config;
  readonly chance: Chance;
  repository(): Promise<Repository>;
  peers(): Promise<Peers>;
  lanes(): Promise<readonly Lane[]>;
  tools(): Promise<Tools>;
  routing(): Promise<readonly RouteRule[]>;
  policies(commit: string | null): Promise<Policies>;
}

/** Whom the steps of a run would ask, without beginning it: no file is written and no server asked. */
export async function planRoutes(spec: RunSpec, wiring: Wired, opened: Closable[]): Promise<readonly PlannedRoute[]> {
  const { plannedRoutes } = await import("../engine/planned-routes.ts");
  const { NO_SPOOL } = await import("../engine/replay-world.ts");
  const { SqliteStore } = await import("../store/sqlite-store.ts");
  const { config, chance } = wiring;
  const lanes = await wiring.lanes();
  const memory = SqliteStore.inMemory();
  opened.push(memory);
  const policies = await wiring.policies(spec.base.commit);
  return plannedRoutes(spec, {
    memory,
    chance,
    repository: await wiring.repository(),
    models: await openModels(lanes, NO_SPOOL, config.cwd),
    tools: await wiring.tools(),
    userLedger: await lookedAtLedger(config, opened, policies),
    health: await lookedAtHealth(config, await wiring.peers(), opened),
    rules: await wiring.routing(),
    policy: policies.now(),
    sandbox: await sandboxFinder(config.environment),
    secrets: secretsOf(lanes),
  });
}

async function lookedAtLedger(config: Config, opened: Closable[], policies: Policies): Promise<UserLedger> {
  const { lookIntoUserLedger } = await import("../store/user-ledger.ts");
  const { readUserConfig } = await import("../pipeline/library.ts");
  const { budget } = readUserConfig(join(config.configHome, "config.yaml"));
  const narrowed = (window: Window, own: Budget | undefined) => permittedWindow(policies.now(), window, own);
  const ledger = lookIntoUserLedger(join(config.stateHome, "ccp", "ledger.db"), budget, narrowed);
  opened.push(ledger);
  return ledger;
}

async function lookedAtHealth(config: Config, peers: Peers, opened: Closable[]): Promise<LaneHealth> {
  const { lookIntoLaneHealth, memoryLaneHealth } = await import("../store/sqlite-shelf.ts");
  const path = join(config.stateHome, "ccp", "health.db");
  const health = existsSync(path) ? lookIntoLaneHealth(path, peers) : memoryLaneHealth();
  opened.push(health);
  return health;
}
