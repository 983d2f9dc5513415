import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { LLMock } from "@copilotkit/aimock";
import { expect, onTestFinished } from "vitest";
import type { StoredEvent } from "../../src/core/event.ts";
import type { Store } from "../../src/core/store.ts";
import { SqliteStore } from "../../src/store/sqlite-store.ts";
import { bareEnvironment, binary } from "./cli.ts";
import { type DoorOptions, type Doors, openDoors } from "./doors.ts";
import { makeRepository } from "./git.ts";
import { type MockTurn, mockModels } from "./mock-models.ts";
import { RED_PROJECT } from "./scenario.ts";
import { tempDir } from "./temp.ts";

/** Each a word of its own, found wherever it leaks. By the door that it opens. */
export const LANE_KEYS: Readonly<Record<string, string>> = {
  anthropic: "sk-ant-wires-4hq7Zr2mX9",
  openrouter: "sk-or-wires-Lb83kTf0Wc",
  openai: "sk-oai-wires-9Vd5nYp1Gs",
};

/** The red project, mock models behind one door for each lane, and an environment that leads there. */
export interface WireWorld {
  readonly root: string;
  readonly home: string;
  readonly mock: LLMock;
  readonly doors: Doors;
  /** Runs the real binary to the end of a run that succeeds. Routes by role; `more`: variables beside those of the doors. */
  run(routes: Readonly<Record<string, readonly string[]>>, more?: Readonly<Record<string, string>>): Promise<WireRun>;
}

/** A run that has succeeded, and all that it left. The store is closed with the test. */
export interface WireRun {
  readonly rid: string;
  readonly record: RunJson;
  readonly events: readonly StoredEvent[];
  readonly store: Store;
  /** Standard output and error. */
  readonly output: string;
}

/** What is read of run.json. */
export interface RunJson {
  readonly status: string;
  readonly exit: number;
  readonly tree: string;
  readonly base: { readonly commit: string };
  readonly usage: Readonly<Record<string, number | string>>;
  readonly cost_nanos: number;
  readonly cost_usd: number;
  readonly tokens: number;
  readonly models: readonly { readonly model: string; readonly calls: number; readonly cost_nanos: number }[];
  readonly steps: readonly { readonly id: string; readonly calls: number; readonly cost_nanos: number }[];
  readonly checks: readonly { readonly purpose: string; readonly exit_code: number }[];
}

export async function openWireWorld(
  pipeline: string,
  turns: readonly MockTurn[],
  options: DoorOptions = {},
): Promise<WireWorld> {
  const [root, home, mock] = [makeRepository(RED_PROJECT), tempDir("ccp-home"), await mockModels(turns)];
  const doors = await openDoors(mock.url, [...Object.keys(LANE_KEYS), "ollama"], options);
  onTestFinished(() => doors.close());
  const file = join(home, "pipeline.yaml");
  writeFileSync(file, pipeline);
  return {
    root,
    home,
    mock,
    doors,
    async run(routes, more = {}) {
      const models = Object.entries(routes).flatMap(([role, names]) => names.map((name) => `--model=${role}=${name}`));
      const argv = ["run", "--pipeline", file, ...models, "--ui", "plain", "Make sum add."];
      const env = { ...bareEnvironment(home), ...wireEnvironment(doors), ...more };
      const { code, stdout, stderr } = await binary(argv, { cwd: root, env });
      expect(code, stderr + stdout).toBe(0);
      return readRun(root, stdout + stderr);
    },
  };
}

/** Keys, and addresses that lead to the doors. */
export function wireEnvironment(doors: Pick<Doors, "url">): Record<string, string> {
  return {
    ANTHROPIC_API_KEY: LANE_KEYS.anthropic ?? "",
    ANTHROPIC_BASE_URL: doors.url("anthropic"),
    OPENROUTER_API_KEY: LANE_KEYS.openrouter ?? "",
    OPENROUTER_BASE_URL: `${doors.url("openrouter")}/api/v1`,
    OPENAI_API_KEY: LANE_KEYS.openai ?? "",
    OPENAI_BASE_URL: `${doors.url("openai")}/v1`,
    OLLAMA_HOST: doors.url("ollama"),
  };
}

function readRun(root: string, output: string): WireRun {
  const store = new SqliteStore(join(root, ".git", "ccp"));
  onTestFinished(() => store.close());
  const rid = store.runs()[0]?.rid ?? "";
  const record = JSON.parse(readFileSync(join(root, "results", rid, "run.json"), "utf8")) as RunJson;
  return { rid, record, events: store.events(rid), store, output };
}
