import type { Spend } from "../core/budget.ts";
import type { Event, StoredEvent } from "../core/event.ts";
import type { Owner, RunQuery, RunSummary } from "../core/store.ts";
import { EVENT_IDS, LAST_SEQ } from "./event-log.ts";
import type { Statements } from "./statements.ts";

/** One row a run: who drives it, and what a list of runs shows. Contract: writes are made in a transaction of the caller's. */
export class RunRows {
  readonly #statements: Statements;

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  /** Its ordinal; null: the rid is taken. `owner`: null for one that nobody drives. */
  add(run: {
    readonly rid: string;
    readonly epoch: number;
    readonly at: number;
    readonly owner: Owner | null;
  }): number | null {
    const { rid, epoch, at, owner } = run;
    return this.#statements.get<{ ordinal: number }>(ADD, rid, epoch, at, at, ...columnsOf(owner))?.ordinal ?? null;
  }

  has(rid: string): boolean {
    return this.#statements.get("SELECT 1 FROM run WHERE rid = ?", rid) !== undefined;
  }

  /** Its new epoch; null: there is no such run. */
  claim(rid: string, owner: Owner): number | null {
    return this.#statements.get<{ epoch: number }>(CLAIM, ...columnsOf(owner), rid)?.epoch ?? null;
  }

  /** Under which epoch it may be written, how long its log is and how it stands; null: there is no such run. */
  position(rid: string): Position | null {
    return this.#statements.get<Position>(POSITION, rid) ?? null;
  }

  owner(rid: string): Owner | null {
    const row = this.#statements.get<OwnerRow>("SELECT * FROM run WHERE rid = ?", rid);
    if (!row || row.owner_pid === null) return null;
    return { pid: row.owner_pid, host: row.owner_host ?? "", startedAt: row.owner_started };
  }

  /** What the event changes of what a list shows. */
  note(rid: string, event: StoredEvent): void {
    switch (event.type) {
      case "run.created":
        this.#statements.run(
          "UPDATE run SET title = ?, pipeline_name = ? WHERE rid = ?",
          event.title,
          event.pipelineName,
          rid,
        );
        break;
      case "pipeline.changed":
        this.#statements.run("UPDATE run SET pipeline_name = ? WHERE rid = ?", event.pipelineName, rid);
        break;
      case "run.resumed":
      case "run.ended":
      case "run.discarded":
        this.#statements.run("UPDATE run SET status = ? WHERE rid = ?", statusAfter("new", event), rid);
        break;
      case "run.applied":
        this.#statements.run("UPDATE run SET applied = 1 WHERE rid = ?", rid);
        break;
    }
  }

  /** What else a list shows. Of a run that is driven it is looked up instead: each event would touch this row. */
  sumUp(rid: string, lastAt: number, { settledNanos, heldNanos }: Spend): void {
    this.#statements.run(SUM_UP, lastAt, settledNanos, heldNanos, rid);
  }

  /** Newest first. `isOwned` is asked for those that are running. */
  list({ limit = ALL, prefix }: RunQuery, isOwned: (rid: string) => boolean): readonly RunSummary[] {
    const rows =
      prefix === undefined
        ? this.#statements.all<RunRow>(LIST, limit)
        : this.#statements.all<RunRow>(LIST_PREFIX, prefix, prefix + BEYOND, limit);
    return rows.map((row) => summaryOf(row, isOwned));
  }
}

/** Where a run is: what whoever writes to it has to know. */
export interface Position {
  /** Names the run in its events. */
  readonly ordinal: number;
  readonly epoch: number;
  readonly seq: number;
  readonly status: RunSummary["status"];
}

/** How a run stands after an event. */
export function statusAfter(status: RunSummary["status"], event: Event): RunSummary["status"] {
  switch (event.type) {
    case "run.created":
    case "run.resumed":
      return "running";
    case "run.ended":
      return event.status;
    case "run.discarded":
      return "discarded";
    default:
      return status;
  }
}

/** To SQLite: no limit. */
const ALL = -1;
/** Sorts after every character of a rid: a prefix is a range, which the index knows. */
const BEYOND = "\u{10ffff}";

const ADD = `INSERT INTO run (rid, epoch, title, pipeline_name, status, created_at, last_at, owner_pid, owner_host,
    owner_started, ordinal)
  VALUES (?, ?, '', '', 'running', ?, ?, ?, ?, ?, (SELECT coalesce(max(ordinal), 0) + 1 FROM run))
  ON CONFLICT (rid) DO NOTHING RETURNING ordinal`;

const CLAIM = `UPDATE run SET epoch = epoch + 1, owner_pid = ?, owner_host = ?, owner_started = ?
  WHERE rid = ? RETURNING epoch`;

const POSITION = `SELECT ordinal, epoch, status, ${LAST_SEQ} AS seq FROM run WHERE rid = ?`;

const SUM_UP = "UPDATE run SET last_at = ?, settled_nanos = ?, held_nanos = ? WHERE rid = ?";

const SUMMARY = `SELECT rid, title, pipeline_name AS pipelineName, status, applied, created_at AS createdAt,
    iif(status = 'running', (SELECT at FROM event WHERE id BETWEEN ${EVENT_IDS} ORDER BY id DESC LIMIT 1),
      last_at) AS lastAt,
    iif(status = 'running', (SELECT total(cost_nanos) FROM call WHERE call.rid = run.rid),
      settled_nanos) AS settledNanos,
    iif(status = 'running', (SELECT total(held_nanos) FROM call WHERE call.rid = run.rid AND state = 'reserved'),
      held_nanos) AS heldNanos
  FROM run`;
const NEWEST_FIRST = "ORDER BY created_at DESC, rid LIMIT ?";
const LIST = `${SUMMARY} ${NEWEST_FIRST}`;
const LIST_PREFIX = `${SUMMARY} WHERE rid >= ? AND rid < ? ${NEWEST_FIRST}`;

interface OwnerRow {
  readonly owner_pid: number | null;
  readonly owner_host: string | null;
  readonly owner_started: string | null;
}

interface RunRow extends Omit<RunSummary, "owned" | "applied"> {
  readonly applied: number;
}

function columnsOf(owner: Owner | null): readonly [number | null, string | null, string | null] {
  return [owner?.pid ?? null, owner?.host ?? null, owner?.startedAt ?? null];
}

function summaryOf(row: RunRow, isOwned: (rid: string) => boolean): RunSummary {
  return { ...row, applied: row.applied === 1, owned: row.status === "running" && isOwned(row.rid) };
}
