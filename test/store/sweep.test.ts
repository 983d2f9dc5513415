import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, onTestFinished, test } from "vitest";
import type { BlobRef } from "../../src/core/event.ts";
import type { Store } from "../../src/core/store.ts";
import { Statements } from "../../src/store/statements.ts";
import { sweep } from "../../src/store/sweep.ts";
import { artifactOf, runCreated } from "../support/events.ts";
import { seeded } from "../support/killer.ts";
import { tempDir } from "../support/temp.ts";
import { openStore, STORE_MODULE } from "./support.ts";

/** Bytes that do not get smaller, for each seed others. */
function noise(seed: number, length: number): Uint8Array {
  const random = seeded(seed);
  return Uint8Array.from({ length }, () => random() * 256);
}

function put(store: Store, seed: number, length = 400): BlobRef {
  return store.putBlob(noise(seed, length));
}

/** A second connection to the journal, as another process would have it. */
function statementsOf(directory: string, beforeWrite = () => {}): Statements {
  const database = new Database(join(directory, "ccp.db"), { timeout: 10_000 });
  onTestFinished(() => void database.close());
  return new (class extends Statements {
    override write<T>(work: () => T): T {
      beforeWrite();
      return super.write(work);
    }
  })(database);
}

/** A run that is gone, with a payload that nobody names any more. */
function withGarbage(directory: string) {
  const store = openStore(directory);
  store.create("r-gone", [runCreated("r-gone"), artifactOf(put(store, 1))], 0);
  store.create("r-a", [runCreated("r-a"), artifactOf(put(store, 2))], 0);
  store.release("r-gone");
  store.remove("r-gone");
  return store;
}

const readable = (store: Store, ref: BlobRef) => expect(store.blob(ref)).toHaveLength(ref.sizeBytes);

describe("sweeping while others write", () => {
  test("a payload that was written before its event is named is not lost to the event", () => {
    const directory = tempDir();
    const [writer, sweeper] = [openStore(directory), openStore(directory)];
    writer.create("r-a", [runCreated("r-a")], 0);
    const ref = put(writer, 7);
    // On disk with this event, and named by none.
    writer.append("r-a", 1, [{ type: "run.applied", tree: "t1" }], 1);
    expect(sweeper.sweep(false).blobs).toBe(1);
    writer.append("r-a", 1, [artifactOf(ref)], 2);
    readable(sweeper, ref);
    expect(sweeper.sweep(false).blobs).toBe(0);
  });

  test("what another names between the look and the removal stays, if it was garbage before or not there at all", () => {
    const directory = tempDir();
    const store = withGarbage(directory);
    const [again, anew] = [put(store, 1), put(store, 3)];
    const statements = statementsOf(directory, () =>
      store.append("r-a", 1, [artifactOf(again), artifactOf(anew, "b")], 5),
    );
    expect(sweep(statements, false)).toEqual({ blobs: 0, sizeBytes: 0 });
    for (const ref of [again, anew]) readable(openStore(directory), ref);
  });

  test("what a run names that began or was taken in meanwhile stays", () => {
    const directory = tempDir();
    const store = withGarbage(directory);
    const ref = put(store, 1);
    const statements = statementsOf(directory, () => store.create("r-new", [runCreated("r-new"), artifactOf(ref)], 5));
    expect(sweep(statements, false).blobs).toBe(0);
    readable(openStore(directory), ref);
  });

  test("what a shorter log names that took the place of a longer one meanwhile stays", () => {
    const directory = tempDir();
    const store = withGarbage(directory);
    const ref = put(store, 1);
    store.append("r-a", 1, [{ type: "run.discarded" }], 1);
    store.release("r-a");
    const statements = statementsOf(directory, () => {
      store.remove("r-a");
      store.adopt("r-a", [
        { ...runCreated("r-a"), seq: 1, at: 1 },
        { ...artifactOf(ref), seq: 2, at: 1 },
      ]);
    });
    sweep(statements, false);
    readable(openStore(directory), ref);
  });

  test("a process that keeps sweeping takes nothing from one that keeps writing", async () => {
    const directory = tempDir();
    const store = openStore(directory);
    store.create("r-a", [runCreated("r-a")], 0);
    const script = `
      import { SqliteStore } from ${STORE_MODULE};
      const store = new SqliteStore(process.argv[1]);
      process.stdout.write("ready");
      for (let swept = 0; ; swept += store.sweep(false).blobs) if (store.events("r-a").at(-1).type === "run.discarded") {
        process.stdout.write(" " + swept);
        break;
      }
      store.close();
    `;
    const flags = ["--no-warnings", "--input-type=module-typescript", "--eval", script, directory];
    const sweeper = spawn(process.execPath, flags, { stdio: ["ignore", "pipe", "inherit"] });
    onTestFinished(() => void sweeper.kill("SIGKILL"));
    let said = "";
    sweeper.stdout.on("data", (text) => {
      said += text;
    });
    await once(sweeper.stdout, "data");
    const refs = Array.from({ length: 150 }, (_, n) => {
      const ref = put(store, n % 40);
      store.append("r-a", 1, [{ type: "run.applied", tree: "t" }], n);
      store.append("r-a", 1, [artifactOf(ref)], n);
      return ref;
    });
    store.append("r-a", 1, [{ type: "run.discarded" }], 999);
    await once(sweeper, "exit");
    expect(said).toMatch(/^ready \d+$/);
    for (const ref of refs) readable(openStore(directory), ref);
  });
});

describe("the space of what was swept out", () => {
  const large = (directory: string) => statSync(join(directory, "ccp.db")).size > 200_000;

  function withMuchGarbage(directory: string): Store {
    const store = openStore(directory);
    store.create("r-gone", [runCreated("r-gone")], 0);
    for (let n = 0; n < 100; n++) store.append("r-gone", 1, [artifactOf(put(store, n, 4_000))], n);
    store.release("r-gone");
    store.remove("r-gone");
    return store;
  }

  test("is given back where nobody is at work", () => {
    const directory = tempDir();
    const store = withMuchGarbage(directory);
    expect(store.sweep(true).blobs).toBe(100);
    store.sweep(false);
    expect(large(directory)).toBe(false);
    expect(statSync(join(directory, "ccp.db-wal")).size).toBe(0);
    expect(store.damage()).toEqual([]);
  });

  test("stays in the file while somebody is, to be filled again", () => {
    const directory = tempDir();
    const store = withMuchGarbage(directory);
    store.create("r-a", [runCreated("r-a")], 0);
    store.sweep(false);
    expect(large(directory)).toBe(true);
    expect(statSync(join(directory, "ccp.db-wal")).size).toBe(0);
    store.release("r-a");
    store.sweep(false);
    expect(large(directory)).toBe(false);
  });

  test("leaves nothing beside the journal", () => {
    const directory = tempDir();
    withMuchGarbage(directory).sweep(false);
    expect(readdirSync(directory).filter((name) => !/^(ccp\.db|locks)/.test(name))).toEqual([]);
  });
});
