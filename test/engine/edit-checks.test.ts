import { join } from "node:path";
import { expect, test } from "vitest";
import { createAgent } from "../../src/agent/run-agent.ts";
import type { StoredEvent } from "../../src/core/event.ts";
import { replay } from "../../src/engine/replay.ts";
import { SqliteStore } from "../../src/store/sqlite-store.ts";
import { listener, scenario, WORK } from "../support/scenario.ts";

const call = (tool: string, args: unknown) => ({ tool, args });
const edit = (old: string, now: string) => call("edit", { path: "sum.mjs", edits: [{ old, new: now }] });
const patch = (path: string) =>
  call("apply_patch", { patch: `*** Begin Patch\n*** Add File: ${path}\n+x\n*** End Patch` });

/** Says what was edited, changes the files, and prints more than anyone reads. */
const CHECK =
  'echo "of $CCP_EDITED_FILES"; node check.mjs; code=$?; echo >> sum.mjs; touch left.txt; seq 30; exit $code';
const PIPELINE = `roles:
  doer:
    edit_checks:
      - { files: "*.mjs", run: ${JSON.stringify(CHECK)} }
      - { files: "docs/**", run: sleep 60, timeout: 1s }
pipeline:
  - role: doer
`;

async function run() {
  const turns = [
    { role: "doer", turn: 1, calls: [edit("a - b", "a * b * 2"), edit("missing", "x")] },
    { role: "doer", turn: 2, calls: [edit("a * b * 2", "a + b"), patch("docs/a.md"), patch("other.md")] },
    { role: "doer", turn: 3, calls: [call("finish", WORK)] },
  ];
  const world = scenario({ pipeline: PIPELINE, turns });
  const engine = await world.engine();
  const ended = await engine.start(await world.spec(), listener());
  return { world, engine, ended };
}

/** Of each tool call, what its checks said. */
const results = (events: readonly StoredEvent[], store: SqliteStore) =>
  events.flatMap((event) =>
    event.type === "tool.finished"
      ? [
          new TextDecoder()
            .decode(store.blob(event.result))
            .split("\n")
            .filter((line) => /^Check |^</.test(line)),
        ]
      : [],
  );

test("a check after an edit says what it found, changes nothing, has its time, and is replayed from the record", async () => {
  const { world, engine, ended } = await run();
  expect(ended.status).toBe("succeeded");
  const store = new SqliteStore(join(world.root, ".git", "ccp"));
  try {
    const events = engine.store.events(ended.rid);
    const failed = [`Check \`${CHECK}\` failed (exit code 1):`, '<data name="output">', "</data>"];
    const slow = ["Check `sleep 60` took more than 1 s and was ended: it says nothing."];
    expect(results(events, store)).toEqual([failed, [], [`Check \`${CHECK}\`: passed.`], slow, [], []]);
    const first = events.find((event) => event.type === "tool.finished");
    const text = first?.type === "tool.finished" ? new TextDecoder().decode(store.blob(first.result)) : "";
    expect(text).toContain("of sum.mjs\n");
    expect(text).toContain("2 + 2 is not 8");
    expect(text).toMatch(/\(\d+ more lines\)\n<\/data>$/);
    expect(Object.keys(ended.artifacts)).toContain("Diff.patch");
    expect(events.filter((event) => event.type === "tool.finished" && event.checked)).toHaveLength(3);

    const [repository, tools] = [await world.wiring.repository(), await world.wiring.tools()];
    const parts = { store, openMemory: () => SqliteStore.inMemory(), repository, tools, agent: createAgent() };
    const replayed = await replay(ended.rid, { ...parts, chance: world.wiring.chance }, new AbortController().signal);
    expect(replayed).toMatchObject({ same: true, difference: null });
  } finally {
    store.close();
  }
});

test("a patch of the run has nothing of what a check has left behind", async () => {
  const { engine, ended } = await run();
  const blob = ended.artifacts["Diff.patch"]?.blob;
  const patchText = blob ? new TextDecoder().decode(engine.store.blob(blob)) : "";
  expect(patchText).toContain("+export const sum = (a, b) => a + b;");
  expect(patchText).not.toContain("left.txt");
});
