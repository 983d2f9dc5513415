import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { SqliteStore } from "../../src/store/sqlite-store.ts";
import { ccp } from "../support/cli.ts";
import { type DoorOptions, openDoors } from "../support/doors.ts";
import { mockModels } from "../support/mock-models.ts";
import { serverCount } from "../support/server-count.ts";
import { tempDir } from "../support/temp.ts";
import { LANE_KEYS, wireEnvironment } from "../support/wire-run.ts";
import { deafUrl } from "../support/wire-server.ts";

const MODELS = ["claude-haiku-4-5", "gpt-5.6-luna", "z-ai/glm-5.3-flash", "qwen3:8b"];
const usage = { input_tokens: 31, output_tokens: 3 };

interface Answer {
  readonly model: string;
  readonly ok: boolean;
  readonly servedBy: string | null;
  readonly costNanos: number;
  readonly failure: { readonly class: string; readonly message: string } | null;
}

describe("ping", () => {
  test("asks each provider that has a key, once and outside any repository, and records what that cost", async () => {
    const world = await open();
    const { code, stdout, stderr } = await world.ping();
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(world.answers(stdout).map(({ model, servedBy }) => `${model} by ${servedBy}`)).toEqual([
      "anthropic/claude-haiku-4-5 by claude-haiku-4-5",
      "openai/gpt-5.6-luna by gpt-5.6-luna",
      "openai-chat/gpt-5.6-luna by gpt-5.6-luna",
      "openrouter/z-ai/glm-5.3-flash by z-ai/glm-5.3-flash",
    ]);
    const counted = serverCount(world.mock);
    expect(counted.requests).toBe(4);
    expect(world.onRecord()).toEqual({ runs: 4, held: 0, tokens: 4 * 34, nanos: sum(world.answers(stdout)) });
    expectKeysStayed(world, stdout);
  });

  test("of one model asks that one alone, also where nobody needs a key", async () => {
    const world = await open();
    const { code, stdout } = await ccp(["ping", "--model", "ollama/qwen3:8b"], world);
    expect(code).toBe(0);
    expect(stdout).toMatch(/ollama\/qwen3:8b +answers +qwen3:8b +\d+ tokens +\$0\.00/);
    expect(world.doors.exchanges.map(({ door, path }) => door + path)).toEqual(["ollama/api/chat"]);
  });

  test("says which provider refuses its key and which is away; the others answer all the same, and nothing is charged for those two", async () => {
    const refused = { status: 401, body: '{"error":{"message":"invalid x-api-key sk-ant-wires-4hq7Zr2mX9"}}' };
    const world = await open({ refuse: (door) => (door === "anthropic" ? refused : null) });
    const away = { ...world.env, OPENROUTER_BASE_URL: await deafUrl() };
    const { code, stdout } = await ccp(["ping", "--json"], { ...world, env: away });
    expect(code).toBe(4);
    const answers = world.answers(stdout);
    expect(answers.map(({ ok, failure }) => (ok ? "ok" : failure?.class))).toEqual(["auth", "ok", "ok", "network"]);
    expect(answers.map(({ costNanos }) => costNanos > 0)).toEqual([false, true, true, false]);
    expect(world.onRecord()).toEqual({ runs: 4, held: 0, tokens: 2 * 34, nanos: sum(answers) });
    expectKeysStayed(world, stdout);

    // Nobody refuses a key here: it is the provider that is away.
    const only = {
      HOME: world.home,
      OPENROUTER_API_KEY: LANE_KEYS.openrouter ?? "",
      OPENROUTER_BASE_URL: await deafUrl(),
    };
    const alone = await ccp(["ping"], { ...world, env: only });
    expect(alone.code).toBe(6);
    expect(alone.stdout).toMatch(/network: openrouter could not be reached at 127\.0\.0\.1:\d+ \(ECONNREFUSED\)/);
  });
});

async function open(options: DoorOptions = {}) {
  const home = tempDir("ccp-home");
  const mock = await mockModels(MODELS.map((model) => ({ model, turn: 1, say: "here", usage })));
  const doors = await openDoors(mock.url, ["anthropic", "openrouter", "openai", "ollama"], options);
  onTestFinished(() => doors.close());
  const world = { home, mock, doors, cwd: tempDir("ccp-elsewhere"), env: { HOME: home, ...wireEnvironment(doors) } };
  return {
    ...world,
    ping: () => ccp(["ping", "--json"], world),
    answers: (stdout: string) => JSON.parse(stdout).answers as readonly Answer[],
    /** What the user's own journal of pings says. */
    onRecord() {
      const store = new SqliteStore(join(home, ".local", "state", "ccp", "ping"));
      const spends = store.runs().map(({ rid }) => store.ledger(rid, "run"));
      store.close();
      const total = (key: keyof (typeof spends)[number]) => spends.reduce((all, spend) => all + spend[key], 0);
      return {
        runs: spends.length,
        held: total("heldNanos"),
        tokens: total("settledTokens"),
        nanos: total("settledNanos"),
      };
    },
  };
}

function sum(answers: readonly Answer[]): number {
  return answers.reduce((all, { costNanos }) => all + costNanos, 0);
}

function expectKeysStayed({ home }: { readonly home: string }, stdout: string): void {
  const files = readdirSync(home, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  expect(files.length).toBeGreaterThan(0);
  const written = files.map((entry) => readFileSync(join(entry.parentPath, entry.name), "latin1")).join("");
  expect(Object.values(LANE_KEYS).filter((key) => written.includes(key) || stdout.includes(key))).toEqual([]);
  expect(written).toContain("anthropic/claude-haiku-4-5");
}
