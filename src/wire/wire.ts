import { hostname } from "node:os";
import { join } from "node:path";
import type { Config } from "../core/config.ts";
import type { Lane } from "../core/lane.ts";
import type { LaneHealth } from "../core/lane-health.ts";
import type { ModelRef } from "../core/model.ts";
import { once } from "../core/once.ts";
import { permittedBudget } from "../core/policy-limits.ts";
import type { Chance, Models, Peers, Policies, Repository, Results, Tools } from "../core/ports.ts";
import { secretValues } from "../core/redact.ts";
import type { RouteRule } from "../core/route-rules.ts";
import type { Store, UserLedger } from "../core/store.ts";
import type { RunSpec } from "../engine/begin-run.ts";
import type { Engine } from "../engine/engine.ts";
import type { PingAnswer } from "../engine/ping.ts";
import type { Library } from "../pipeline/library.ts";
import type { ModelDescription } from "../providers/describe-models.ts";
import type { ProviderDescription } from "../providers/describe-providers.ts";
import { type Closable, openHealth, openSpool, openStore, openUserLedger, stateDir } from "./journal.ts";
import { openModels, readProviders, secretsOf } from "./models.ts";
import { openPolicies, openPolicyKit } from "./policies.ts";
import type { PolicyKit } from "./policy-kit.ts";
import { openReplays, type Replays } from "./replays.ts";
import { type PlannedRoute, planRoutes } from "./route-plans.ts";
import { type SandboxHere, sandboxFinder, sandboxHere } from "./sandbox.ts";

export type { RunSpec } from "../engine/begin-run.ts";
export type { Engine, Listener } from "../engine/engine.ts";
export type { PingAnswer } from "../engine/ping.ts";
export type { Rerouted } from "../engine/reroute.ts";
export type { Decision, ResumeChanges } from "../engine/resume-run.ts";
export type { Plan } from "../engine/reuse.ts";
export type { CredentialHealth } from "../providers/describe-health.ts";
export type { ModelDescription } from "../providers/describe-models.ts";
export type { ProviderDescription, QuotaUse } from "../providers/describe-providers.ts";
export type { Past } from "../ui/past.ts";
export type { NextCommand, UiChoice } from "../ui/ui.ts";
export type { Closable } from "./journal.ts";
export type { Inspection, PolicyKit, PolicyPlaceHere } from "./policy-kit.ts";
export type { AgainstReplay, Replay, Replays } from "./replays.ts";
export type { PlannedCandidate, PlannedRoute } from "./route-plans.ts";
export type { SandboxHere } from "./sandbox.ts";

/** Everything that ccp shows of a run. */
export type Ui = typeof import("../ui/ui.ts");

