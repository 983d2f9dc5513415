import { chmodSync, existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { runCreated } from "../support/events.ts";
import { tempDir } from "../support/temp.ts";
import {
  extractJournal,
  filesIn,
  fillAndKill,
  fillJournal,
  openStore,
  runScript,
  STORE_MODULE,
  TEXT,
} from "./support.ts";

/** Root may write anywhere: somebody who may not has to look. */
const NOBODY = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};

/** Tells all that a journal can be asked, and how it refuses to be written. */
const READER = `
  import { SqliteStore } from ${STORE_MODULE};
  const refused = (work) => { try { work(); return "done"; } catch (thrown) { return [thrown.code, thrown.exitCode]; } };
  const store = new SqliteStore(process.argv[1]);
  const [rid] = store.runs().map((run) => run.rid).sort();
  const event = { type: "run.discarded" };
  const told = {
    runs: store.runs(),
    events: store.events(rid),
    ledger: store.ledger(rid, "run"),
    calls: store.calls(null),
    texts: store.events(rid).filter(({ name }) => name === "PLAN.md").map(({ blob }) => store.blob(blob).toString()),
    isOwned: store.isOwned(rid),
    damage: store.damage(),
    sweep: store.sweep(true).blobs,
    fold: refused(() => store.keepFolded({ rid, seq: 1 })),
    writes: [
      refused(() => store.append(rid, 1, [event], 1)),
      refused(() => store.claim(rid)),
      refused(() => store.create("r-new", [event], 1)),
      refused(() => store.remove(rid)),
      refused(() => store.sweep(false)),
    ],
  };
  store.close();
  process.stdout.write(JSON.stringify(told));
`;

function freeze(directory: string): void {
  for (const name of readdirSync(directory, { recursive: true, encoding: "utf8" }))
    chmodSync(join(directory, name), 0o555);
  chmodSync(directory, 0o555);
  onTestFinished(() => chmodSync(directory, 0o755));
}

/** As somebody sees it who may only read. */
function lookAt(directory: string) {
  freeze(directory);
  const before = filesIn(directory);
  const { stdout, stderr } = runScript(READER, [directory], NOBODY);
  expect(stderr).toBe("");
  expect(filesIn(directory)).toEqual(before);
  return JSON.parse(stdout);
}

/** A place that others may enter. */
function openDir(): string {
  const directory = tempDir();
  chmodSync(directory, 0o755);
  return directory;
}

describe("a journal that can only be read", () => {
  test.each([
    ["closed properly", (directory: string) => fillJournal(directory), 1],
    ["left by a crash", (directory: string) => fillAndKill(directory), 2],
    [
      "copied after a crash, without the index of its log",
      (directory: string) => rmSync(`${join(fillAndKill(directory), "ccp.db")}-shm`),
      2,
    ],
  ])("is read whole, and nothing in its place changes: %s", (_, fill, length) => {
    const directory = openDir();
    fill(directory);
    const told = lookAt(directory);
    expect(told.runs).toMatchObject([
      { rid: "r-b", status: length === 1 ? "running" : "discarded", owned: false },
      { rid: "r-a", status: "succeeded", settledNanos: 400 },
    ]);
    expect(told.events).toHaveLength(5);
    expect(told.ledger).toMatchObject({ settledNanos: 400, heldNanos: 0 });
    expect(told.calls).toMatchObject([{ callId: "r-a.build.1", costNanos: 400 }]);
    expect(told).toMatchObject({ texts: [TEXT], isOwned: false, damage: [], sweep: 0, fold: "done" });
  });

  test("says so whenever something is to be written", () => {
    const directory = openDir();
    fillJournal(directory);
    expect(lookAt(directory).writes).toEqual(Array.from({ length: 5 }, () => ["read_only", 9]));
  });

  test("of an older version is read as today's, and stays what it is", () => {
    const directory = join(extractJournal(openDir(), "v1"), ".git", "ccp");
    chmodSync(join(directory, "../.."), 0o755);
    chmodSync(join(directory, ".."), 0o755);
    const told = lookAt(directory);
    expect(told.runs).toHaveLength(3);
    expect(told.calls).toHaveLength(15);
    expect(told.damage).toEqual([]);
  });

  test("shows the run of somebody who may write as owned, up to its latest event", () => {
    const directory = openDir();
    const store = openStore(directory);
    store.create("r-a", [runCreated("r-a")], 0);
    freeze(directory);
    const { stdout, stderr } = runScript(READER, [directory], NOBODY);
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toMatchObject({ isOwned: true, runs: [{ rid: "r-a", owned: true }] });
  });

  test("that does not exist cannot be made, and is refused as such", () => {
    const directory = openDir();
    freeze(directory);
    const { stderr, status } = runScript(READER, [join(directory, "state")], NOBODY);
    expect(status).not.toBe(0);
    expect(stderr).toContain("read_only");
    expect(existsSync(join(directory, "state"))).toBe(false);
  });
});
