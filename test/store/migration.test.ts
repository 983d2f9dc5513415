import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, onTestFinished, test } from "vitest";
import { NOTHING_SPENT, type Scope, type Spend } from "../../src/core/budget.ts";
import type { EventOf, EventType, StoredEvent } from "../../src/core/event.ts";
import { blobsNamedIn } from "../../src/core/exported-run.ts";
import { foldRun } from "../../src/core/fold-run.ts";
import { readRun } from "../../src/core/read-run.ts";
import { Lock } from "../../src/store/lock.ts";
import { JOURNAL } from "../../src/store/migrations.ts";
import { startAnswers } from "../fixtures/journals/answers.ts";
import { bareEnvironment, binary } from "../support/cli.ts";
import { git } from "../support/git.ts";
import { tempDir } from "../support/temp.ts";
import { extractJournal, openStore, runScript, STORE_MODULE } from "./support.ts";

/** The journal that a version has left, of a run that succeeded, one that failed and one that was killed twice. */
function journalOf(version: "v1" | "v2") {
  const root = extractJournal(tempDir(), version);
  return { root, directory: join(root, ".git", "ccp") };
}

const firstJournal = () => journalOf("v1");

const TITLES = ["Write the notes in two goes.", "Write short notes.", "Write the notes."];

describe("a journal of the first version", () => {
  test("is opened by today's code: every run folds, and nothing is wrong with it", () => {
    const store = openStore(firstJournal().directory);
    const runs = store.runs();
    expect(runs.map(({ title }) => title)).toEqual(TITLES);
    expect(runs.map(({ status }) => status)).toEqual(["running", "failed", "succeeded"]);
    for (const listed of runs) {
      const run = foldRun(listed.rid, store.events(listed.rid));
      const spend = run.spend.run ?? NOTHING_SPENT;
      expect(listed).toMatchObject({
        ...{ status: run.status, applied: run.applied, lastAt: run.lastAt, createdAt: run.created?.at, owned: false },
        ...{ settledNanos: spend.settledNanos, heldNanos: spend.heldNanos },
      });
      expect(store.owner(listed.rid)).toEqual({
        pid: expect.any(Number),
        host: expect.stringMatching(/^\S+$/),
        startedAt: null,
      });
    }
    expect(store.damage()).toEqual([]);
  });

  test("has calls that agree with its events and with what its ledger said, to the nano-dollar", () => {
    const { directory } = firstJournal();
    const said = ledgerOf(directory);
    const store = openStore(directory);
    expect(said).toHaveLength(19);
    for (const { rid, scope, ...spend } of said) {
      expect(store.ledger(rid, scope)).toEqual(spend);
      expect(foldRun(rid, store.events(rid)).spend[scope]).toEqual(spend);
    }
    for (const { rid } of store.runs()) {
      const total = store.calls(rid).reduce((sum, { costNanos }) => sum + costNanos, 0);
      expect(total).toBe(store.ledger(rid, "run").settledNanos);
    }
  });

  test("has calls with all that was known of them", () => {
    const store = openStore(firstJournal().directory);
    const [killed, , good] = store.runs().map(({ rid }) => store.calls(rid));
    expect(killed?.map(({ state }) => state)).toEqual(["settled", "settled", "lost", "settled"]);
    expect(killed?.[2]).toMatchObject({
      costNanos: 261_696_000,
      heldNanos: 261_696_000,
      usage: null,
      durationMs: null,
    });
    expect(good?.filter(({ failure }) => failure !== null)).toMatchObject([
      { failure: "overloaded", costNanos: 0, turn: 2 },
    ]);
    expect(good?.[0]).toEqual({
      rid: good?.[0]?.rid,
      callId: `${good?.[0]?.rid}.planner.1`,
      ...{ stepId: "planner", role: "planner", conversation: 1, turn: 1, model: "mock/planner", state: "settled" },
      ...{ reservedAt: expect.any(Number), heldNanos: 134_649_000, heldTokens: 12_115 },
      ...{ costNanos: 4_272_000, listedNanos: null, durationMs: expect.any(Number), failure: null, retryOf: null },
      usage: { freshInput: 1134, cacheRead: 100, cacheWrite: 0, output: 56, reasoning: 0, source: "provider" },
    });
  });

  test("is read in today's shape", () => {
    const store = openStore(firstJournal().directory);
    const events = store.runs().flatMap(({ rid }) => store.events(rid));
    const of = <T extends EventType>(type: T) =>
      events.filter((event): event is StoredEvent & EventOf<T> => event.type === type);
    expect(of("call.reserved").map(({ facts, retryOf }) => facts ?? retryOf)).toEqual(Array(15).fill(null));
    expect(of("call.settled").map(({ listedNanos }) => listedNanos)).toEqual(Array(14).fill(null));
    const results = of("call.settled").map(({ result }) => (result.type === "answered" ? result.cut : result.partial));
    expect(new Set(results)).toEqual(new Set([false, null]));
    expect(of("call.lost")).toMatchObject([{ failure: null, partial: null }]);
    expect(of("step.started").every(({ fingerprint }) => fingerprint === null)).toBe(true);
    expect(of("command.finished").every(({ end }) => end.stdout.sha256 === end.output.sha256)).toBe(true);
    const effects = new Set(of("tool.started").map(({ tool, effect }) => `${tool}: ${effect}`));
    expect(effects).toEqual(new Set(["finish: none", "read: read", "write: write", "bash: execute"]));
  });

  test("goes on in today's shape", () => {
    const store = openStore(firstJournal().directory);
    const [{ rid } = { rid: "" }] = store.runs();
    const epoch = store.claim(rid);
    expect(epoch).toBe(3);
    const interrupted = { stepId: "doer", toolCallId: "x", tool: "bash", subject: "y", outside: true } as const;
    store.append(rid, epoch, [{ type: "tool.interrupted", ...interrupted }], 1);
    expect(store.events(rid, 26)).toEqual([{ type: "tool.interrupted", ...interrupted, seq: 27, at: 1 }]);
  });

  test("keeps the ceilings that its runs were given", () => {
    const store = openStore(firstJournal().directory);
    const [{ rid } = { rid: "" }] = store.runs();
    const run = foldRun(rid, store.events(rid));
    const left = (run.budgets.run?.maxCostNanos ?? 0) - (run.spend.run?.settledNanos ?? 0);
    const [call] = store.events(rid).filter((event) => event.type === "call.reserved");
    if (call?.type !== "call.reserved") throw new Error("no call");
    const { seq, at, ...reserved } = call;
    const one = (callId: string, heldNanos: number) => ({ ...reserved, callId, heldNanos, role: "x", stepId: "x" });
    const epoch = store.claim(rid);
    expect(store.append(rid, epoch, [one("x.1", left + 1)], 1)).toEqual({ type: "over-budget", scope: "run" });
    expect(store.append(rid, epoch, [one("x.1", left)], 1).type).toBe("appended");
  });

  test("is not touched while a ccp of that version is at work on it", () => {
    const { directory } = firstJournal();
    const [name = ""] = readdirSync(join(directory, "locks"));
    const lock = Lock.take(join(directory, "locks", name));
    const before = versionOf(directory);
    expect(() => openStore(directory)).toThrow(expect.objectContaining({ code: "owned", exitCode: 7 }));
    expect(versionOf(directory)).toBe(before);
    lock?.release();
    expect(openStore(directory).runs()).toHaveLength(3);
  });

  test("is brought up to date once, however many processes find it", () => {
    const { directory } = firstJournal();
    const script = `import { SqliteStore } from ${STORE_MODULE}; console.log(new SqliteStore(process.argv[1]).runs().length);`;
    const shell = Array.from({ length: 4 }, () => `"$0" "$@" &`).join(" ");
    const flags = ["--no-warnings", "--input-type=module-typescript", "--eval", script, directory];
    const { stdout } = spawnSync("sh", ["-c", `${shell} wait`, process.execPath, ...flags], { encoding: "utf8" });
    expect(stdout.trim().split("\n")).toEqual(["3", "3", "3", "3"]);
    expect(openStore(directory).damage()).toEqual([]);
  });
});

