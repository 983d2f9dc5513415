import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { SqliteStore } from "../../src/store/sqlite-store.ts";
import { artifactOf, callReserved, callSettled, runCreated, runEnded } from "../support/events.ts";
import { tempDir } from "../support/temp.ts";

/** Closed with the test. */
export function openStore(directory = tempDir()): SqliteStore {
  const store = new SqliteStore(directory);
  onTestFinished(() => store.close());
  return store;
}

/** Runs a module in a process of its own; `store` is a path to import the store from. */
export function runScript(source: string, args: readonly string[], user: { uid?: number; gid?: number } = {}) {
  const flags = ["--no-warnings", "--input-type=module-typescript", "--eval", source];
  return spawnSync(process.execPath, [...flags, ...args], { encoding: "utf8", ...user });
}

/** For `import` in a script. */
export const STORE_MODULE = JSON.stringify(new URL("../../src/store/sqlite-store.ts", import.meta.url).href);

/** A text of some length: what a payload is like. */
export const TEXT = "The sign in sum.js is wrong. ".repeat(40);

/** A journal of one run that ended and one that was begun, closed. */
export function fillJournal(directory: string): string {
  const store = new SqliteStore(directory);
  const call = callReserved("r-a.build.1", 500);
  store.create("r-a", [runCreated("r-a"), call], 1);
  const named = artifactOf(store.putBlob(Buffer.from(TEXT)));
  store.append("r-a", 1, [callSettled(call, 400), named, runEnded("succeeded")], 2);
  store.create("r-b", [runCreated("r-b")], 3);
  store.close();
  return directory;
}

/** The same with one event more, left by a process that was killed: its log is not yet in the database. */
export function fillAndKill(directory: string): string {
  fillJournal(directory);
  const { signal, stderr } = runScript(
    `import { SqliteStore } from ${STORE_MODULE};
     const store = new SqliteStore(process.argv[1]);
     store.append("r-b", store.claim("r-b"), [{ type: "run.discarded" }], 9);
     process.kill(process.pid, "SIGKILL");`,
    [directory],
  );
  if (signal !== "SIGKILL") throw new Error(stderr);
  return directory;
}

/**
 * What is in each file of a journal that is not open, as a hash. Not the log's index, which is made anew for each who
 * reads, and not the locks.
 */
export function filesIn(directory: string): Readonly<Record<string, string>> {
  const files = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isFile());
  const names = files.filter(({ name }) => !name.endsWith("-shm"));
  return Object.fromEntries(names.map(({ name }) => [name, hashOf(join(directory, name))]));
}

function hashOf(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}

const JOURNALS = fileURLToPath(new URL("../fixtures/journals/", import.meta.url));

/** Unpacks a repository whose journal an older ccp has written; its root. */
export function extractJournal(into: string, version: string): string {
  execFileSync("tar", ["-C", into, "--no-same-owner", "-xzf", join(JOURNALS, `${version}.tar.gz`)]);
  return join(into, "repo");
}
