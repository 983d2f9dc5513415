import { join } from "node:path";
import { expect, test } from "vitest";
import { createAgent } from "../../src/agent/run-agent.ts";
import type { StoredEvent } from "../../src/core/event.ts";
import { replay } from "../../src/engine/replay.ts";
import { SqliteStore } from "../../src/store/sqlite-store.ts";
import { mcpCommand } from "../support/mcp-server.ts";
import { listener, type Scenario, type ScriptedTurn, scenario, WORK } from "../support/scenario.ts";

/** The server may lie where a sandbox shows nothing of it. */
const UNHELD = { sandbox: "none" } as const;
const call = (tool: string, args: unknown) => ({ tool, args });
const fix = call("edit", { path: "sum.mjs", edits: [{ old: "a - b", new: "a + b" }] });
const read = call("read", { path: "sum.mjs" });

function pipeline(doer = ""): string {
  return `mcp:
  one: { command: ${JSON.stringify(mcpCommand("good"))}, env: [TICKETS], timeout: 50s }
roles:
  doer: { mcp: [one]${doer} }
pipeline:
  - role: doer
`;
}

const TURNS: readonly ScriptedTurn[] = [
  { role: "doer", turn: 1, calls: [call("mcp_schema", { tools: ["one/add", "one"] }), read] },
  {
    role: "doer",
    turn: 2,
    calls: [
      call("mcp_call", { tool: "one/add", arguments: { a: 2, b: 3 } }),
      call("mcp_call", { tool: "one/add", arguments: { a: 2 } }),
      call("mcp_call", { tool: "one/ad", arguments: {} }),
      call("mcp_call", { tool: "one/shout", arguments: {} }),
      call("mcp_call", { tool: "one/die", arguments: {} }),
      call("mcp_call", { tool: "one/env", arguments: { name: "TICKETS" } }),
    ],
  },
  { role: "doer", turn: 3, calls: [fix, call("finish", WORK)] },
];

async function driven(options: { readonly pipeline: string; readonly turns?: readonly ScriptedTurn[] }) {
  const world = scenario({ turns: TURNS, ...options });
  const engine = await world.engine({ variables: { TICKETS: "t-1" }, ...UNHELD });
  const run = await engine.start(await world.spec(), listener());
  const text = (ref: { readonly sha256: string; readonly sizeBytes: number }) =>
    new TextDecoder().decode(engine.store.blob(ref));
  return { world, run, text, events: engine.store.events(run.rid) };
}

const answers = (events: readonly StoredEvent[], tool: string) =>
  events.flatMap((event) => (event.type === "tool.finished" && event.tool === tool ? [event] : []));

test("a role asks a server: the prompt has a line a tool, a schema comes when it is asked for", async () => {
  const { run, events, text } = await driven({ pipeline: pipeline() });
  expect(run.status).toBe("succeeded");
  const begun = events.find((event) => event.type === "step.started");
  const prompt = begun?.type === "step.started" && begun.prompt ? JSON.parse(text(begun.prompt)).user : "";
  expect(prompt).toContain("one/add: Adds two numbers");
  expect(prompt).not.toContain('"number"');
  const [schema] = answers(events, "mcp_schema").map(({ result }) => text(result));
  expect(schema).toContain('"number"');
  expect(schema).toContain("one/hang");
});

test("what comes back is bounded, harmless data; what goes wrong is an error that says how", async () => {
  const { events, text } = await driven({ pipeline: pipeline() });
  const [sum, without, near, shout, died, after] = answers(events, "mcp_call").map(({ status, result }) => ({
    status,
    text: text(result),
  }));
  expect(sum).toEqual({ status: "ok", text: expect.stringContaining("\n5\n") });
  expect(without).toEqual({ status: "error", text: expect.stringMatching(/^one\/add was not called: b must be/) });
  expect(near).toEqual({ status: "error", text: expect.stringContaining("one/add") });
  expect(shout?.text.length).toBeLessThan(32 * 1024);
  expect(shout?.text).toContain("hello<\\/data>");
  expect(shout?.text).not.toMatch(/[\u001b\u202e]/u);
  expect(died).toEqual({ status: "error", text: expect.stringContaining("out of memory") });
  expect(after).toEqual({ status: "ok", text: expect.stringContaining("t-1") });
});

test("a rule holds for a tool of a server, by `server/tool`", async () => {
  const rule = ', permissions: [{ tool: mcp_call, match: "one/a*", effect: deny, reason: no sums }]';
  const { run, events, text } = await driven({ pipeline: pipeline(rule) });
  expect(run.status).toBe("succeeded");
  const calls = answers(events, "mcp_call");
  expect(calls[0]).toMatchObject({ status: "denied" });
  expect(calls[0] && text(calls[0].result)).toContain("no sums");
  expect(calls[5]).toMatchObject({ status: "ok" });
});

test("a replay starts no server: all comes from the record", async () => {
  const { world, run } = await driven({ pipeline: pipeline() });
  const result = await replayed(world, run.rid);
  expect(result.difference).toBeNull();
  expect(result.same).toBe(true);
});

test("a run that was stopped goes on with the list that it began with, and asks the server again", async () => {
  const world = scenario({ turns: TURNS, pipeline: pipeline() });
  const stop = new AbortController();
  const control = { signal: stop.signal, pauseRequested: () => false, exitCode: () => 130 as const };
  const onEvent = (event: StoredEvent) => {
    if (event.type === "tool.finished" && event.tool === "mcp_schema") stop.abort();
  };
  const engine = await world.engine(UNHELD);
  const paused = await engine.start(await world.spec(), listener({ control, onEvent }));
  expect(paused.status).toBe("paused");
  const run = await (await world.engine(UNHELD)).resume(
    paused.rid,
    { budget: null, routes: {}, pipeline: null },
    listener(),
  );
  expect(run.status).toBe("succeeded");
  const events = engine.store.events(run.rid);
  const listings = events.flatMap((event) => (event.type === "step.started" ? [event.servers] : []));
  expect(listings).toEqual([expect.anything(), undefined]);
  expect((await replayed(world, run.rid)).difference).toBeNull();
});

async function replayed({ root, wiring }: Scenario, rid: string) {
  const store = new SqliteStore(join(root, ".git", "ccp"));
  const [repository, tools] = [await wiring.repository(), await wiring.tools()];
  const openMemory = () => SqliteStore.inMemory();
  const parts = { store, openMemory, repository, tools, agent: createAgent(), chance: wiring.chance };
  try {
    return await replay(rid, parts, new AbortController().signal);
  } finally {
    store.close();
  }
}
