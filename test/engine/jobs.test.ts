import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createAgent } from "../../src/agent/run-agent.ts";
import type { StoredEvent } from "../../src/core/event.ts";
import { type Run, stepState } from "../../src/core/run.ts";
import type { Store } from "../../src/core/store.ts";
import { replay } from "../../src/engine/replay.ts";
import { replayAgainst } from "../../src/engine/replay-against.ts";
import { SqliteStore } from "../../src/store/sqlite-store.ts";
import { git } from "../support/git.ts";
import { listener, type Scenario, scenario, WORK } from "../support/scenario.ts";

const call = (tool: string, args: unknown) => ({ tool, args });
const DOER_ONLY = "pipeline:\n  - role: doer\n";
const NO_CHANGES = { budget: null, routes: {}, pipeline: null } as const;
const finish = call("finish", WORK);
/** Waits for a file, then makes another. */
const waiting = "until [ -e go ]; do sleep 0.01; done; echo made > made.txt";
/** Makes a file only when it is ended. */
const tidying = "trap 'echo tidied > tidied.txt; exit' TERM; echo up; while :; do sleep 0.02; done";
const background = (command: string) => call("bash", { command, background: true });

type Engine = Awaited<ReturnType<Scenario["engine"]>>;

async function driven(options: Parameters<typeof scenario>[0], around: Parameters<Scenario["engine"]>[0] = {}) {
  const world = scenario({ pipeline: DOER_ONLY, ...options });
  const engine = await world.engine(around);
  const run = await engine.start(await world.spec(), listener());
  return { world, engine, run };
}

const finished = (engine: Engine, { rid }: Run, tool: string) =>
  engine.store.events(rid).filter((event) => event.type === "tool.finished" && event.tool === tool) as Extract<
    StoredEvent,
    { type: "tool.finished" }
  >[];
const filesOf = ({ root }: Scenario, tree: string | null | undefined) =>
  git(root, "ls-tree", "-r", "--name-only", `${tree}`).trim().split("\n");
const said = (engine: Engine, event: { result: { sha256: string; sizeBytes: number } }) =>
  new TextDecoder().decode(engine.store.blob(event.result));

function living(root: string): readonly string[] {
  return readdirSync("/proc").filter((name) => {
    try {
      if (!/^\d+$/.test(name) || /\) [ZX] /.test(readFileSync(`/proc/${name}/stat`, "latin1"))) return false;
      return readFileSync(`/proc/${name}/environ`, "latin1").includes(`PWD=${root}`);
    } catch {
      return false;
    }
  });
}

async function expectReplayed({ wiring }: Scenario, store: Store, run: Run): Promise<void> {
  const [repository, tools] = [await wiring.repository(), await wiring.tools()];
  const openMemory = () => SqliteStore.inMemory();
  const parts = { store, openMemory, repository, tools, agent: createAgent(), chance: wiring.chance };
  const result = await replay(run.rid, parts, new AbortController().signal);
  expect(result.difference).toBeNull();
  expect(result).toMatchObject({ same: true, status: run.status, replayedStatus: run.status });
}

const TWO_JOBS = [
  { role: "doer", turn: 1, calls: [background(waiting), background(tidying)] },
  { role: "doer", turn: 2, calls: [call("read", { path: "sum.mjs" }), call("write", { path: "go", content: "" })] },
  { role: "doer", turn: 3, calls: [call("job_output", { job: "job-1", wait_ms: 60_000 })] },
  { role: "doer", turn: 4, calls: [finish] },
] as const;

test("what a job has changed is on record with what the model is told of it, and with finish at the latest", async () => {
  const { world, engine, run } = await driven({ turns: TWO_JOBS });
  expect(run.status).toBe("succeeded");
  const [output] = finished(engine, run, "job_output");
  expect(output).toMatchObject({ status: "ok", summary: "exit 0" });
  git(world.root, "cat-file", "-e", `ccp/${run.rid}`);
  expect(filesOf(world, `ccp/${run.rid}`)).toEqual(expect.arrayContaining(["made.txt", "tidied.txt"]));
  const [end] = finished(engine, run, "finish");
  expect(end?.treeAfter).toBe(run.tree);
  expect(end?.treeAfter).not.toBe(output?.treeAfter);
  expect(living(run.workspace?.path ?? "?")).toEqual([]);
});

test("a run with jobs is replayed without them: their outputs and trees are those on record", async () => {
  const { world, engine, run } = await driven({ turns: TWO_JOBS });
  await expectReplayed(world, engine.store, run);
  const { wiring } = world;
  const [repository, tools] = [await wiring.repository(), await wiring.tools()];
  const openMemory = () => SqliteStore.inMemory();
  const parts = { store: engine.store, openMemory, repository, tools, agent: createAgent(), chance: wiring.chance };
  const plan = { pipeline: engine.pinnedPipeline(run.rid), inputs: {} };
  expect(await replayAgainst(run.rid, plan, parts, new AbortController().signal)).toMatchObject({
    replayedStatus: "succeeded",
    tree: { was: run.tree, is: run.tree },
    missing: null,
  });
});