describe("a journal of the second version", () => {
  test("has every event as it was, in order, and goes on with the next", () => {
    const { directory } = journalOf("v2");
    const was = ask(directory, (database) =>
      database.prepare<[], { rid: string; seq: number; at: number; body: string }>("SELECT * FROM event").all(),
    );
    const store = openStore(directory);
    expect(store.runs().map(({ title }) => title)).toEqual(TITLES);
    expect(was.length).toBeGreaterThan(70);
    for (const { rid } of store.runs()) {
      const events = was
        .filter((row) => row.rid === rid)
        .map(({ seq, at, body }) => ({ ...JSON.parse(body), seq, at }));
      expect(store.events(rid)).toEqual(events);
      expect(store.events(rid, 3)).toEqual(events.slice(3));
      const epoch = store.claim(rid);
      store.append(rid, epoch, [{ type: "run.applied", tree: "t" }], 7);
      expect(store.events(rid, events.length)).toEqual([
        { type: "run.applied", tree: "t", seq: events.length + 1, at: 7 },
      ]);
      store.release(rid);
    }
    expect(store.damage()).toEqual([]);
  });

  test("lists its runs, with their calls and what they have spent, as their events tell it", () => {
    const store = openStore(journalOf("v2").directory);
    for (const listed of store.runs()) {
      const run = foldRun(listed.rid, store.events(listed.rid));
      const { settledNanos, heldNanos } = run.spend.run ?? NOTHING_SPENT;
      expect(listed).toMatchObject({ status: run.status, lastAt: run.lastAt, settledNanos, heldNanos });
      for (const [scope, spend] of Object.entries(run.spend)) {
        expect(store.ledger(listed.rid, scope as Scope)).toEqual(spend);
      }
      expect(readRun(listed.rid, store)).toEqual(run);
    }
  });

  test("loses no payload, and a run that is removed takes its own events alone", () => {
    const { directory } = journalOf("v2");
    const store = openStore(directory);
    const [killed, failed, good] = store.runs().map(({ rid }) => rid);
    const kept = [killed, good].map((rid = "") => store.events(rid));
    store.remove(failed ?? "");
    expect([killed, good].map((rid = "") => store.events(rid))).toEqual(kept);
    expect(store.events(failed ?? "")).toEqual([]);
    expect(store.damage()).toEqual([]);
    expect(store.sweep(false).blobs).toBeGreaterThan(0);
    for (const event of kept.flat()) for (const sha256 of blobsNamedIn([event])) store.blob({ sha256, sizeBytes: 0 });
  });
});

