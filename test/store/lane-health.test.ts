import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, onTestFinished, test } from "vitest";
import type { LaneHealth } from "../../src/core/lane-health.ts";
import { memoryLaneHealth, openLaneHealth } from "../../src/store/sqlite-shelf.ts";
import { asking, laneHealthContract } from "../contract/lane-health.ts";
import { tempDir } from "../support/temp.ts";

const NOW = 1_000_000_000;
const newPath = () => join(tempDir(), "state", "health.db");

/** As a process of this id has it open. */
function open(path = newPath(), pid = 1, dead: ReadonlySet<number> = new Set()): LaneHealth {
  const self = { pid, host: "here", startedAt: "then" };
  const health = openLaneHealth(path, { self, hasEnded: (owner) => dead.has(owner.pid) });
  onTestFinished(() => health.close());
  return health;
}

laneHealthContract("a file", () => open());
laneHealthContract("memory", () => memoryLaneHealth());

const failed = { breaker: { type: "failure", why: "server", retryAfterMs: null }, tokens: 0, allowances: [] } as const;

/** Three failures: the model rests for five seconds. */
function fail(health: LaneHealth): void {
  for (const callId of ["f1", "f2", "f3"]) {
    health.admit(asking(callId), NOW);
    health.settle(callId, failed, NOW);
  }
}

describe("the file of the health of lanes", () => {
  test("is for its owner alone, and tells the next process", () => {
    const path = newPath();
    const first = open(path);
    fail(first);
    first.close();
    expect(statSync(dirname(path)).mode & 0o077).toBe(0);
    expect(open(path).admit(asking("a"), NOW)).toMatchObject({ type: "rest" });
  });

  test("gives back what a dead process holds", () => {
    const path = newPath();
    const dead = new Set<number>();
    const health = open(path, 1, dead);
    const limits = { concurrency: 1 };
    open(path, 7).admit(asking("a", { limits }), NOW);
    expect(health.admit(asking("b", { limits }), NOW)).toMatchObject({ type: "wait" });
    dead.add(7);
    expect(health.admit(asking("b", { limits }), NOW)).toMatchObject({ type: "go" });
    expect(health.admit(asking("c", { limits }), NOW + 3_600_000)).toMatchObject({ type: "go" });
  });

  test("lets another try at once when the process that tried is gone", () => {
    const [path, dead] = [newPath(), new Set<number>()];
    const health = open(path, 1, dead);
    fail(health);
    open(path, 7).admit(asking("a"), NOW + 5_000);
    expect(health.admit(asking("b"), NOW + 5_000)).toMatchObject({ type: "wait" });
    dead.add(7);
    expect(health.admit(asking("b"), NOW + 5_000)).toMatchObject({ type: "go" });
  });

  test("is forgotten where nobody has touched it for a month", () => {
    const health = open();
    health.admit(asking("a", { lane: "old" }), NOW);
    health.admit(asking("b", { lane: "new" }), NOW + 31 * 86_400_000);
    expect(health.accounts(NOW + 31 * 86_400_000).map(({ lane }) => lane)).toEqual(["new"]);
  });

  test.each([
    ["no database", (path: string) => writeFileSync(path, "not a database, and long enough to be one ".repeat(200))],
    ["somebody else's", (path: string) => void new Database(path).exec("CREATE TABLE t (x)").close()],
    ["a directory", (path: string) => void mkdirSync(path)],
    ["of a newer ccp", (path: string) => newer(path)],
    ["damaged inside", (path: string) => damage(path)],
  ])("that is %s stops nobody, and is said once", (_, make) => {
    const path = newPath();
    mkdirSync(dirname(path));
    make(path);
    const health = open(path);
    fail(health);
    expect(health.trouble()).toContain(path);
    expect(health.trouble()).toBeNull();
    expect(health.admit(asking("a"), NOW)).toMatchObject({ type: "rest" });
    expect(health.trouble()).toBeNull();
  });

  test.skipIf(process.getuid?.() === 0)("that cannot be written stops nobody", () => {
    const path = newPath();
    mkdirSync(dirname(path));
    chmodSync(dirname(path), 0o500);
    const health = open(path);
    fail(health);
    expect(health.trouble()).toContain("cannot be used");
    expect(readdirSync(dirname(path))).toEqual([]);
  });

  test("that breaks while it is used stops nobody", () => {
    const path = newPath();
    const health = open(path);
    fail(health);
    const other = new Database(path);
    other.exec("DROP TABLE account");
    other.close();
    expect(health.admit(asking("a"), NOW)).toMatchObject({ type: "go" });
    expect(health.trouble()).toContain("account");
  });
});

