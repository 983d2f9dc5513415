import { hostname } from "node:os";
import type { Scope, Spend } from "../core/budget.ts";
import { CcpError } from "../core/errors.ts";
import type { BlobRef, Event, EventType, StoredEvent } from "../core/event.ts";
import type { Run } from "../core/run.ts";
import type {
  AppendResult,
  CallRecord,
  EventOfRun,
  Freed,
  LeftRequest,
  Owner,
  RunQuery,
  RunSummary,
  Store,
} from "../core/store.ts";
import { OverBudget } from "./account.ts";
import { checkLog, epochOf, factsOf } from "./adopted-log.ts";
import { damageOf } from "./damage.ts";
import { attempted, explained } from "./failures.ts";
import { Folds } from "./folds.ts";
import { type OpenJournal, openJournal, openMemoryJournal } from "./open-journal.ts";
import { Recorder } from "./recorder.ts";
import { blobMissing, damagedLog, fenced, owned, runExists, unknownRun } from "./refusals.ts";
import { Statements } from "./statements.ts";
import { emptyLog, shrink, sweep } from "./sweep.ts";

/** The journal and its ledger: SQLite in WAL mode, flushed at every commit, one database a repository. */
export class SqliteStore implements Store {
  readonly #journal: OpenJournal;
  readonly #self: Owner;
  readonly #statements: Statements;
  readonly #recorder: Recorder;
  readonly #folds: Folds;

  /**
   * `self`: who owns the runs that are claimed here. Throws `CcpError` for a directory or database that cannot be used:
   * `read_only`, `newer_journal`, `corrupt_journal`, …
   */
  constructor(stateDir: string, self: Owner = thisProcess(), journal: OpenJournal = openJournal(stateDir)) {
    this.#journal = journal;
    this.#self = self;
    this.#statements = new Statements(journal.database);
    this.#recorder = new Recorder(this.#statements);
    this.#folds = new Folds(this.#statements);
  }

  /** One that no other process sees, and that is gone when it is closed. */
  static inMemory(self: Owner = thisProcess()): SqliteStore {
    return new SqliteStore("", self, openMemoryJournal());
  }

  create(rid: string, events: readonly Event[], at: number): readonly StoredEvent[] {
    const begin = () => {
      const ordinal = this.#recorder.runs.add({ rid, epoch: 1, at, owner: this.#self });
      if (ordinal === null) throw this.#owned(rid);
      return { ordinal, stored: numbered(events, 0, at), status: "running" } as const;
    };
    return this.#holding(rid, 0, () => this.#recorder.record({ rid, events, begin, asFact: false }));
  }

