import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { LLMock } from "@copilotkit/aimock";
import type { StoredEvent } from "../../../src/core/event.ts";
import type { RunSummary } from "../../../src/core/store.ts";
import { SqliteStore } from "../../../src/store/sqlite-store.ts";
import type { Ground } from "./ground.ts";
import { type Ended, type Kill, runToItsEnd } from "./killed-process.ts";
import { startModels } from "./models.ts";
import { ROUTES, TASK } from "./scenario.ts";

/** A user with one repository, and models of its own. */
export interface World {
  readonly folder: string;
  readonly root: string;
  readonly home: string;
  readonly models: LLMock;
  /** Runs ccp in the repository. */
  ccp(argv: readonly string[], kill: Kill): Promise<Ended>;
  /** Begins the run that is to be killed. */
  run(kill: Kill): Promise<Ended>;
  /** Reads the journal in a copy of it, so that what a crash left is not touched before the run goes on. */
  journal(): Journal;
  /** The bytes of a call's answer that are kept while it arrives; empty: none. */
  spooled(callId: string): string;
  remove(): Promise<void>;
}

/** The journal as it was when it was read. */
export interface Journal {
  /** Null: no run is on record. */
  readonly run: RunSummary | null;
  readonly events: readonly StoredEvent[];
}

/** Names of the same length make paths of the same length: nothing that is counted by its length differs. */
export async function openWorld(ground: Ground, name: string): Promise<World> {
  const folder = join(ground.folder, name);
  const [root, home, copy] = [join(folder, "repository"), join(folder, "home"), join(folder, "journal")];
  for (const path of [home, join(folder, "tmp")]) mkdirSync(path, { recursive: true });
  cpSync(ground.template, root, { recursive: true });
  const models = await startModels();
  const env = environmentOf(ground, folder, models.url);
  let processes = 0;
  const ccp = (argv: readonly string[], kill: Kill) => {
    processes += 1;
    const log = join(folder, `hits-${processes}`);
    return runToItsEnd({ argv: [ground.binary, ...argv], cwd: root, env, log }, kill);
  };
  return {
    folder,
    root,
    home,
    models,
    ccp,
    run: (kill) => ccp(runArguments(ground.pipeline), kill),
    journal: () => readCopy(join(root, ".git", "ccp"), copy),
    spooled(callId) {
      const file = join(root, ".git", "ccp", "spool", callId);
      return existsSync(file) ? readFileSync(file, "utf8") : "";
    },
    async remove() {
      await models.stop();
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

/** What the proof itself keeps in a world's folder. */
export function isOfTheProof(file: string): boolean {
  return /^(journal\/|hits-\d+$)/.test(file);
}

/** A lost call is charged in full, so there is room for many of the dearest. */
function runArguments(pipeline: string): readonly string[] {
  const models = Object.entries(ROUTES).map(([role, model]) => `--model=${role}=anthropic/${model}`);
  return ["run", "--pipeline", pipeline, "--budget=1000", "--minutes=600", ...models, "--json", TASK];
}

function environmentOf(ground: Ground, folder: string, url: string): Readonly<Record<string, string>> {
  return {
    PATH: `${dirname(process.execPath)}:${process.env.PATH ?? ""}`,
    HOME: join(folder, "home"),
    TMPDIR: join(folder, "tmp"),
    LANG: "C.UTF-8",
    TERM: "dumb",
    ANTHROPIC_API_KEY: "sk-ant-prove-7Lk2Wv9QpX",
    ANTHROPIC_BASE_URL: url,
    NODE_COMPILE_CACHE: join(ground.folder, "compile-cache"),
    NODE_OPTIONS: `--import=file://${ground.preload}`,
  };
}

function readCopy(stateDir: string, copy: string): Journal {
  rmSync(copy, { recursive: true, force: true });
  mkdirSync(copy);
  const names = existsSync(stateDir) ? readdirSync(stateDir).filter((name) => name.startsWith("ccp.db")) : [];
  for (const name of names) writeFileSync(join(copy, name), readFileSync(join(stateDir, name)));
  const store = new SqliteStore(copy);
  try {
    const run = store.runs()[0] ?? null;
    return { run, events: run === null ? [] : store.events(run.rid) };
  } finally {
    store.close();
  }
}