function newer(path: string): void {
  open(path).accounts(NOW);
  const database = new Database(path);
  database.pragma("user_version = 99");
  database.close();
}

function damage(path: string): void {
  const health = open(path);
  fail(health);
  health.close();
  const bytes = readFileSync(path);
  writeFileSync(path, bytes.fill(0x5a, 100));
}

// ── several processes ────────────────────────────────────────────────────────────────────────────────────────────

const MODULE = JSON.stringify(new URL("../../src/store/sqlite-shelf.ts", import.meta.url).href);
const PEERS = JSON.stringify(new URL("../../src/workspace/peers.ts", import.meta.url).href);

/** Waits for the word to go, asks so many times, says how often it was let through, and holds all that until it is ended. */
const WORKER = `
  import { openLaneHealth } from ${MODULE};
  import { createPeers } from ${PEERS};
  const [path, asked, times, now, settles] = process.argv.slice(1).map((text) => JSON.parse(text));
  const peers = createPeers("here");
  const health = openLaneHealth(path, peers);
  health.accounts(now);
  process.stdout.write("ready\\n");
  await new Promise((go) => process.stdin.once("data", go));
  let let_through = 0;
  for (let n = 0; n < times; n++) {
    const call = { ...asked.call, callId: process.pid + "." + n };
    if (health.admit({ ...asked, call }, now).type === "go") {
      let_through++;
      if (settles) health.settle(call.callId, { breaker: { type: "success" }, tokens: 10, allowances: [] }, now);
    }
  }
  const trouble = health.trouble();
  process.stdout.write((trouble ?? let_through) + "\\n");
  setInterval(() => {}, 1e6);
`;

interface Race {
  readonly path: string;
  readonly asked: ReturnType<typeof asking>;
  readonly processes: number;
  readonly times: number;
  readonly now: number;
  readonly settles?: boolean;
}

/** Begins them all at once. How often each was let through, and the end of them all. */
async function race({ path, asked, processes, times, now, settles = false }: Race) {
  const args = [path, asked, times, now, settles].map((value) => JSON.stringify(value));
  const flags = ["--no-warnings", "--input-type=module-typescript", "--eval", WORKER, ...args];
  const children = Array.from({ length: processes }, () =>
    spawn(process.execPath, flags, { stdio: ["pipe", "pipe", "inherit"] }),
  );
  onTestFinished(() => children.forEach((child) => void child.kill("SIGKILL")));
  for (const { stdout } of children) expect(String((await once(stdout, "data"))[0])).toBe("ready\n");
  const answers = children.map(({ stdout }) => once(stdout, "data"));
  for (const { stdin } of children) stdin.write("go\n");
  const counts = (await Promise.all(answers)).map(([said]) => Number(said));
  const end = async () => {
    const ended = children.map((child) => once(child, "exit"));
    for (const child of children) child.kill("SIGKILL");
    await Promise.all(ended);
  };
  return { counts, total: counts.reduce((sum, count) => sum + count, 0), end };
}

describe("several processes", () => {
  test("let one of them try, and another one when that has died", async () => {
    const path = newPath();
    fail(open(path));
    const first = await race({ path, asked: asking(""), processes: 5, times: 20, now: NOW + 5_000 });
    expect(first.total).toBe(1);
    await first.end();
    const second = await race({ path, asked: asking(""), processes: 5, times: 20, now: NOW + 5_000 });
    expect(second.total).toBe(1);
  });

  test("hold calls at once, and what dead ones held comes free", async () => {
    const path = newPath();
    const asked = asking("", { limits: { concurrency: 3 } });
    const first = await race({ path, asked, processes: 5, times: 20, now: NOW });
    expect(first.total).toBe(3);
    await first.end();
    expect((await race({ path, asked, processes: 5, times: 20, now: NOW })).total).toBe(3);
  });

  test("hold requests a minute, of calls that have ended, too", async () => {
    const path = newPath();
    const asked = asking("", { limits: { requestsPerMinute: 7 } });
    expect((await race({ path, asked, processes: 5, times: 20, now: NOW, settles: true })).total).toBe(7);
  });
});
