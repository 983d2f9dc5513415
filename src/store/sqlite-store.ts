import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import type Database from "better-sqlite3";
import type { Scope, Spend } from "../core/budget.ts";
import { CcpError, EXIT } from "../core/errors.ts";
import type { BlobRef, Event, StoredEvent } from "../core/event.ts";
import type { AppendResult, RunSummary, Store } from "../core/ports.ts";
import { explained } from "./failures.ts";
import { Ledger, OverBudget } from "./ledger.ts";
import { Lock } from "./lock.ts";
import { openDatabase } from "./open-database.ts";
import { Statements } from "./statements.ts";

const EVENT_VERSION = 1;
/** Who only looks whether a run is owned (`ccp runs`) holds its lock for an instant: that long a claim waits. */
const LOOK_MS = 100;

/** The journal and its ledger: SQLite in WAL mode, flushed at every commit, one database a repository. */
export class SqliteStore implements Store {
  readonly #path: string;
  readonly #stateDir: string;
  readonly #database: Database.Database;
  readonly #locks = new Map<string, Lock>();
  /** Payloads wait here for the transaction of the event that names them: one flush for both. */
  readonly #staged = new Map<string, Uint8Array>();
  readonly #statements: Statements;
  readonly #ledger: Ledger;

  /** Throws `CcpError` for a directory or database that cannot be used: `read_only`, `newer_journal`, `corrupt_journal`, … */
  constructor(stateDir: string) {
    this.#stateDir = stateDir;
    this.#path = join(stateDir, "ccp.db");
    this.#database = explained(this.#path, () => {
      mkdirSync(join(stateDir, "locks"), { recursive: true, mode: 0o700 });
      return openDatabase(this.#path);
    });
    this.#statements = new Statements(this.#database);
    this.#ledger = new Ledger(this.#statements);
  }

  create(rid: string, events: readonly Event[], at: number): readonly StoredEvent[] {
    this.#lock(rid);
    return this.#commit(() => {
      this.#statements.run(
        "INSERT INTO run (rid, epoch, owner, seq, title, pipeline_name, status, created_at, last_at) VALUES (?, 1, ?, 0, '', '', 'running', ?, ?)",
        rid,
        thisProcess(),
        at,
        at,
      );
      return this.#write(rid, 1, events, at);
    });
  }

  claim(rid: string): number {
    this.#lock(rid);
    const claimed = this.#nextEpoch(rid);
    if (claimed !== null) return claimed;
    this.release(rid);
    throw new CcpError("unknown_run", EXIT.usage, `there is no run ${rid} in this repository`, { hint: "ccp runs" });
  }

  /** Null: there is no such run. In a transaction of its own: the statement alone says nothing when its commit fails. */
  #nextEpoch(rid: string): number | null {
    const claim = () =>
      this.#statements.get<{ epoch: number }>(
        "UPDATE run SET epoch = epoch + 1, owner = ? WHERE rid = ? RETURNING epoch",
        thisProcess(),
        rid,
      );
    try {
      return explained(this.#path, () => this.#database.transaction(claim).immediate())?.epoch ?? null;
    } catch (refused) {
      this.release(rid);
      throw refused;
    }
  }

  release(rid: string): void {
    this.#locks.get(rid)?.release();
    this.#locks.delete(rid);
  }

  isOwned(rid: string): boolean {
    if (this.#locks.has(rid)) return true;
    const lock = explained(this.#lockPath(rid), () => Lock.take(this.#lockPath(rid)));
    lock?.release();
    return lock === null;
  }

  append(rid: string, epoch: number, events: readonly Event[], at: number): AppendResult {
    try {
      return { type: "appended", events: this.#commit(() => this.#write(rid, epoch, events, at)) };
    } catch (refused) {
      if (refused instanceof OverBudget) return { type: "over-budget", scope: refused.scope };
      throw refused;
    }
  }

  events(rid: string, afterSeq = 0): readonly StoredEvent[] {
    return explained(this.#path, () =>
      this.#statements
        .all<EventRow>("SELECT seq, at, body FROM event WHERE rid = ? AND seq > ? ORDER BY seq", rid, afterSeq)
        .map(({ seq, at, body }) => ({ ...(JSON.parse(body) as Event), seq, at })),
    );
  }

  runs(): readonly RunSummary[] {
    return explained(this.#path, () =>
      this.#statements
        .all<RunRow>(`${SELECT_RUNS} ORDER BY run.created_at DESC, run.rid`)
        .map((row) => this.#summary(row)),
    );
  }

  ledger(rid: string, scope: Scope): Spend {
    return explained(this.#path, () => this.#ledger.spend(rid, scope));
  }

  putBlob(bytes: Uint8Array): BlobRef {
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    this.#staged.set(sha256, bytes);
    return { sha256, sizeBytes: bytes.length };
  }

  blob(ref: BlobRef): Uint8Array {
    const staged = this.#staged.get(ref.sha256);
    if (staged) return staged;
    const row = explained(this.#path, () =>
      this.#statements.get<{ bytes: Uint8Array }>("SELECT bytes FROM blob WHERE sha256 = ?", ref.sha256),
    );
    if (row && createHash("sha256").update(row.bytes).digest("hex") === ref.sha256) return row.bytes;
    throw new CcpError(
      "blob_missing",
      EXIT.disk,
      `the journal ${this.#path} has lost payload ${ref.sha256.slice(0, 12)}`,
      {
        hint: "the disk may be damaged: copy the journal away before anything else",
      },
    );
  }

  close(): void {
    for (const rid of [...this.#locks.keys()]) this.release(rid);
    this.#database.close();
  }

  #write(rid: string, epoch: number, events: readonly Event[], at: number): readonly StoredEvent[] {
    const run = this.#statements.get<{ epoch: number; seq: number }>("SELECT epoch, seq FROM run WHERE rid = ?", rid);
    if (run?.epoch !== epoch) throw fenced(rid);
    this.#flushBlobs();
    const stored = events.map((event, index) => this.#insert(rid, event, run.seq + index + 1, at));
    this.#statements.run("UPDATE run SET seq = ?, last_at = ? WHERE rid = ?", run.seq + events.length, at, rid);
    return stored;
  }

  /** Everything in one flushed transaction; staged payloads are let go of only once it has not rolled back. */
  #commit<T>(work: () => T): T {
    const result = explained(this.#path, () => this.#database.transaction(work).immediate());
    this.#staged.clear();
    return result;
  }

  #flushBlobs(): void {
    for (const [sha256, bytes] of this.#staged) {
      this.#statements.run("INSERT INTO blob (sha256, bytes) VALUES (?, ?) ON CONFLICT DO NOTHING", sha256, bytes);
    }
  }

  #insert(rid: string, event: Event, seq: number, at: number): StoredEvent {
    this.#statements.run(
      "INSERT INTO event (rid, seq, at, v, type, body) VALUES (?, ?, ?, ?, ?, ?)",
      rid,
      seq,
      at,
      EVENT_VERSION,
      event.type,
      JSON.stringify(event),
    );
    this.#ledger.book(rid, event);
    this.#summarize(rid, event);
    return { ...event, seq, at };
  }

  #summarize(rid: string, event: Event): void {
    switch (event.type) {
      case "run.created":
        this.#statements.run(
          "UPDATE run SET title = ?, pipeline_name = ? WHERE rid = ?",
          event.title,
          event.pipelineName,
          rid,
        );
        for (const [scope, budget] of Object.entries(event.budgets)) this.#ledger.setCeiling(rid, scope, budget ?? {});
        break;
      case "budget.raised":
        this.#ledger.setCeiling(rid, event.scope, event.budget);
        break;
      case "run.resumed":
      case "run.ended":
      case "run.discarded":
        this.#statements.run("UPDATE run SET status = ? WHERE rid = ?", statusAfter(event), rid);
        break;
    }
  }

  #summary(row: RunRow): RunSummary {
    return {
      rid: row.rid,
      title: row.title,
      pipelineName: row.pipeline_name,
      status: row.status as RunSummary["status"],
      owned: row.status === "running" && this.isOwned(row.rid),
      createdAt: row.created_at,
      lastAt: row.last_at,
      settledNanos: row.settled_nanos ?? 0,
      heldNanos: row.held_nanos ?? 0,
    };
  }

  #lock(rid: string): void {
    if (this.#locks.has(rid)) return;
    const lock = explained(this.#lockPath(rid), () => Lock.take(this.#lockPath(rid), LOOK_MS));
    if (lock) this.#locks.set(rid, lock);
    else throw this.#owned(rid);
  }

  #owned(rid: string): CcpError {
    const owner =
      this.#statements.get<{ owner: string }>("SELECT owner FROM run WHERE rid = ?", rid)?.owner ?? "another process";
    return new CcpError("owned", EXIT.owned, `${rid} is being run by ${owner}`, {
      hint: `watch it there; what it has done so far: ccp view ${rid}`,
    });
  }

  #lockPath(rid: string): string {
    return join(this.#stateDir, "locks", `${rid}.lock`);
  }
}

const SELECT_RUNS = `SELECT run.*, ledger.settled_nanos, ledger.held_nanos FROM run
  LEFT JOIN ledger ON ledger.rid = run.rid AND ledger.scope = 'run'`;

interface EventRow {
  readonly seq: number;
  readonly at: number;
  readonly body: string;
}

interface RunRow {
  readonly rid: string;
  readonly title: string;
  readonly pipeline_name: string;
  readonly status: string;
  readonly created_at: number;
  readonly last_at: number;
  readonly settled_nanos: number | null;
  readonly held_nanos: number | null;
}

function statusAfter(event: Extract<Event, { type: "run.resumed" | "run.ended" | "run.discarded" }>): string {
  if (event.type === "run.resumed") return "running";
  return event.type === "run.ended" ? event.status : "discarded";
}

/** Text for people: nothing is decided by it. */
function thisProcess(): string {
  return `pid ${process.pid} on ${hostname()}`;
}

function fenced(rid: string): CcpError {
  return new CcpError("fenced", EXIT.owned, `${rid} was taken over by another process`, {
    hint: `nothing was written; see it: ccp view ${rid}`,
  });
}
