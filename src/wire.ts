import { join, resolve } from "node:path";
import type { Config } from "./core/config.ts";
import type { Lane } from "./core/lane.ts";
import type { ModelRef } from "./core/model.ts";
import { once } from "./core/once.ts";
import type { Chance, Models, Repository, Results, Spool, Store, Tools } from "./core/ports.ts";
import type { Engine } from "./engine/engine.ts";
import type { PingAnswer } from "./engine/ping.ts";
import type { Library } from "./pipeline/library.ts";

export type { RunSpec } from "./engine/begin-run.ts";
export type { Listener } from "./engine/engine.ts";
export type { PingAnswer } from "./engine/ping.ts";
export type { ResumeChanges } from "./engine/resume-run.ts";
export type { NextCommand, UiChoice } from "./ui/ui.ts";

/** Everything that ccp shows of a run. */
export type Ui = typeof import("./ui/ui.ts");

/** Something with a life. */
export interface Closable {
  close(): void;
}

/** The rooms, put together; each part constructed when it is first asked for. Decides nothing. */
export interface Wiring {
  readonly config: Config;
  readonly chance: Chance;
  repository(): Promise<Repository>;
  store(): Promise<Store>;
  results(): Promise<Results>;
  lanes(): Promise<readonly Lane[]>;
  models(): Promise<Models>;
  tools(): Promise<Tools>;
  library(): Promise<Library>;
  /** `variables`: the user's values that steps name in `env`. */
  engine(variables: Readonly<Record<string, string>>): Promise<Engine>;
  /** Pings go on record in a journal of the user's own: they need no repository. */
  pinger(): Promise<(model: ModelRef) => Promise<PingAnswer>>;
  ui(): Promise<Ui>;
  /** Default routes by role, from the keys that are there. */
  defaultRoutes(): Promise<Readonly<Record<string, readonly string[]>>>;
  /** The model that a lane is pinged with; null: none is known. */
  pingModel(lane: Lane): Promise<ModelRef | null>;
  /** The repository that a worktree of ours belongs to; null: there is no such worktree. */
  ownerOfWorktree(rid: string): Promise<string | null>;
  /** Throws where there is no git. */
  gitVersion(): Promise<string>;
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
      const { openRepository } = await import("./workspace/repository.ts");
      const { cwd, home, resultsDir } = config;
      return openRepository({ cwd, environment, stateHome, home, resultsDir });
    }),
    store: once(async () => openStore(await stateDir(), opened)),
    results: once(async () => {
      const { openResults } = await import("./workspace/results.ts");
      const { root, commonDir } = await wiring.repository();
      return openResults({ root, commonDir, dir: config.resultsDir, environment });
    }),
    lanes: once(async () => readLanes(config, await wiring.repository().catch(() => null))),
    models: once(async () => modelsOver(await spool())),
    tools: once(async () => (await import("./tools/tools.ts")).createTools()),
    library: once(async () => {
      const { openLibrary } = await import("./pipeline/library.ts");
      return openLibrary({
        packageRoot: config.packageRoot,
        repoRoot: (await wiring.repository()).root,
        cwd: config.cwd,
      });
    }),
    async engine(variables) {
      const { createEngine } = await import("./engine/engine.ts");
      const { createAgent } = await import("./agent/run-agent.ts");
      return createEngine({
        variables,
        store: await wiring.store(),
        spool: await spool(),
        repository: await wiring.repository(),
        results: await wiring.results(),
        models: await wiring.models(),
        tools: await wiring.tools(),
        agent: createAgent(),
        chance,
        secrets: [...secretsOf(await wiring.lanes()), ...Object.values(variables)],
      });
    },
    async pinger() {
      const directory = join(stateHome, "ccp", "ping");
      const { ping } = await import("./engine/ping.ts");
      const [store, spool] = [await openStore(directory, opened), await openSpool(directory)];
      const models = await modelsOver(spool);
      const secrets = secretsOf(await wiring.lanes());
      return (ref) => ping(models.facts(ref), { store, spool, models, chance, secrets });
    },
    ui: once(() => import("./ui/ui.ts")),
    async defaultRoutes() {
      const { defaultRoutes } = await import("./providers/routes.ts");
      return defaultRoutes(await wiring.lanes());
    },
    async pingModel(lane) {
      return (await import("./providers/ping-model.ts")).pingModel(lane);
    },
    async ownerOfWorktree(rid) {
      return (await import("./workspace/layout.ts")).ownerOfWorktree(stateHome, rid);
    },
    async gitVersion() {
      return (await import("./workspace/git-version.ts")).gitVersion(environment);
    },
    async createRepository(path) {
      await (await import("./workspace/create-repository.ts")).createRepository(path, environment);
    },
    at: (cwd) => wire({ ...config, cwd }, chance, opened),
    withResults: (resultsDir) => wire({ ...config, resultsDir }, chance, opened),
  };

  /** One for those who write to it and those who empty it: each holds its files open. */
  const spool = once(async () => openSpool(await stateDir()));

  /** Beside git's own data, unless the user moved it. */
  async function stateDir(): Promise<string> {
    const { commonDir } = await wiring.repository();
    return (await import("./workspace/layout.ts")).stateDirOf(commonDir, config.stateDir);
  }

  async function modelsOver(spool: Spool): Promise<Models> {
    const { createModels } = await import("./providers/models.ts");
    const { readTranscript } = await import("./pipeline/library.ts");
    return createModels({
      lanes: await wiring.lanes(),
      spool,
      readTranscript: (path) => readTranscript(resolve(config.cwd, path)),
    });
  }

  return wiring;
}

async function openStore(directory: string, opened: Closable[]): Promise<Store> {
  const { SqliteStore } = await import("./store/sqlite-store.ts");
  const store = new SqliteStore(directory);
  opened.push(store);
  return store;
}

async function openSpool(directory: string): Promise<Spool> {
  return (await import("./store/spool.ts")).openSpool(directory);
}

/** The project's file counts where there is a project. */
async function readLanes(config: Config, repository: Repository | null): Promise<readonly Lane[]> {
  const { lanesOrThrow } = await import("./providers/lanes.ts");
  const { readProvidersFile } = await import("./pipeline/library.ts");
  return lanesOrThrow({
    environment: config.environment,
    user: readProvidersFile(join(config.configHome, "providers.yaml")),
    project: repository && readProvidersFile(join(repository.root, ".ccp", "providers.yaml")),
    trustedHosts: config.trustedHosts,
  });
}

function secretsOf(lanes: readonly Lane[]): readonly string[] {
  return lanes.flatMap((lane) => lane.credential ?? []);
}
