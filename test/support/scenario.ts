import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { createAgent } from "../../src/agent/run-agent.ts";
import { readConfig } from "../../src/cli/config.ts";
import { systemChance } from "../../src/cli/system-chance.ts";
import type { Sandbox } from "../../src/core/confinement.ts";
import type { StoredEvent } from "../../src/core/event.ts";
import type { LaneHealth } from "../../src/core/lane-health.ts";
import type { Chance, Models, Repository, ToolServers, Tools } from "../../src/core/ports.ts";
import type { RouteRule } from "../../src/core/route-rules.ts";
import type { Run } from "../../src/core/run.ts";
import type { Store, UserLedger } from "../../src/core/store.ts";
import { createEngine, type Engine, type Listener } from "../../src/engine/engine.ts";
import { liveExecutor } from "../../src/engine/executor.ts";
import { ruledRouter } from "../../src/engine/router.ts";
import { createToolServers } from "../../src/protocols/tool-servers.ts";
import { openSpool } from "../../src/store/spool.ts";
import { SqliteStore } from "../../src/store/sqlite-store.ts";
import { type RunSpec, type Wiring, wire } from "../../src/wire/wire.ts";
import { bareEnvironment } from "./cli.ts";
import { makeRepository } from "./git.ts";
import { tempDir } from "./temp.ts";

/** A small project with one red test, run by node alone. */
export const RED_PROJECT = {
  "package.json": `${JSON.stringify({ name: "sample", type: "module", scripts: { test: "node check.mjs" } })}\n`,
  "sum.mjs": "export const sum = (a, b) => a - b;\n",
  "check.mjs":
    'import { sum } from "./sum.mjs";\nif (sum(2, 2) !== 4) {\n  console.error("2 + 2 is not", sum(2, 2));\n  process.exit(1);\n}\n',
  "README.md": "# Sample\n",
  ".gitignore": "node_modules/\nscratch/\n",
};

/** One answer of the scripted provider. */
export interface ScriptedTurn {
  readonly role?: string;
  readonly step?: string;
  readonly conversation?: number;
  readonly turn?: number;
  /** Of a question beside the talk; then it has no turn. */
  readonly purpose?: string;
  readonly say?: string;
  readonly calls?: readonly { readonly tool: string; readonly args?: unknown; readonly raw?: string }[];
  readonly usage?: Readonly<Record<string, number>>;
  readonly stop?: string;
  readonly delay_ms?: number;
  readonly fault?: Readonly<Record<string, unknown>>;
}

const call = (tool: string, args: unknown) => ({ tool, args });
export const PLAN = {
  plan: "Make sum add.",
  tasks: ["sum.mjs: add"],
  acceptance: ["the check passes"],
  uncertainty: 0.1,
};
export const WORK = { status: "done", summary: "sum adds now", evidence: ["node check.mjs: passed"], confidence: 0.9 };
export const APPROVAL = {
  verdict: "approve",
  findings: [{ file: "sum.mjs", line: 1, severity: "nit", reason: "a comment would help" }],
  checklist: {
    style: { ok: true, note: "fine" },
    safety: { ok: true, note: "fine" },
    risk: { ok: true, note: "small" },
  },
};
export const REJECTION = {
  ...APPROVAL,
  verdict: "request_changes",
  findings: [{ file: "sum.mjs", line: 1, severity: "major", reason: "wrong sign" }],
};

/** Planner, doer and reviewer mend the red project: reads, a wrong edit seen by the shell, the right one, a new file. */
export const MENDING: readonly ScriptedTurn[] = [
  {
    role: "planner",
    turn: 1,
    say: "Looking.",
    calls: [call("read", { path: "sum.mjs" }), call("grep", { pattern: "sum" })],
    usage: { input: 900, output: 40 },
  },
  { role: "planner", turn: 2, calls: [call("finish", PLAN)], usage: { input: 1100, output: 80 } },
  {
    role: "doer",
    turn: 1,
    calls: [
      call("read", { path: "sum.mjs" }),
      call("edit", { path: "sum.mjs", edits: [{ old: "a - b", new: "a * b * 2" }] }),
    ],
  },
  {
    role: "doer",
    turn: 2,
    calls: [call("bash", { command: "mkdir -p scratch && echo x > scratch/log && node check.mjs; echo done" })],
  },
  {
    role: "doer",
    turn: 3,
    calls: [
      call("edit", { path: "sum.mjs", edits: [{ old: "a * b * 2", new: "a + b" }] }),
      call("write", { path: "docs/sum ü.md", content: "sum adds" }),
    ],
  },
  { role: "doer", turn: 4, calls: [call("finish", WORK)], usage: { input: 2000, output: 60 } },
  { role: "reviewer", turn: 1, calls: [call("read", { path: "sum.mjs" })] },
  { role: "reviewer", turn: 2, calls: [call("finish", APPROVAL)], usage: { input: 3000, output: 120 } },
];