/** The rooms, put together; each part constructed when it is first asked for. Decides nothing. */
export interface Wiring {
  readonly config: Config;
  readonly chance: Chance;
  repository(): Promise<Repository>;
  peers(): Promise<Peers>;
  store(): Promise<Store>;
  userLedger(): Promise<UserLedger>;
  /** Opens its file when it is first asked. */
  health(): Promise<LaneHealth>;
  /** Moves this repository's journal out of the way, whole; returns where to. Null: there is none. Throws while it is in use. */
  setJournalAside(): Promise<string | null>;
  results(): Promise<Results>;
  lanes(): Promise<readonly Lane[]>;
  /** The rules on who is asked; empty: there are none. */
  routing(): Promise<readonly RouteRule[]>;
  /** The lanes as people look at them. */
  providers(): Promise<readonly ProviderDescription[]>;
  /** The models that can be asked, as people compare them. */
  modelList(): Promise<readonly ModelDescription[]>;
  models(): Promise<Models>;
  tools(): Promise<Tools>;
  library(): Promise<Library>;
  /** The policies that hold for work from this commit; null: from HEAD, or outside of a repository. */
  policies(commit: string | null): Promise<Policies>;
  policyKit(): Promise<PolicyKit>;
  /** `variables`: the user's values that steps name in `env`. */
  engine(variables: Readonly<Record<string, string>>): Promise<Engine>;
  replays(): Promise<Replays>;
  /** Whom the steps of a run would ask, without beginning it. */
  plannedRoutes(spec: RunSpec): Promise<readonly PlannedRoute[]>;
  /** Pings go on record in a journal of the user's own: they need no repository. With several keys each is tried. */
  pinger(): Promise<(model: ModelRef) => Promise<readonly PingAnswer[]>>;
  ui(): Promise<Ui>;
  /** Default routes by role, from the keys that are there. */
  defaultRoutes(): Promise<Readonly<Record<string, readonly string[]>>>;
  /** Of a model the stronger one that is taken where nobody names one. */
  strongerModels(): Promise<Readonly<Record<string, string>>>;
  /** The model that a lane is pinged with; null: none is known. */
  pingModel(lane: Lane): Promise<ModelRef | null>;
  /** The repository that a worktree of ours belongs to; null: there is no such worktree. */
  ownerOfWorktree(rid: string): Promise<string | null>;
  /** Throws where there is no git. */
  gitVersion(): Promise<string>;
  /** True: this process is the one that the terminal's keys go to. */
  isInForeground(): Promise<() => boolean>;
  /** What can hold processes here, found out by trying. */
  sandbox(): Promise<SandboxHere>;
  /** Makes a directory a repository with one commit of all that is in it. */
  createRepository(path: string): Promise<void>;
  /** The same surroundings, seen from another directory. */
  at(cwd: string): Wiring;
  /** The same, with results in this folder: an absolute path. */
  withResults(dir: string): Wiring;
}

