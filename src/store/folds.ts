import { deflateSync, inflateSync } from "node:zlib";
import { FOLD_VERSION } from "../core/fold-run.ts";
import type { Run } from "../core/run.ts";
import { LAST_SEQ } from "./event-log.ts";
import type { Statements } from "./statements.ts";

/** Runs as they were folded last: no part of the record, and of use only to a ccp that folds alike. */
export class Folds {
  readonly #statements: Statements;

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  /** Null: there is none that can be gone on from. */
  read(rid: string): Run | null {
    const row = this.#statements.get<{ body: Uint8Array }>(READ, rid, FOLD_VERSION);
    return row ? whole(row.body) : null;
  }

  /** Does nothing for a run that is not on record that far, nor where a later fold is kept. */
  keep(run: Run): void {
    // Much in it is alike: a tenth of it is left.
    const body = deflateSync(JSON.stringify(run), { level: 1 });
    this.#statements.run(KEEP, { rid: run.rid, seq: run.seq, version: FOLD_VERSION, body });
  }
}

/** It is no part of the record: one that was damaged (zlib's checksum tells) is folded again. */
function whole(body: Uint8Array): Run | null {
  try {
    return JSON.parse(inflateSync(body).toString()) as Run;
  } catch {
    return null;
  }
}

const READ = `SELECT body FROM fold WHERE rid = ? AND version = ?
  AND seq <= (SELECT ${LAST_SEQ} FROM run WHERE run.rid = fold.rid)`;

const KEEP = `INSERT INTO fold (rid, seq, version, body) SELECT @rid, @seq, @version, @body
  WHERE @seq <= (SELECT ${LAST_SEQ} FROM run WHERE rid = @rid)
  ON CONFLICT (rid) DO UPDATE SET seq = excluded.seq, version = excluded.version, body = excluded.body
  WHERE excluded.seq > fold.seq OR excluded.version <> fold.version`;