export interface ScenarioOptions {
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  readonly turns?: readonly ScriptedTurn[];
  /** Text of the pipeline file; default: planner, doer, test, reviewer. */
  readonly pipeline?: string;
  readonly task?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A repository, a transcript and a pipeline, with the real rooms around them. */
export interface Scenario {
  readonly root: string;
  readonly transcript: string;
  readonly env: Readonly<Record<string, string>>;
  readonly wiring: Wiring;
  spec(): Promise<RunSpec>;
  /** An engine of its own, as a new process would have; `around` may put something between it and its ports. */
  engine(around?: {
    readonly store?: (store: Store) => Store;
    readonly models?: (models: Models) => Models;
    readonly repository?: (repository: Repository) => Repository;
    readonly tools?: (tools: Tools) => Tools;
    readonly userLedger?: UserLedger;
    readonly health?: LaneHealth;
    readonly servers?: ToolServers;
    readonly variables?: Record<string, string>;
    readonly secrets?: readonly string[];
    /** Rules on who is asked; default: none. */
    readonly rules?: readonly RouteRule[];
    /** Default: what there is here. */
    readonly sandbox?: Sandbox;
    /** Default: the machine's, and no wait is waited. */
    readonly chance?: Chance;
  }): Promise<Engine & { readonly store: Store }>;
}

export const FULL_PIPELINE = `
pipeline:
  - role: planner
  - role: doer
  - id: test
    run: node check.mjs
    check: true
    on_failure: { back_to: doer, attempts: 1 }
  - role: reviewer
    on_failure: { back_to: doer, attempts: 1 }
`;

export function scenario(options: ScenarioOptions = {}): Scenario {
  const root = makeRepository(options.files ?? RED_PROJECT);
  const outside = tempDir("ccp-outside");
  const transcript = join(outside, "transcript.yaml");
  writeFileSync(transcript, stringify({ turns: options.turns ?? MENDING }));
  writeFileSync(join(outside, "pipeline.yaml"), options.pipeline ?? FULL_PIPELINE);
  const env = { ...bareEnvironment(tempDir("ccp-home")), ...options.env };
  const config = readConfig({ cwd: root, environment: env } as never);
  const wiring = wire(config, systemChance);
  return {
    root,
    transcript,
    env,
    wiring,
    async spec() {
      const [library, repository, results] = [
        await wiring.library(),
        await wiring.repository(),
        await wiring.results(),
      ];
      const model = `scripted/${transcript}`;
      const loaded = library.load(join(outside, "pipeline.yaml"), {
        inputs: {},
        providers: ["scripted"],
        defaultModels: { planner: [model], doer: [model], reviewer: [model] },
        project: await repository.project(),
      });
      if (!loaded.ok) throw new Error(JSON.stringify(loaded.diagnostics));
      const base = await repository.resolveBase("HEAD");
      return {
        pipeline: loaded.pipeline,
        inputs: loaded.inputs,
        task: options.task ?? "Make sum add.",
        base,
        resultsDir: results.dir,
        ccpVersion: "0",
        parent: null,
        inherited: [],
      };
    },
    async engine(around = {}) {
      const stateDir = join((await wiring.repository()).commonDir, "ccp");
      const real = new SqliteStore(stateDir);
      const store = around.store?.(real) ?? real;
      const models = await wire(config, systemChance).models();
      const repository = await wire(config, systemChance).repository();
      const [all, secrets] = [await wiring.tools(), around.secrets ?? []];
      const tools = around.tools?.(all) ?? all;
      const { name: sandbox } = await wiring.sandbox();
      const engine = createEngine({
        policies: (commit) => wiring.policies(commit),
        store,
        spool: openSpool(stateDir),
        repository: around.repository?.(repository) ?? repository,
        results: await wiring.results(),
        models: around.models?.(models) ?? models,
        sandbox: () => around.sandbox ?? sandbox,
        tools,
        servers: around.servers ?? createToolServers(),
        executor: liveExecutor(tools, secrets),
        agent: createAgent(),
        chance: hastyChance(around.chance ?? wiring.chance),
        peers: await wiring.peers(),
        userLedger: around.userLedger ?? (await wiring.userLedger()),
        health: around.health ?? (await wiring.health()),
        secrets,
        variables: around.variables ?? {},
        ...(around.rules ? { router: ruledRouter(around.rules, models) } : {}),
      });
      return { ...engine, store };
    },
  };
}

/** Waits are over at once: the clock goes on by what they would have taken. */
function hastyChance(chance: Chance): Chance {
  let aheadMs = 0;
  return {
    ...chance,
    now: () => chance.now() + aheadMs,
    sleep: async (ms) => {
      aheadMs += ms;
    },
  };
}

/** Hears everything and steers nothing. */
export function listener(
  change: Partial<Listener> & { readonly onEvent?: (event: StoredEvent, run: Run) => void } = {},
): Listener {
  return {
    publish: change.onEvent ?? (() => undefined),
    tell: change.tell ?? (() => undefined),
    control: change.control ?? {
      signal: new AbortController().signal,
      pauseRequested: () => false,
      exitCode: () => 130,
    },
  };
}