test("a check that follows is not disturbed: jobs end before it, and the model is told when it asks for one", async () => {
  const pipeline = "pipeline:\n  - { role: doer, until: { run: test -e fixed, attempts: 2 } }\n";
  const turns = [
    { role: "doer", turn: 1, calls: [background("sleep 300"), call("write", { path: "a", content: "" }), finish] },
    {
      role: "doer",
      turn: 2,
      calls: [call("job_output", { job: "job-1" }), call("write", { path: "fixed", content: "" })],
    },
    { role: "doer", turn: 3, calls: [background("sleep 300"), finish] },
  ] as const;
  const { world, engine, run } = await driven({ pipeline, turns });
  expect(run.status).toBe("succeeded");
  expect(finished(engine, run, "job_output")).toMatchObject([{ status: "error", summary: "job-1 is gone" }]);
  expect(finished(engine, run, "bash").map(({ job }) => job)).toEqual(["job-1", "job-2"]);
  expect(living(run.workspace?.path ?? "?")).toEqual([]);
  await expectReplayed(world, engine.store, run);
});

test("a step that is not finished leaves what is on record, and nothing of its jobs", async () => {
  const pipeline = "pipeline:\n  - role: doer\n    timeout: 2s\n";
  const turns = [
    { role: "doer", turn: 1, calls: [background(tidying), call("job_output", { job: "job-1", wait_ms: 60_000 })] },
  ] as const;
  const { world, run } = await driven({ pipeline, turns });
  expect(stepState(run, "doer").outcome).toMatchObject({ status: "failed", class: "timeout" });
  expect(living(run.workspace?.path ?? "?")).toEqual([]);
  const workspace = (await world.wiring.repository()).openWorkspace(run.rid, run.workspace?.path ?? "");
  expect(await workspace.snapshot()).toBe(run.tree);
  expect(filesOf(world, run.tree)).not.toContain("tidied.txt");
});

test("after a crash the jobs are gone, the files are those on record, and the next job has a name of its own", async () => {
  const turns = [
    { role: "doer", turn: 1, calls: [background(waiting), call("write", { path: "b.txt", content: "b" })] },
    { role: "doer", turn: 2, calls: [call("job_output", { job: "job-1", wait_ms: 60_000 })] },
    { role: "doer", turn: 3, calls: [background("echo again; sleep 300"), finish] },
  ] as const;
  const world = scenario({ pipeline: DOER_ONLY, turns });
  const dying = (store: Store): Store =>
    new Proxy(store, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key, target);
        if (key !== "append") return typeof value === "function" ? value.bind(target) : value;
        return ((...args: Parameters<Store["append"]>) => {
          if (args[2].some((event) => event.type === "call.reserved" && event.turn === 2)) throw new Error("died");
          return store.append(...args);
        }) as Store["append"];
      },
    });
  const first = await world.engine({ store: dying });
  await expect(first.start(await world.spec(), listener())).rejects.toThrow("died");
  const [rid = ""] = first.store.runs().map((run) => run.rid);
  first.store.close();
  const next = await world.engine();
  const run = await next.resume(rid, NO_CHANGES, listener());
  expect(run.status).toBe("succeeded");
  const [output] = finished(next, run, "job_output");
  expect(output).toMatchObject({ status: "error", summary: "job-1 is gone" });
  expect(said(next, output as never)).toContain("Start it again if you still need it");
  expect(finished(next, run, "bash").map(({ job }) => job)).toEqual(["job-1", "job-2"]);
  expect(existsSync(join(run.workspace?.path ?? "", "made.txt"))).toBe(false);
  await expectReplayed(world, next.store, run);
});

test("what has filled the disk is not recorded as a tree: the files are put back first", async () => {
  const turns = [
    { role: "doer", turn: 1, calls: [call("bash", { command: "echo x > big; exit 0" }), finish] },
  ] as const;
  const world = scenario({ pipeline: DOER_ONLY, turns });
  const engine = await world.engine({
    tools: (tools) => ({
      ...tools,
      // As if the limit had been reached.
      run: async (ready, place) => ({
        ...(await tools.run(ready, place)),
        ...(ready.tool === "bash" && { undone: true }),
      }),
    }),
  });
  const run = await engine.start(await world.spec(), listener());
  expect(stepState(run, "doer").outcome).toMatchObject({ class: "no-change" });
  expect(existsSync(join(run.workspace?.path ?? "", "big"))).toBe(false);
});
