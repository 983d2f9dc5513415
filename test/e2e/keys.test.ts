import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { bareEnvironment, ccp } from "../support/cli.ts";
import { writeFiles } from "../support/git.ts";
import type { MockTurn } from "../support/mock-models.ts";
import { WORK } from "../support/scenario.ts";
import { openWireWorld, wireEnvironment } from "../support/wire-run.ts";

const KEYS = { KEY_A: "canary-first-4hq7Zr2mX9", KEY_B: "canary-second-Lb83kTf0W" };
const MODEL = "claude-sonnet-5";
const ANSWERS: readonly MockTurn[] = [
  {
    model: MODEL,
    turn: 1,
    calls: [{ tool: "edit", args: { path: "sum.mjs", edits: [{ old: "a - b", new: "a + b" }] } }],
    usage: { input_tokens: 100, output_tokens: 10 },
  },
  { model: MODEL, turn: 2, calls: [{ tool: "finish", args: WORK }], usage: { input_tokens: 200, output_tokens: 20 } },
];
const TOO_OFTEN = {
  status: 429,
  headers: { "retry-after": "3600" },
  body: `{"type":"error","error":{"type":"rate_limit_error","message":"not with ${KEYS.KEY_A}"}}`,
};

describe("several keys of one provider", () => {
  test("are used one after the other: on record by their names, nowhere by their values", async () => {
    const world = await openWireWorld("pipeline:\n  - role: doer\n", ANSWERS, {
      refuse: (_, earlier) => (earlier.length === 0 ? TOO_OFTEN : null),
    });
    const file =
      "providers:\n  anthropic:\n    key_env: [KEY_A, KEY_B]\n    limits: { concurrency: 2, requests_per_minute: 9 }\n";
    writeFiles(world.home, { ".config/ccp/providers.yaml": file });
    const run = await world.run({ doer: [`anthropic/${MODEL}`] }, KEYS);

    expect(world.doors.exchanges.map(({ headers }) => headers["x-api-key"])).toEqual([
      KEYS.KEY_A,
      KEYS.KEY_B,
      KEYS.KEY_B,
    ]);
    const calls = run.events.flatMap((event) => (event.type === "call.reserved" ? [event.credential] : []));
    expect(calls).toEqual(["KEY_A", "KEY_B", "KEY_B"]);

    const at = { cwd: world.root, env: { ...bareEnvironment(world.home), ...wireEnvironment(world.doors), ...KEYS } };
    const again = await ccp(["replay", run.rid], at);
    expect(again.code, again.stderr + again.stdout).toBe(0);
    const list = await ccp(["providers"], at);
    expect(list.stdout).toMatch(/^anthropic +paid +2 of 2 keys +closed +127/m);
    expect(list.stdout).toMatch(/^anthropic KEY_B +0 of 2 calls at once, 2 of 9 requests$/m);
    const detail = await ccp(["providers", "anthropic"], at);
    expect(detail.stdout).toMatch(/^KEY_A +all models +resting until \S+( \S+)? +after rate$/m);
    expect(detail.stdout).toMatch(/^KEY_B +all models +closed +-$/m);

    const places = [world.root, world.home].flatMap(filesIn);
    for (const [name, key] of Object.entries(KEYS)) {
      expect(
        places.filter((path) => readFileSync(path).includes(key)),
        name,
      ).toEqual([]);
      expect(run.output + again.stdout + list.stdout + detail.stdout).not.toContain(key);
    }
  });

  test("are each asked by a ping, whatever rests", async () => {
    const world = await openWireWorld("pipeline:\n  - role: doer\n", [], {
      refuse: (_, earlier) => (earlier.length < 2 ? TOO_OFTEN : null),
    });
    writeFiles(world.home, { ".config/ccp/providers.yaml": "providers: { anthropic: { key_env: [KEY_A, KEY_B] } }" });
    const env = { ...bareEnvironment(world.home), ANTHROPIC_BASE_URL: world.doors.url("anthropic"), ...KEYS };
    const at = { cwd: world.root, env };
    const first = await ccp(["ping", "--model", `anthropic/${MODEL}`], at);
    expect(first.code).toBe(6);
    expect(first.stdout).toMatch(/^anthropic\/claude-sonnet-5 \(KEY_A\) +rate: /m);
    expect(first.stdout).toMatch(/^anthropic\/claude-sonnet-5 \(KEY_B\) +rate: /m);
    const resting = await ccp(["providers", "--json"], at);
    expect(JSON.parse(resting.stdout).providers[0].health.credentials).toMatchObject([
      { name: "KEY_A", state: "open", why: "rate" },
      { name: "KEY_B", state: "open", why: "rate" },
    ]);
    const second = await ccp(["ping", "--model", `anthropic/${MODEL}`, "--json"], at);
    expect(world.doors.exchanges).toHaveLength(4);
    expect(JSON.parse(second.stdout).answers.map(({ credential }: { credential: string }) => credential)).toEqual([
      "KEY_A",
      "KEY_B",
    ]);
  });
});

function filesIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile());
}
