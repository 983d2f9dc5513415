import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createAgent } from "../../src/agent/run-agent.ts";
import type { StoredEvent } from "../../src/core/event.ts";
import { shownOutput, withWhole } from "../../src/core/tool-output.ts";
import { replay } from "../../src/engine/replay.ts";
import { SqliteStore } from "../../src/store/sqlite-store.ts";
import { git } from "../support/git.ts";
import { listener, type ScriptedTurn, scenario, WORK } from "../support/scenario.ts";

const call = (tool: string, args: unknown) => ({ tool, args });
const NO_CHANGES = { budget: null, routes: {}, pipeline: null } as const;
const PIPELINE = "pipeline:\n  - { role: doer, attempts: 1 }\n";
/** 20,000 lines; its name is the beginning of the sha256 of them. */
const WRITES = "for i in $(seq 20000); do echo line $i; done";
const NAME = ".ccp-output/62fb880798b4.txt";

const turns = (name: string): readonly ScriptedTurn[] => [
  { role: "doer", turn: 1, calls: [call("bash", { command: WRITES })] },
  {
    role: "doer",
    turn: 2,
    calls: [call("grep", { pattern: "line 1000[12]$", path: name }), call("ls", { path: ".ccp-output" })],
  },
  { role: "doer", turn: 3, calls: [call("read", { path: name, offset: 10_003, limit: 2 })] },
  {
    role: "doer",
    turn: 4,
    calls: [
      call("write", { path: name, content: "x" }),
      call("edit", { path: "sum.mjs", edits: [{ old: "a - b", new: "a + b" }] }),
    ],
  },
  { role: "doer", turn: 5, calls: [call("finish", WORK)] },
];

const finishedOf = (events: readonly StoredEvent[]) =>
  events.filter((event): event is Extract<StoredEvent, { type: "tool.finished" }> => event.type === "tool.finished");

describe("a result that is too long to be shown", () => {
  test("is kept whole where tools can read it, and is in no tree, no patch and no snapshot", async () => {
    const world = scenario({ pipeline: PIPELINE, turns: turns(NAME) });
    const engine = await world.engine();
    const run = await engine.start(await world.spec(), listener());
    expect(run.status).toBe("succeeded");
    const finished = finishedOf(engine.store.events(run.rid));
    const text = (at: number) => new TextDecoder().decode(engine.store.blob(finished[at]?.result as never));
    expect(finished[0]?.spilled?.path).toBe(NAME);
    expect(text(0)).toMatch(
      /line 1\n[\s\S]*bytes left out[\s\S]*line 20000\n\[All 208893 characters of it: \.ccp-output/,
    );
    expect(text(0).length).toBeLessThan(40_000);
    expect(text(1)).toContain(`${NAME}:10001: line 10001`);
    expect(text(2)).toContain(NAME.slice(NAME.indexOf("/") + 1));
    expect(text(3)).toContain("10003\tline 10003\n10004\tline 10004");
    expect(finished[4]).toMatchObject({ tool: "write", status: "error" });
    expect(text(4)).toContain("kept by ccp");
    expect(git(world.root, "ls-tree", "-r", "--name-only", run.tree ?? "")).not.toContain("ccp-output");

    const parts = {
      store: engine.store,
      openMemory: () => SqliteStore.inMemory(),
      agent: createAgent(),
      chance: world.wiring.chance,
    };
    const rooms = { repository: await world.wiring.repository(), tools: await world.wiring.tools() };
    const replayed = await replay(run.rid, { ...parts, ...rooms }, new AbortController().signal);
    expect(replayed.difference).toBeNull();
  });

  test("is there again when its conversation goes on and the file is gone", async () => {
    const world = scenario({ pipeline: PIPELINE, turns: turns(NAME) });
    let stop = false;
    const control = { signal: new AbortController().signal, pauseRequested: () => stop, exitCode: () => 130 as const };
    const first = await world.engine();
    const onEvent = ({ type }: StoredEvent) => {
      if (type === "tool.finished") stop = true;
    };
    const paused = await first.start(await world.spec(), listener({ control, onEvent }));
    expect(paused.status).toBe("paused");
    const folder = join(world.root, ".git", "ccp", "runs", paused.rid, "outputs");
    expect(readdirSync(folder)).toHaveLength(1);
    rmSync(folder, { recursive: true });
    const second = await world.engine();
    const run = await second.resume(paused.rid, NO_CHANGES, listener());
    expect(run.status).toBe("succeeded");
    expect(finishedOf(second.store.events(run.rid)).filter(({ status }) => status === "error")).toHaveLength(1);
    expect(existsSync(folder)).toBe(true);
  });

  test("is cut in the middle where its tool has not cut it, and says once where all of it is", () => {
    const long = `${"a".repeat(70_000)}END`;
    const { text, whole } = shownOutput(long, undefined);
    expect(whole).toBe(long);
    expect(text.length).toBeLessThan(66_000);
    expect(text.endsWith("END")).toBe(true);
    const said = withWhole(text, NAME, long.length);
    expect(withWhole(said, NAME, long.length)).toBe(said);
    expect(shownOutput("short", undefined)).toEqual({ text: "short", whole: null });
    expect(shownOutput("exit 0\nout", "out")).toEqual({ text: "exit 0\nout", whole: null });
  });
});
