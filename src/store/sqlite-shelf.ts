import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import type Database from "better-sqlite3";
import { CcpError, EXIT, messageOf } from "../core/errors.ts";
import type { LaneAccount } from "../core/lane-account.ts";
import type { LaneHealth } from "../core/lane-health.ts";
import type { Peers } from "../core/ports.ts";
import { laneHealthOn, memoryShelf, type Place, type Shelf } from "./lane-health.ts";
import { LANE_HEALTH } from "./lane-health-migrations.ts";
import { openUnflushed } from "./open-database.ts";
import { openReadOnly } from "./read-only.ts";
import { Statements } from "./statements.ts";

/** How an account is written; one that a later ccp has written is not read. */
const VERSION = 1;
/** Accounts that nobody has touched for so long are of keys and endpoints that are gone. */
const FORGOTTEN_MS = 30 * 86_400_000;

/**
 * The health of the user's lanes, in a file for all processes of the machine. It is not flushed at commits: what a power
 * cut takes of it is learned again. A file that cannot be used is not; `trouble` says so.
 */
export function openLaneHealth(path: string, peers: Pick<Peers, "self" | "hasEnded">): LaneHealth {
  return laneHealthOn(() => sqliteShelf(path), peers);
}

/** The same for this process alone. */
export function memoryLaneHealth(): LaneHealth {
  return laneHealthOn(memoryShelf, ALONE);
}

const ALONE = { self: { pid: 0, host: "", startedAt: null }, hasEnded: () => false };

/** Only to look: nothing is written, whatever is asked of it. */
export function lookIntoLaneHealth(path: string, peers: Pick<Peers, "self" | "hasEnded">): LaneHealth {
  return laneHealthOn(() => sqliteShelf(path, (file) => openReadOnly(file, LANE_HEALTH)), peers);
}

function sqliteShelf(path: string, open: (path: string) => Database.Database = opened): Shelf {
  const database = open(path);
  const statements = new Statements(database);
  const explained = <T>(work: () => T): T => {
    try {
      return work();
    } catch (cause) {
      throw unusable(path, cause);
    }
  };
  return {
    write: (work) => explained(() => statements.write(work)),
    read({ lane, key }) {
      const row = statements.get<{ body: string }>(READ, lane, key);
      return row === undefined ? null : parsed(row.body);
    },
    keep({ lane, key }, account) {
      const body = JSON.stringify({ v: VERSION, ...account });
      const { changes } = statements.run(KEEP, body, account.at, lane, key);
      if (changes > 0) return;
      statements.run(FORGET, account.at - FORGOTTEN_MS);
      statements.run(ADD, lane, key, account.at, body);
    },
    list: () =>
      explained(() =>
        statements.all<Row>(LIST).flatMap(({ lane, credential, body }) => {
          const account = parsed(body);
          return account === null ? [] : [{ lane, key: credential, account }];
        }),
      ),
    close: () => void database.close(),
  };
}

interface Row {
  readonly lane: Place["lane"];
  readonly credential: string;
  readonly body: string;
}

const READ = "SELECT body FROM account WHERE lane = ? AND credential = ?";
const KEEP = "UPDATE account SET body = ?, touched_at = ? WHERE lane = ? AND credential = ?";
const ADD = "INSERT INTO account (lane, credential, touched_at, body) VALUES (?, ?, ?, ?)";
const FORGET = "DELETE FROM account WHERE touched_at < ?";
const LIST = "SELECT lane, credential, body FROM account ORDER BY lane, credential";

function opened(path: string): Database.Database {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    return openUnflushed(path, LANE_HEALTH);
  } catch (cause) {
    throw unusable(path, cause);
  }
}

/** Null: not as this version writes it. */
function parsed(body: string): LaneAccount | null {
  const { v, ...account }: LaneAccount & { readonly v: number } = JSON.parse(body);
  return v === VERSION ? account : null;
}

function unusable(path: string, cause: unknown): CcpError {
  return new CcpError(
    "no_health",
    EXIT.disk,
    `${path} cannot be used (${messageOf(cause)}): how providers are is known to this process alone. Nothing is lost with that file: remove it, or make it writable`,
    { cause },
  );
}