  adopt(rid: string, log: readonly StoredEvent[]): void {
    checkLog(rid, log);
    if (this.#explained(() => this.#recorder.runs.has(rid))) throw runExists(rid);
    const begin = () => {
      const ordinal = this.#recorder.runs.add({ rid, epoch: epochOf(log), at: log[0]?.at ?? 0, owner: null });
      if (ordinal === null) throw runExists(rid);
      return { ordinal, stored: log, status: "running" } as const;
    };
    this.#holding(rid, 0, () => {
      try {
        this.#explained(() => this.#recorder.record({ rid, events: factsOf(log), begin, asFact: true }));
      } catch (refused) {
        throw refused instanceof CcpError ? refused : damagedLog(rid, refused);
      }
    });
    this.release(rid);
  }

  claim(rid: string, waitMs = 0): number {
    if (!this.#explained(() => this.#recorder.runs.has(rid))) throw unknownRun(rid);
    return this.#holding(rid, waitMs, () => {
      // In a transaction of its own: the statement alone says nothing when its commit fails.
      const epoch = this.#statements.write(() => this.#recorder.claim(rid, this.#self));
      if (epoch === null) throw unknownRun(rid);
      return epoch;
    });
  }

  release(rid: string): void {
    this.#journal.locks.release(rid);
  }

  isOwned(rid: string): boolean {
    return this.#journal.locks.isHeld(rid);
  }

  owner(rid: string): Owner | null {
    return this.#explained(() => this.#recorder.runs.owner(rid));
  }

  append(rid: string, epoch: number, events: readonly Event[], at: number): AppendResult {
    const begin = () => {
      const position = this.#recorder.runs.position(rid);
      if (position?.epoch !== epoch) throw fenced(rid);
      const { ordinal, seq, status } = position;
      return { ordinal, stored: numbered(events, seq, at), status };
    };
    try {
      const stored = this.#explained(() => this.#recorder.record({ rid, events, begin, asFact: false }));
      return { type: "appended", events: stored };
    } catch (refused) {
      if (refused instanceof OverBudget) return { type: "over-budget", scope: refused.scope };
      throw refused;
    }
  }

  leave(rid: string, request: LeftRequest, at: number): number {
    if (!this.#explained(() => this.#recorder.runs.has(rid))) throw unknownRun(rid);
    return this.#explained(() => this.#statements.write(() => this.#recorder.requests.leave(rid, request, at)));
  }

  requests(rid: string): ReturnType<Store["requests"]> {
    return this.#explained(() => this.#recorder.requests.list(rid));
  }

  drop(rid: string, id: number): void {
    this.#explained(() => this.#statements.write(() => this.#recorder.requests.drop(rid, id)));
  }

  events(rid: string, afterSeq = 0): readonly StoredEvent[] {
    return this.#explained(() => this.#recorder.log.read(rid, afterSeq));
  }

  eventsOf<T extends EventType>(types: readonly T[], rid: string | null): readonly EventOfRun<T>[] {
    return this.#explained(() => this.#recorder.log.readTypes(types, rid)) as readonly EventOfRun<T>[];
  }

  folded(rid: string): Run | null {
    return this.#explained(() => this.#folds.read(rid));
  }

  keepFolded(run: Run): void {
    attempted(this.#journal.path, () => this.#folds.keep(run));
  }

  runs(query: RunQuery = {}): readonly RunSummary[] {
    return this.#explained(() => this.#recorder.runs.list(query, (rid) => this.isOwned(rid)));
  }

  ledger(rid: string, scope: Scope): Spend {
    return this.#explained(() => this.#recorder.ledger.spend(rid, scope));
  }

  calls(rid: string | null): readonly CallRecord[] {
    return this.#explained(() => this.#recorder.calls.list(rid));
  }

  putBlob(bytes: Uint8Array): BlobRef {
    return this.#recorder.payloads.put(bytes);
  }

  blob(ref: BlobRef): Uint8Array {
    const bytes = this.#explained(() => this.#recorder.payloads.read(ref.sha256));
    if (bytes === null) throw blobMissing(this.#journal.path, ref);
    return bytes;
  }

  remove(rid: string): void {
    if (this.isOwned(rid)) throw this.#owned(rid);
    this.#holding(rid, 0, () => this.#statements.write(() => this.#recorder.remove(rid)));
    this.#journal.locks.discard(rid);
  }

  sweep(dryRun: boolean): Freed {
    const freed = this.#explained(() => sweep(this.#statements, dryRun));
    if (dryRun) return freed;
    // Whoever drives a run waits for nobody that long: then the space stays in the file, to be filled again.
    if (this.#journal.locks.anyHeld() === null) attempted(this.#journal.path, () => shrink(this.#statements));
    attempted(this.#journal.path, () => emptyLog(this.#statements));
    return freed;
  }

  damage(): readonly string[] {
    return this.#explained(() => damageOf(this.#statements));
  }

  close(): void {
    this.#journal.close();
  }

  /** The run is this process's from here on, unless `work` throws. */
  #holding<T>(rid: string, waitMs: number, work: () => T): T {
    const { locks } = this.#journal;
    const isNew = !locks.holds(rid);
    if (!locks.take(rid, waitMs)) throw this.#owned(rid);
    try {
      return this.#explained(work);
    } catch (refused) {
      if (isNew) locks.release(rid);
      throw refused;
    }
  }

  #owned(rid: string): CcpError {
    return owned(rid, this.owner(rid));
  }

  #explained<T>(work: () => T): T {
    return explained(this.#journal.path, work);
  }
}

function numbered(events: readonly Event[], after: number, at: number): readonly StoredEvent[] {
  return events.map((event, index) => ({ ...event, seq: after + index + 1, at }));
}

function thisProcess(): Owner {
  return { pid: process.pid, host: hostname(), startedAt: null };
}
