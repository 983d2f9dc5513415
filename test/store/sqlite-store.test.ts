import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, onTestFinished, test } from "vitest";
import { openSpool } from "../../src/store/spool.ts";
import { SqliteStore } from "../../src/store/sqlite-store.ts";
import { storeContract } from "../contract/store.ts";
import { callReserved, runCreated } from "../support/events.ts";
import { tempDir } from "../support/temp.ts";

function open(directory = tempDir()): SqliteStore {
  const store = new SqliteStore(directory);
  onTestFinished(() => store.close());
  return store;
}

storeContract("SqliteStore on file", () => open());

const HOLDER = `
  import { SqliteStore } from ${JSON.stringify(new URL("../../src/store/sqlite-store.ts", import.meta.url).href)};
  const store = new SqliteStore(process.argv[1]);
  store.claim("r-a");
  process.stdout.write("held");
  setInterval(() => {}, 1000);
`;

/** Another process that holds the run until it is killed. */
async function holder(directory: string) {
  const child = spawn(
    process.execPath,
    ["--no-warnings", "--input-type=module-typescript", "--eval", HOLDER, directory],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(child.stdout, "data");
  return child;
}

describe("ownership", () => {
  test("a run that another process holds is refused with its owner's name, and free the moment that process is killed", async () => {
    const directory = tempDir();
    const store = open(directory);
    store.create("r-a", [runCreated("r-a")], 0);
    store.release("r-a");
    const child = await holder(directory);
    expect(() => store.claim("r-a")).toThrow(
      expect.objectContaining({ code: "owned", exitCode: 7, message: expect.stringContaining(`pid ${child.pid}`) }),
    );
    expect(store.runs()[0]).toMatchObject({ status: "running", owned: true });
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(store.claim("r-a")).toBe(3);
  });
});

describe("durability", () => {
  test("the journal is a WAL that is flushed at every commit", () => {
    const directory = tempDir();
    open(directory).create("r-a", [runCreated("r-a")], 0);
    const reader = new DatabaseSync(join(directory, "ccp.db"), { readOnly: true });
    expect(reader.prepare("PRAGMA journal_mode").get()).toEqual({ journal_mode: "wal" });
    reader.close();
  });

  test("what was appended is there for a process that opens it after a kill", () => {
    const directory = tempDir();
    const script = `
      import { SqliteStore } from ${JSON.stringify(new URL("../../src/store/sqlite-store.ts", import.meta.url).href)};
      const store = new SqliteStore(process.argv[1]);
      store.create("r-a", ${JSON.stringify([runCreated("r-a")])}, 0);
      store.append("r-a", 1, ${JSON.stringify([callReserved("a", 5)])}, 1);
      process.kill(process.pid, "SIGKILL");
    `;
    const child = spawnSync(
      process.execPath,
      ["--no-warnings", "--input-type=module-typescript", "--eval", script, directory],
      { encoding: "utf8" },
    );
    expect(child.signal).toBe("SIGKILL");
    const store = open(directory);
    expect(store.events("r-a")).toHaveLength(2);
    expect(store.ledger("r-a", "run").heldNanos).toBe(5);
    expect(store.claim("r-a")).toBe(2);
  });
});

describe("a journal that cannot be used", () => {
  test("a newer one is refused and left alone", () => {
    const directory = tempDir();
    open(directory).close();
    const path = join(directory, "ccp.db");
    const database = new DatabaseSync(path);
    database.exec("PRAGMA user_version = 99");
    database.close();
    const before = readFileSync(path);
    expect(() => new SqliteStore(directory)).toThrow(
      expect.objectContaining({ code: "newer_journal", message: expect.stringContaining("newer ccp") }),
    );
    expect(readFileSync(path)).toEqual(before);
  });

  test("a file that is no database is named and left alone", () => {
    const directory = tempDir();
    const path = join(directory, "ccp.db");
    writeFileSync(path, "this is not a database, but somebody's notes\n".repeat(100));
    expect(() => new SqliteStore(directory)).toThrow(expect.objectContaining({ code: "corrupt_journal", exitCode: 9 }));
    expect(readFileSync(path, "utf8")).toContain("somebody's notes");
  });

  test("somebody else's database is refused and left alone", () => {
    const directory = tempDir();
    const path = join(directory, "ccp.db");
    const database = new DatabaseSync(path);
    database.exec("CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)");
    database.close();
    const before = readFileSync(path);
    expect(() => new SqliteStore(directory)).toThrow(expect.objectContaining({ code: "corrupt_journal" }));
    expect(readFileSync(path)).toEqual(before);
  });

  test("a place that cannot be written is refused as such", () => {
    const file = join(tempDir(), "file");
    writeFileSync(file, "");
    expect(() => new SqliteStore(join(file, "state"))).toThrow();
    const directory = join(tempDir(), "frozen");
    mkdirSync(join(directory, "locks"), { recursive: true });
    chmodSync(directory, 0o555);
    // root writes anywhere: there the refusal cannot be provoked by mode bits.
    if (process.getuid?.() !== 0)
      expect(() => new SqliteStore(directory)).toThrow(expect.objectContaining({ code: "read_only", exitCode: 9 }));
  });

  test("a payload whose bytes have changed is never handed out", () => {
    const directory = tempDir();
    const store = open(directory);
    const ref = store.putBlob(new Uint8Array([1, 2, 3]));
    store.create("r-a", [runCreated("r-a")], 0);
    const database = new DatabaseSync(join(directory, "ccp.db"));
    database.exec("UPDATE blob SET bytes = x'ff'");
    database.close();
    expect(() => store.blob(ref)).toThrow(expect.objectContaining({ code: "blob_missing" }));
  });
});

describe("the spool", () => {
  test("keeps what was written, in order, until it is removed", () => {
    const spool = openSpool(tempDir());
    expect(spool.read("r-a.build.1")).toBeNull();
    spool.write("r-a.build.1", new Uint8Array([1, 2]));
    spool.write("r-a.build.1", new Uint8Array([3]));
    expect([...(spool.read("r-a.build.1") ?? [])]).toEqual([1, 2, 3]);
    spool.remove("r-a.build.1");
    spool.remove("r-a.build.1");
    expect(spool.read("r-a.build.1")).toBeNull();
  });

  test("no call id leaves its folder", () => {
    const directory = tempDir();
    openSpool(directory).write("../../x/y", new Uint8Array([1]));
    expect([...(openSpool(directory).read("../../x/y") ?? [])]).toEqual([1]);
    expect(readFileSync(join(directory, "spool", ".._.._x_y"))).toHaveLength(1);
  });
});
