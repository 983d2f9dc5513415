import { expect, test } from "vitest";
import type { Event, StoredEvent } from "../../src/core/event.ts";
import type { Repository } from "../../src/core/ports.ts";
import type { Store } from "../../src/core/store.ts";
import { listener, MENDING, type Scenario, scenario, WORK } from "../support/scenario.ts";

/** What was asked of a drive's worktree and journal, in its order: flushes, changes of files, and the end. */
async function courseOf(world: Scenario, stopAt?: { readonly type: string; readonly how: "pause" | "abort" }) {
  const course: string[] = [];
  const noting = (repository: Repository): Repository => ({
    ...repository,
    openWorkspace(rid, path) {
      const workspace = repository.openWorkspace(rid, path);
      const noted = <T extends readonly unknown[], R>(name: string, work: (...args: T) => Promise<R>) => {
        return async (...args: T): Promise<R> => {
          const result = await work(...args);
          course.push(name);
          return result;
        };
      };
      return {
        ...workspace,
        flush: noted("flush", workspace.flush),
        run: noted("change", workspace.run),
        writeFile: noted("change", workspace.writeFile),
        restore: noted("change", workspace.restore),
      };
    },
  });
  const recording = (store: Store) =>
    new Proxy(store, {
      get(target, name) {
        const value = Reflect.get(target, name);
        if (name !== "append") return typeof value === "function" ? value.bind(target) : value;
        return (...args: Parameters<Store["append"]>) => {
          if ((args[2] as readonly Event[]).some(({ type }) => type === "run.ended")) course.push("end");
          return target.append(...args);
        };
      },
    });
  const engine = await world.engine({ repository: noting, store: recording });
  const abort = new AbortController();
  let pause = false;
  const onEvent = (event: StoredEvent) => {
    if (event.type !== stopAt?.type) return;
    if (stopAt.how === "pause") pause = true;
    else setImmediate(() => abort.abort());
  };
  const control = { signal: abort.signal, pauseRequested: () => pause, exitCode: () => 130 as const };
  const run = await engine.start(await world.spec(), listener({ onEvent, control }));
  engine.store.close();
  return { course, status: run.status };
}

const DOER = "pipeline:\n  - role: doer\n";
const edit = { tool: "edit", args: { path: "sum.mjs", edits: [{ old: "a - b", new: "a + b" }] } };
const command = (text: string) => ({ tool: "bash", args: { command: text } });

test.for([
  ["a pause", "paused", () => courseOf(scenario({ turns: MENDING }), { type: "tool.finished", how: "pause" })],
  [
    "a stop at once, in the middle of a call",
    "paused",
    () => {
      const turns = [
        { role: "doer", turn: 1, calls: [edit] },
        { role: "doer", turn: 2, delay_ms: 60_000, calls: [] },
      ];
      return courseOf(scenario({ pipeline: DOER, turns }), { type: "tool.finished", how: "abort" });
    },
  ],
  [
    "an empty purse",
    "budget_reached",
    () => {
      const turns = [
        { role: "doer", turn: 1, calls: [edit, command("echo x > y")], usage: { input: 18_000, output: 500 } },
        { role: "doer", turn: 2, calls: [{ tool: "finish", args: WORK }] },
      ];
      const budget = "budget: { tokens: 24000 }\nroles:\n  doer: { budget: { tokens: 24000 } }\n";
      return courseOf(scenario({ pipeline: `${budget}${DOER}`, turns }));
    },
  ],
  [
    "a failure",
    "failed",
    () => courseOf(scenario({ pipeline: "pipeline:\n  - id: one\n    run: echo x > y; false\n", turns: [] })),
  ],
] as const)("%s is on record only when the files are on disk as they were left", async ([, status, stopped]) => {
  const { course, status: found } = await stopped();
  expect(found).toBe(status);
  expect(course).toContain("change");
  expect(course.slice(course.lastIndexOf("change"))).toEqual(["change", "flush", "end"]);
});

test("a run that succeeds does not wait for its worktree: nobody goes on from those files", async () => {
  const { course, status } = await courseOf(scenario({ turns: MENDING }));
  expect(status).toBe("succeeded");
  expect(course).not.toContain("flush");
});
