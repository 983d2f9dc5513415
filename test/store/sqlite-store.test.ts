import { spawnSync } from "node:child_process";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { Store } from "../../src/core/store.ts";
import { SqliteStore } from "../../src/store/sqlite-store.ts";
import { storeContract } from "../contract/store.ts";
import { artifactOf, callReserved, callSettled, runCreated } from "../support/events.ts";
import { type StoreProcess, splitStore, startStoreProcess } from "../support/store-process.ts";
import { tempDir } from "../support/temp.ts";

function closed<T extends Store>(store: T): T {
  onTestFinished(() => store.close());
  return store;
}

const open = (directory = tempDir()) => closed(new SqliteStore(directory));

storeContract("SqliteStore in memory", () => closed(SqliteStore.inMemory()));
storeContract("SqliteStore on file", () => open());

describe("SqliteStore in two processes", () => {
  let other: StoreProcess;
  beforeAll(() => {
    other = startStoreProcess();
  });
  afterAll(() => other.end());

  storeContract("written to here and read there", () => {
    const directory = tempDir();
    return closed(splitStore(new SqliteStore(directory), other.open(directory)));
  });
  storeContract("written to there and read here", () => {
    const directory = tempDir();
    return closed(splitStore(other.open(directory), new SqliteStore(directory)));
  });
});

describe("durability", () => {
  test("the journal is a WAL that is flushed at every commit", () => {
    const directory = tempDir();
    open(directory).create("r-a", [runCreated("r-a")], 0);
    const reader = new Database(join(directory, "ccp.db"), { readonly: true });
    expect(reader.pragma("journal_mode", { simple: true })).toBe("wal");
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

describe("what it writes", () => {
  test("a payload whose bytes have changed is never handed out", () => {
    const directory = tempDir();
    const store = open(directory);
    const [small, large] = [store.putBlob(new Uint8Array([1, 2, 3])), store.putBlob(Buffer.from("text ".repeat(99)))];
    store.create("r-a", [runCreated("r-a"), artifactOf(small), artifactOf(large, "a")], 0);
    const database = new Database(join(directory, "ccp.db"));
    for (const bytes of ["x'ff'", "x'030000'"]) {
      database.exec(`UPDATE blob SET bytes = ${bytes}`);
      for (const ref of [small, large]) {
        expect(() => store.blob(ref)).toThrow(expect.objectContaining({ code: "blob_missing", exitCode: 9 }));
      }
    }
    database.close();
  });

  test("a call adds no more than its payload and 2 KB, and a run that is driven leaves its row alone", () => {
    const directory = tempDir();
    const store = open(directory);
    const page = (round: number) =>
      Array.from({ length: 250 }, (_, n) => `word${(n * 7919 + round * 31) % 997}`).join(" ");
    store.create("r-a", [runCreated("r-a")], 0);
    const [calls, text] = [400, page(0).length];
    for (let n = 1; n <= calls; n++) {
      const call = callReserved(`r-a.build.${n}`, 134_649_000);
      store.append("r-a", 1, [{ ...call, facts: store.putBlob(Buffer.from(page(0))), request: "0".repeat(64) }], n);
      store.append("r-a", 1, [callSettled(call, 4_272_000), artifactOf(store.putBlob(Buffer.from(page(n))))], n);
    }
    store.close();
    const database = new Database(join(directory, "ccp.db"), { readonly: true });
    const bytes = database
      .prepare("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
      .pluck()
      .get();
    expect(Number(bytes) / calls - text).toBeLessThan(2048);
    expect(database.prepare("SELECT last_at, settled_nanos FROM run").get()).toEqual({ last_at: 0, settled_nanos: 0 });
    database.close();
  });
});
