import type { EventOf, StoredEvent } from "../core/event.ts";
import type { CallRecord } from "../core/store.ts";
import type { Usage } from "../core/usage.ts";
import type { Statements } from "./statements.ts";

/** How far each call has come. Contract: writes are made in the transaction that keeps the event. */
export class CallRows {
  readonly #statements: Statements;

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  /** In the order in which they were reserved. Null: those of all runs. */
  list(rid: string | null): readonly CallRecord[] {
    const rows =
      rid === null
        ? this.#statements.all<CallRow>("SELECT * FROM call ORDER BY reserved_at, rid, reserved_seq")
        : this.#statements.all<CallRow>("SELECT * FROM call WHERE rid = ? ORDER BY reserved_seq", rid);
    return rows.map(recordOf);
  }

  /** A call has one outcome: the database itself forbids a second. */
  book(rid: string, event: StoredEvent): void {
    switch (event.type) {
      case "call.reserved":
        this.#reserve(rid, event);
        break;
      case "call.settled":
        this.#end(rid, event, SETTLE, settledColumns(event));
        break;
      case "call.lost":
        this.#end(rid, event, LOSE, []);
        break;
    }
  }

  #reserve(rid: string, event: EventOf<"call.reserved"> & StoredEvent): void {
    const { callId, seq, at, stepId, role, conversation, turn, model, retryOf, heldNanos, heldTokens } = event;
    this.#statements.run(
      RESERVE,
      ...[rid, callId, seq, at, stepId, role, conversation, turn, model, retryOf, heldNanos, heldTokens],
    );
  }

  #end(rid: string, event: EventOf<"call.settled" | "call.lost">, how: string, columns: readonly unknown[]): void {
    const { callId, heldNanos, heldTokens } = event;
    const { changes } = this.#statements.run(how, ...columns, rid, callId, heldNanos, heldTokens);
    if (changes !== 1) throw new Error(`call ${callId} of ${rid} has an outcome already, or was never made so`);
  }
}

const RESERVE = `INSERT INTO call (rid, call_id, reserved_seq, reserved_at, step_id, role, conversation, turn, model,
    retry_of, held_nanos, held_tokens, state)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'reserved')`;

/** What the end of a call gives back is what its reservation took. */
const AS_RESERVED = "rid = ? AND call_id = ? AND state = 'reserved' AND held_nanos = ? AND held_tokens = ?";

const SETTLE = `UPDATE call SET state = 'settled', cost_nanos = ?, listed_nanos = ?, fresh_input = ?, cache_read = ?,
    cache_write = ?, output = ?, reasoning = ?, usage_source = ?, duration_ms = ?, failure = ?
  WHERE ${AS_RESERVED}`;

const LOSE = `UPDATE call SET state = 'lost', cost_nanos = held_nanos WHERE ${AS_RESERVED}`;

/** In the order of `SETTLE`. */
function settledColumns(event: EventOf<"call.settled">): readonly unknown[] {
  const { costNanos, listedNanos, durationMs, result } = event;
  const { freshInput, cacheRead, cacheWrite, output, reasoning, source } = event.usage;
  const failure = result.type === "failed" ? result.failure.class : null;
  return [costNanos, listedNanos, freshInput, cacheRead, cacheWrite, output, reasoning, source, durationMs, failure];
}

interface CallRow {
  readonly rid: string;
  readonly call_id: string;
  readonly reserved_at: number;
  readonly step_id: string;
  readonly role: string;
  readonly conversation: number;
  readonly turn: number;
  readonly model: string;
  readonly retry_of: string | null;
  readonly state: CallRecord["state"];
  readonly held_nanos: number;
  readonly held_tokens: number;
  readonly cost_nanos: number;
  readonly listed_nanos: number | null;
  readonly fresh_input: number;
  readonly cache_read: number;
  readonly cache_write: number;
  readonly output: number;
  readonly reasoning: number;
  readonly usage_source: Usage["source"];
  readonly duration_ms: number | null;
  readonly failure: string | null;
}

function recordOf(row: CallRow): CallRecord {
  return {
    rid: row.rid,
    callId: row.call_id,
    stepId: row.step_id,
    role: row.role,
    conversation: row.conversation,
    turn: row.turn,
    model: row.model,
    state: row.state,
    reservedAt: row.reserved_at,
    heldNanos: row.held_nanos,
    heldTokens: row.held_tokens,
    costNanos: row.cost_nanos,
    listedNanos: row.listed_nanos,
    usage: row.state === "settled" ? usageOf(row) : null,
    durationMs: row.duration_ms,
    failure: row.failure,
    retryOf: row.retry_of,
  };
}

function usageOf(row: CallRow): Usage {
  return {
    freshInput: row.fresh_input,
    cacheRead: row.cache_read,
    cacheWrite: row.cache_write,
    output: row.output,
    reasoning: row.reasoning,
    source: row.usage_source,
  };
}
