import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Event } from "../../src/core/event.ts";
import { stepState } from "../../src/core/run.ts";
import type { Store } from "../../src/core/store.ts";
import { git } from "../support/git.ts";
import { listener, scenario } from "../support/scenario.ts";

const PIPELINE = `
pipeline:
  - id: one
    run: echo one | tee -a notes.txt
    changes: keep
  - id: two
    run: cat "$CCP_STEP_ONE_OUTPUT_FILE" && echo two >> notes.txt
    changes: keep
  - id: three
    run: cat "$CCP_STEP_ONE_OUTPUT_FILE" "$CCP_STEP_TWO_OUTPUT_FILE" && echo three >> notes.txt
    changes: keep
`;

/** A store that hears what is put on record together; `before` may refuse it, by throwing. */
function hearing(store: Store, before: (events: readonly Event[]) => void): Store {
  const append: Store["append"] = (rid, epoch, events, at) => {
    before(events);
    return store.append(rid, epoch, events, at);
  };
  return new Proxy(store, {
    get(target, key) {
      if (key === "append") return append;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

const wordOf = (event: Event) => ("stepId" in event ? `${event.type} ${event.stepId}` : event.type);
const begins = (events: readonly Event[], stepId: string) =>
  events.some((event) => event.type === "command.started" && event.stepId === stepId);

test("the intent of a command goes on record with the end of the one before it, in one transaction", async () => {
  const world = scenario({ pipeline: PIPELINE });
  const together: string[][] = [];
  const engine = await world.engine({
    store: (store) => hearing(store, (events) => together.push(events.map(wordOf))),
  });
  const run = await engine.start(await world.spec(), listener());
  expect(run.status).toBe("succeeded");
  const began = (id: string) => [`step.started ${id}`, `command.started ${id}`];
  const ended = (id: string) => [`command.finished ${id}`, `step.finished ${id}`];
  expect(together).toEqual([
    ["workspace.created"],
    ["workspace.prepared"],
    began("one"),
    [...ended("one"), ...began("two")],
    [...ended("two"), ...began("three")],
    ended("three"),
    ["artifact.written null", "run.ended"],
  ]);
  const said = (id: string) => readFileSync(join(world.root, "results", run.rid, "steps", `${id}.txt`), "utf8");
  expect([said("two"), said("three")]).toEqual(["one\n", "one\none\n"]);
  engine.store.close();
});

test("where a pause was asked for meanwhile, nothing of the next command is on record", async () => {
  const world = scenario({ pipeline: PIPELINE });
  const engine = await world.engine();
  let isPaused = false;
  const control = { ...listener().control, pauseRequested: () => isPaused };
  const onEvent = (event: Event) => {
    if (event.type === "command.started" && event.stepId === "two") isPaused = true;
  };
  const run = await engine.start(await world.spec(), listener({ onEvent, control }));
  expect(run.status).toBe("paused");
  expect(["one", "two", "three"].map((id) => stepState(run, id).status)).toEqual(["succeeded", "succeeded", "pending"]);
  engine.store.close();
});

test.each([
  { when: "before", tries: [2, 1, 1] },
  { when: "after", tries: [1, 2, 1] },
])(
  "an owner that dies $when the end of one command and the intent of the next are on record leaves no edit twice",
  async ({ when, tries }) => {
    const world = scenario({ pipeline: PIPELINE });
    let isDead = false;
    const dying = (store: Store): Store => {
      const append: Store["append"] = (rid, epoch, events, at) => {
        if (isDead) throw new Error("dead");
        isDead = begins(events, "two");
        if (isDead && when === "before") throw new Error("dead");
        const result = store.append(rid, epoch, events, at);
        if (isDead) throw new Error("dead");
        return result;
      };
      return new Proxy(
        hearing(store, () => undefined),
        {
          get: (target, key) => (key === "append" ? append : Reflect.get(target, key, target)),
        },
      );
    };
    const first = await world.engine({ store: dying });
    await expect(first.start(await world.spec(), listener())).rejects.toThrow("dead");
    const rid = first.store.runs()[0]?.rid ?? "";
    first.store.close();

    const second = await world.engine();
    const run = await second.resume(rid, { budget: null, routes: {}, pipeline: null }, listener());
    expect(run.status).toBe("succeeded");
    expect(git(world.root, "show", `ccp/${rid}:notes.txt`)).toBe("one\ntwo\nthree\n");
    const begun = second.store.events(rid).filter(({ type }) => type === "command.started");
    expect(["one", "two", "three"].map((id) => begun.filter((event) => begins([event], id)).length)).toEqual(tries);
    second.store.close();
  },
);