/** `opened`: gathers what was opened and has to be closed in the end. */
export function wire(config: Config, chance: Chance, opened: Closable[] = []): Wiring {
  const { environment, stateHome } = config;
  const wiring: Wiring = {
    config,
    chance,
    repository: once(async () => {
      const { openRepository } = await import("../workspace/repository.ts");
      const { cwd, home, resultsDir } = config;
      return openRepository({ cwd, environment, stateHome, home, resultsDir });
    }),
    peers: once(async () => (await import("../workspace/peers.ts")).createPeers(hostname())),
    store: once(async () => openStore(await stateDir(await wiring.repository(), config), await wiring.peers(), opened)),
    userLedger: once(() => openUserLedger(config, opened, inForce)),
    health: once(async () => openHealth(config, await wiring.peers(), opened)),
    async setJournalAside() {
      const { setAside } = await import("../store/set-aside.ts");
      return setAside(await stateDir(await wiring.repository(), config));
    },
    results: once(async () => {
      const { openResults } = await import("../workspace/results.ts");
      const { root, commonDir } = await wiring.repository();
      return openResults({ root, commonDir, dir: config.resultsDir, environment });
    }),
    lanes: async () => (await configured()).lanes,
    routing: async () => (await configured()).routing,
    async providers() {
      const { describeProviders } = await import("../providers/describe-providers.ts");
      const [lanes, health, now] = [await wiring.lanes(), await wiring.health(), chance.now()];
      const known = health.accounts(now);
      if (lanes.every(({ quota }) => quota === undefined)) return describeProviders(lanes, known, now);
      const ledger = await wiring.userLedger();
      return describeProviders(lanes, known, now, (account, window) => ledger.spend(window, chance.day(now), account));
    },
    async modelList() {
      return (await import("../providers/describe-models.ts")).describeModels(await wiring.lanes());
    },
    models: once(async () => openModels(await wiring.lanes(), await spool(), config.cwd)),
    tools: once(async () => (await import("../tools/tools.ts")).createTools(config)),
    library: once(async () => {
      const { openLibrary } = await import("../pipeline/library.ts");
      const { packageRoot, cwd } = config;
      return openLibrary({ packageRoot, repoRoot: (await wiring.repository()).root, cwd });
    }),
    async policies(commit) {
      const repository = await wiring.repository().catch(() => null);
      const policies = await openPolicies(repository, commit, { config, chance, lanes: await wiring.lanes() });
      inForce.push(policies);
      return policies;
    },
    policyKit: async () => openPolicyKit(config, await wiring.repository().catch(() => null)),
    async engine(variables) {
      const { createEngine } = await import("../engine/engine.ts");
      const { liveExecutor } = await import("../engine/executor.ts");
      const { ruledRouter } = await import("../engine/router.ts");
      const { createAgent } = await import("../agent/run-agent.ts");
      const { createToolServers } = await import("../protocols/tool-servers.ts");
      const secrets = [...secretsOf(await wiring.lanes()), ...secretValues(variables)];
      const tools = await wiring.tools();
      return createEngine({
        variables,
        secrets,
        chance,
        tools,
        servers: createToolServers(),
        executor: liveExecutor(tools, secrets),
        agent: createAgent(),
        peers: await wiring.peers(),
        store: await wiring.store(),
        userLedger: await wiring.userLedger(),
        health: await wiring.health(),
        spool: await spool(),
        repository: await wiring.repository(),
        results: await wiring.results(),
        models: await wiring.models(),
        policies: (commit) => wiring.policies(commit),
        router: ruledRouter(await wiring.routing(), await wiring.models()),
        sandbox: await sandboxFinder(environment),
      });
    },
    async replays() {
      const [store, repository, tools] = [await wiring.store(), await wiring.repository(), await wiring.tools()];
      return openReplays({ store, repository, tools, chance });
    },
    plannedRoutes: (spec) => planRoutes(spec, wiring, opened),
    async pinger() {
      const directory = join(stateHome, "ccp", "ping");
      const { ping } = await import("../engine/ping.ts");
      const store = await openStore(directory, await wiring.peers(), opened);
      const [spool, userLedger, lanes] = [await openSpool(directory), await wiring.userLedger(), await wiring.lanes()];
      const models = await openModels(lanes, spool, config.cwd);
      const secrets = secretsOf(lanes);
      const { maxCostNanos = null } = permittedBudget((await wiring.policies(null)).now(), "run", {});
      const health = await wiring.health();
      const deps = { store, userLedger, health, spool, models, chance, secrets, maxCostNanos };
      return (ref) => {
        const model = models.facts(ref);
        const credentials = models.standing(ref)?.credentials ?? [{ name: null }];
        return Promise.all(credentials.map(({ name }) => ping({ model, credential: name }, deps)));
      };
    },
    ui: once(() => import("../ui/ui.ts")),
    async strongerModels() {
      const { strongerModels } = await import("../providers/routes.ts");
      return strongerModels(await wiring.lanes());
    },
    async defaultRoutes() {
      const { defaultRoutes } = await import("../providers/routes.ts");
      return defaultRoutes(await wiring.lanes());
    },
    async pingModel(lane) {
      return (await import("../providers/ping-model.ts")).pingModel(lane);
    },
    async ownerOfWorktree(rid) {
      return (await import("../workspace/layout.ts")).ownerOfWorktree(stateHome, rid);
    },
    async gitVersion() {
      return (await import("../workspace/git-version.ts")).gitVersion(environment);
    },
    async isInForeground() {
      return (await import("../workspace/process-table.ts")).isInForeground;
    },
    sandbox: async () => sandboxHere(environment),
    async createRepository(path) {
      await (await import("../workspace/create-repository.ts")).createRepository(path, environment);
    },
    at: (cwd) => wire({ ...config, cwd }, chance, opened),
    withResults: (resultsDir) => wire({ ...config, resultsDir }, chance, opened),
  };

  /** Policies that somebody here works under: each narrows what the user's ledger gives. */
  const inForce: Policies[] = [];

  /** One for those who write to it and those who empty it: each holds its files open. */
  const spool = once(async () => openSpool(await stateDir(await wiring.repository(), config)));

  const configured = once(() =>
    readProviders(
      config,
      wiring.repository().catch(() => null),
    ),
  );

  return wiring;
}
