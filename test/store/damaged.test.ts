import { closeSync, existsSync, mkdirSync, openSync, rmSync, statSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { Lock } from "../../src/store/lock.ts";
import { setAside } from "../../src/store/set-aside.ts";
import { SqliteStore } from "../../src/store/sqlite-store.ts";
import { runCreated } from "../support/events.ts";
import { startStoreProcess } from "../support/store-process.ts";
import { tempDir } from "../support/temp.ts";
import { filesIn, fillAndKill, fillJournal, openStore } from "./support.ts";

const journalOf = (directory: string) => join(directory, "ccp.db");

/** Writes noise over a part of the file, and leaves the rest. */
function spoil(path: string, from: number, length: number): void {
  const file = openSync(path, "r+");
  writeSync(file, Buffer.alloc(length, 0xa5), 0, length, from);
  closeSync(file);
}

function refusalOf(work: () => unknown): Record<"code" | "exitCode" | "message" | "hint", string> {
  try {
    work();
  } catch (refused) {
    return refused as Record<"code" | "exitCode" | "message" | "hint", string>;
  }
  throw new Error("nothing was refused");
}

/** All files of the journal have moved, as they were. */
function expectSetAside(directory: string, before: Readonly<Record<string, string>>, n: number): void {
  const refusal = refusalOf(() => new SqliteStore(directory));
  const to = `${journalOf(directory)}.damaged-${n}`;
  expect(refusal).toMatchObject({ code: "corrupt_journal", exitCode: 9 });
  expect(refusal.message).toContain(`${journalOf(directory)} is damaged`);
  expect(refusal.message).toContain(to);
  expect(refusal.hint).toContain("nothing was overwritten; the next command begins a new journal");
  expect(refusal.hint).toContain(`sqlite3 ${to} .recover`);
  const moved = Object.entries(before).map(([name, content]) => [
    name.replace(/^ccp\.db(?!\.)/, `ccp.db.damaged-${n}`),
    content,
  ]);
  expect(filesIn(directory)).toMatchObject(Object.fromEntries(moved));
  expect(Object.keys(filesIn(directory)).filter((name) => !name.includes("damaged"))).toEqual([]);
}

describe("a journal whose beginning is damaged", () => {
  test("is named and set aside to the byte, and the next command begins a new one", () => {
    const directory = tempDir();
    writeFileSync(journalOf(directory), "this is not a database, but somebody's notes\n".repeat(100));
    expectSetAside(directory, filesIn(directory), 1);
    const store = openStore(directory);
    store.create("r-a", [runCreated("r-a")], 0);
    expect(store.runs()).toHaveLength(1);
    expect(store.damage()).toEqual([]);
  });

  test("is never put over one that was set aside before", () => {
    const directory = tempDir();
    for (const n of [1, 2, 3]) {
      writeFileSync(journalOf(directory), `damaged ${n}`.repeat(100));
      expectSetAside(directory, filesIn(directory), n);
    }
  });

  test("takes its log along, of which nothing is written into it", () => {
    const directory = fillAndKill(tempDir());
    expect(statSync(`${journalOf(directory)}-wal`).size).toBeGreaterThan(0);
    spoil(journalOf(directory), 0, 16);
    expectSetAside(directory, filesIn(directory), 1);
  });

  test("is set aside as well when its header is whole and its tables are not", () => {
    const directory = fillJournal(tempDir());
    spoil(journalOf(directory), 100, 3_000);
    expectSetAside(directory, filesIn(directory), 1);
  });

  test("is set aside when only its log is left: SQLite would drop that without a word", () => {
    const gone = fillAndKill(tempDir());
    rmSync(journalOf(gone));
    expectSetAside(gone, filesIn(gone), 1);
    const emptied = fillAndKill(tempDir());
    writeFileSync(journalOf(emptied), "");
    expectSetAside(emptied, filesIn(emptied), 1);
  });

  test("is left where it is while another process has it open, and set aside afterwards", () => {
    const directory = fillJournal(tempDir());
    const other = startStoreProcess();
    expect(other.open(directory).runs()).toHaveLength(2);
    spoil(journalOf(directory), 0, 16);
    const refusal = refusalOf(() => new SqliteStore(directory));
    expect(refusal).toMatchObject({ code: "corrupt_journal", exitCode: 9 });
    expect(refusal.message).toContain("another ccp process has it open");
    expect(existsSync(journalOf(directory))).toBe(true);
    other.open(directory).close();
    other.end();
    expectSetAside(directory, filesIn(directory), 1);
  });

  test("is left where it is while an older ccp holds one of its runs", () => {
    const directory = fillJournal(tempDir());
    const lock = Lock.take(join(directory, "locks", "r-b.lock"));
    spoil(journalOf(directory), 0, 16);
    expect(refusalOf(() => new SqliteStore(directory)).message).toContain("left as it is");
    lock?.release();
    expect(refusalOf(() => new SqliteStore(directory)).message).toContain("set aside");
  });
});

describe("a journal whose middle is damaged", () => {
  test("is named by whoever reads there, stays where it is, and says what is wrong in at most 20 lines", () => {
    const directory = tempDir();
    const writer = new SqliteStore(directory);
    for (let n = 0; n < 300; n++) writer.create(`r-${n}`, [runCreated(`r-${n}`)], n);
    writer.close();
    const { size } = statSync(journalOf(directory));
    spoil(journalOf(directory), 8 * 4096, size - 12 * 4096);
    const store = openStore(directory);
    const read = () => Array.from({ length: 300 }, (_, n) => store.events(`r-${n}`));
    const refusal = refusalOf(read);
    expect(refusal).toMatchObject({ code: "corrupt_journal", exitCode: 9 });
    expect(refusal.message).toContain(journalOf(directory));
    expect(refusal.hint).toContain("ccp doctor");
    expect(store.damage().length).toBeGreaterThan(0);
    expect(store.damage().length).toBeLessThanOrEqual(20);
    expect(existsSync(journalOf(directory))).toBe(true);
  });

  test("a row that has lost its run is damage as well", () => {
    const directory = fillJournal(tempDir());
    const database = new Database(journalOf(directory));
    database.pragma("foreign_keys = OFF");
    database.exec("DELETE FROM run WHERE rid = 'r-b'");
    database.close();
    expect(openStore(directory).damage()).toEqual(["a row of event has lost its run"]);
  });
});

describe("setting a journal aside by hand", () => {
  test("moves it whole and tells where it lies now; where there is none, there is nothing to move", () => {
    const directory = fillAndKill(tempDir());
    const before = filesIn(directory);
    const to = setAside(directory);
    expect(to).toBe(`${journalOf(directory)}.damaged-1`);
    expect(Object.values(filesIn(directory))).toEqual(Object.values(before));
    const database = new Database(to ?? "");
    expect(database.prepare("SELECT count(*) FROM run").pluck().get()).toBe(2);
    database.close();
    expect(setAside(directory)).toBeNull();
  });

  test("is refused while anybody has it open", () => {
    const directory = fillJournal(tempDir());
    const store = new SqliteStore(directory);
    expect(() => setAside(directory)).toThrow(expect.objectContaining({ code: "owned", exitCode: 7 }));
    store.close();
    expect(setAside(directory)).not.toBeNull();
  });
});

describe("a file that is not ours to move", () => {
  test("a newer journal is refused and left alone", () => {
    const directory = fillJournal(tempDir());
    const database = new Database(journalOf(directory));
    const version = database.pragma("user_version", { simple: true }) as number;
    database.pragma(`user_version = ${version + 1}`);
    database.close();
    const before = filesIn(directory);
    expect(refusalOf(() => new SqliteStore(directory))).toMatchObject({
      code: "newer_journal",
      message: expect.stringContaining("newer ccp"),
      hint: expect.stringContaining("update ccp"),
    });
    expect(filesIn(directory)).toEqual(before);
  });

  test.each([
    ["whole", () => undefined],
    ["damaged", (path: string) => spoil(path, 100, 3_000)],
  ])("somebody else's database is refused and left alone: %s", (_, damage) => {
    const directory = tempDir();
    const path = journalOf(directory);
    const database = new Database(path);
    database.exec("PRAGMA application_id = 7; CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)");
    database.close();
    damage(path);
    const before = filesIn(directory);
    expect(refusalOf(() => new SqliteStore(directory))).toMatchObject({ code: "corrupt_journal" });
    expect(filesIn(directory)).toEqual(before);
  });

  test("a place where there can be no directory is refused", () => {
    const directory = tempDir();
    mkdirSync(join(directory, "state"));
    writeFileSync(join(directory, "state", "locks"), "");
    expect(refusalOf(() => new SqliteStore(join(directory, "state")))).toMatchObject({
      code: "read_only",
      exitCode: 9,
    });
    expect(refusalOf(() => new SqliteStore(join(directory, "state", "locks", "x")))).toMatchObject({ exitCode: 9 });
  });
});