describe("a migration that is cut off", () => {
  test("before its commit leaves the journal as it was, and is done by the next command", () => {
    const { directory } = firstJournal();
    const before = contentOf(directory);
    const script = `
      import Database from "better-sqlite3";
      import { JOURNAL } from ${JSON.stringify(new URL("../../src/store/migrations.ts", import.meta.url).href)};
      const database = new Database(process.argv[1]);
      // Writes to the log before the commit, as a journal does that is larger than the cache.
      database.pragma("cache_size = 5");
      database.exec("BEGIN IMMEDIATE");
      database.exec(JOURNAL.migrations[1]);
      process.kill(process.pid, "SIGKILL");
    `;
    const { signal, stderr } = runScript(script, [join(directory, "ccp.db")]);
    expect(signal, stderr).toBe("SIGKILL");
    expect(contentOf(directory)).toEqual(before);
    expect(openStore(directory).runs()).toHaveLength(3);
    expect(versionOf(directory)).toBe(JOURNAL.migrations.length);
  });

  test.skipIf(spawnSync("strace", ["-V"]).error)("at any write leaves the old one whole, or the new one", () => {
    const script = `import { SqliteStore } from ${STORE_MODULE}; new SqliteStore(process.argv[1]).runs();`;
    const before = contentOf(firstJournal().directory);
    const versions = [1, 5, 20, 50, 80, 100, 120, 140, 160, 200].map((nth) => {
      const { directory } = firstJournal();
      const flags = ["--no-warnings", "--input-type=module-typescript", "--eval", script, directory];
      const inject = `inject=pwrite64:signal=SIGKILL:when=${nth}`;
      spawnSync("strace", ["-f", "-qq", "-o", "/dev/null", "-e", inject, process.execPath, ...flags]);
      const version = versionOf(directory);
      if (version === 1) expect(contentOf(directory)).toEqual(before);
      const store = openStore(directory);
      expect(store.runs().map(({ title }) => title)).toEqual(TITLES);
      expect(store.damage()).toEqual([]);
      store.close();
      return version;
    });
    expect(new Set(versions)).toEqual(new Set([1, JOURNAL.migrations.length]));
    expect(versions.toSorted()).toEqual(versions);
  });
});

