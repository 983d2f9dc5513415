import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { SqliteStore } from "../../src/store/sqlite-store.ts";
import { runCreated } from "../support/events.ts";
import { startStoreProcess } from "../support/store-process.ts";
import { tempDir } from "../support/temp.ts";

const STORE = JSON.stringify(new URL("../../src/store/sqlite-store.ts", import.meta.url).href);

/** Holds the run until it is killed; asked to let go of it, it takes its time. */
const HOLDER = `
  import { SqliteStore } from ${STORE};
  const store = new SqliteStore(process.argv[1], { pid: process.pid, host: "elsewhere", startedAt: "boot 42" });
  store.claim("r-a");
  process.on("SIGTERM", () => setTimeout(() => store.release("r-a"), 500));
  process.stdout.write("held");
  setInterval(() => {}, 1000);
`;

/** A journal with one run that nobody holds. */
function journal() {
  const directory = tempDir();
  const store = new SqliteStore(directory);
  onTestFinished(() => store.close());
  store.create("r-a", [runCreated("r-a")], 0);
  store.release("r-a");
  return { directory, store };
}

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
    const { directory, store } = journal();
    const child = await holder(directory);
    expect(() => store.claim("r-a")).toThrow(
      expect.objectContaining({
        code: "owned",
        exitCode: 7,
        message: `r-a is being run by pid ${child.pid} on elsewhere`,
      }),
    );
    expect(store.owner("r-a")).toEqual({ pid: child.pid, host: "elsewhere", startedAt: "boot 42" });
    expect(store.runs()[0]).toMatchObject({ status: "running", owned: true });
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(store.runs()[0]).toMatchObject({ status: "running", owned: false });
    expect(store.claim("r-a")).toBe(3);
  });

  test("a claim that may wait gets the run from an owner who lets go of it meanwhile", async () => {
    const { directory, store } = journal();
    const child = await holder(directory);
    child.kill("SIGTERM");
    expect(store.claim("r-a", 30_000)).toBe(3);
    expect(store.owner("r-a")?.pid).toBe(process.pid);
  });

  test("a claim that may wait is refused in the end by an owner who does not", async () => {
    const { directory, store } = journal();
    await holder(directory);
    expect(() => store.claim("r-a", 200)).toThrow(expect.objectContaining({ code: "owned" }));
    expect(store.isOwned("r-a")).toBe(true);
  });

  test("of many who claim a free run at once one gets it", () => {
    const { directory, store } = journal();
    const others = [1, 2, 3].map(() => startStoreProcess());
    onTestFinished(() => others.forEach((other) => void other.end()));
    const outcomes = others.map((other) => {
      try {
        return other.open(directory).claim("r-a");
      } catch (refused) {
        return (refused as { code: string }).code;
      }
    });
    expect(outcomes).toEqual([2, "owned", "owned"]);
    expect(() => store.remove("r-a")).toThrow(expect.objectContaining({ code: "owned" }));
    expect(store.events("r-a")).toHaveLength(1);
  });

  test("two who only look do not take each other for an owner", () => {
    const { directory, store } = journal();
    const other = startStoreProcess();
    onTestFinished(() => other.end());
    const theirs = other.open(directory);
    for (let round = 0; round < 50; round++) {
      expect([store.isOwned("r-a"), theirs.isOwned("r-a")]).toEqual([false, false]);
    }
  });

  test("no lock outlives its run, and a claim of nothing leaves none", () => {
    const { directory, store } = journal();
    expect(() => store.claim("r-typo")).toThrow(expect.objectContaining({ code: "unknown_run" }));
    store.remove("r-a");
    expect(readdirSync(join(directory, "locks")).filter((name) => name.endsWith(".lock"))).toEqual([]);
    expect(existsSync(join(directory, "locks"))).toBe(true);
  });
});