describe("a run that an older version has left half done", () => {
  test.each(["v1", "v2"] as const)(
    "(%s) is resumed by today's binary to its end, and pays for nothing again",
    async (version) => {
      const { root, directory } = journalOf(version);
      const home = tempDir("ccp-home");
      mkdirSync(join(home, ".config", "ccp"), { recursive: true });
      const answers = await startAnswers();
      onTestFinished(() => answers.close());
      writeFileSync(join(home, ".config", "ccp", "providers.yaml"), answers.providers);
      const { code, stderr, stdout } = await binary(["resume", "--json"], { cwd: root, env: bareEnvironment(home) });
      expect(code, stderr + stdout).toBe(0);
      const store = openStore(directory);
      const [{ rid, status, settledNanos, heldNanos } = { rid: "" }] = store.runs();
      expect({ status, heldNanos }).toEqual({ status: "succeeded", heldNanos: 0 });
      expect(git(root, "show", `ccp/${rid}:notes.txt`)).toBe("one\ntwo\nthree\n");
      // Four calls were on record, one of them lost; the doer's last word and the review are new.
      expect(store.calls(rid).map(({ state }) => state)).toEqual([
        "settled",
        "settled",
        "lost",
        "settled",
        "settled",
        "settled",
      ]);
      expect(settledNanos).toBe(5 * 4_272_000 + 261_696_000);
      expect(foldRun(rid, store.events(rid)).spend.run?.settledNanos).toBe(settledNanos);
    },
  );
});

type SavedSpend = Spend & { readonly rid: string; readonly scope: Scope };

/** What the ledger of the first version said. */
function ledgerOf(directory: string): readonly SavedSpend[] {
  return ask(directory, (database) =>
    database
      .prepare<[], SavedSpend>(
        `SELECT rid, scope, settled_nanos AS settledNanos, held_nanos AS heldNanos, settled_tokens AS settledTokens,
         held_tokens AS heldTokens FROM ledger WHERE settled_tokens > 0 ORDER BY rid, scope`,
      )
      .all(),
  );
}

/** Every row of every table of the first version. */
function contentOf(directory: string): unknown {
  return ask(directory, (database) =>
    ["run", "event", "call", "ledger", "blob"].map((table) => database.prepare(`SELECT * FROM ${table}`).all()),
  );
}

function versionOf(directory: string): number {
  return ask(directory, (database) => database.pragma("user_version", { simple: true }) as number);
}

function ask<T>(directory: string, question: (database: Database.Database) => T): T {
  const database = new Database(join(directory, "ccp.db"));
  try {
    return question(database);
  } finally {
    database.close();
  }
}
