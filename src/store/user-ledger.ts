import { existsSync } from "node:fs";
import { dirname } from "node:path";
import type Database from "better-sqlite3";
import {
  NOTHING_SPENT,
  type Spend,
  usedNanos,
  usedTokens,
  WINDOWS,
  type Window,
  type WindowCeilings,
  weekOf,
} from "../core/budget.ts";
import { type Calibration, UNCALIBRATED } from "../core/calibration.ts";
import { parseModelRef } from "../core/model.ts";
import type { FullWindow, UserHold, UserLedger } from "../core/store.ts";
import { makeDurableDirectory } from "./durable-directory.ts";
import { explained } from "./failures.ts";
import { openDatabase, openInMemory } from "./open-database.ts";
import { openReadOnly } from "./read-only.ts";
import { Statements } from "./statements.ts";
import { USER_LEDGER } from "./user-ledger-migrations.ts";

/**
 * Opens the ledger of a user, making it where there is none. Throws `CcpError` for a file that cannot be used:
 * `read_only`, `newer_journal`, `corrupt_journal`, … `narrowed`: a ceiling as others leave it, asked for each hold.
 */
export function openUserLedger(
  path: string,
  ceilings: UserLedger["ceilings"],
  narrowed: Narrowed = (_, own) => own,
): UserLedger {
  const database = explained(path, () => {
    makeDurableDirectory(dirname(path));
    return openDatabase(path, USER_LEDGER);
  });
  return new SqliteUserLedger(path, database, { ceilings, narrowed });
}

/** The same, only to be looked at: nothing is written, and one that is not there is empty. */
export function lookIntoUserLedger(
  path: string,
  ceilings: UserLedger["ceilings"],
  narrowed: Narrowed = (_, own) => own,
): UserLedger {
  const database = explained(path, () =>
    existsSync(path) ? openReadOnly(path, USER_LEDGER) : openInMemory(USER_LEDGER),
  );
  return new SqliteUserLedger(path, database, { ceilings, narrowed });
}

type Narrowed = (window: Window, own: Ceiling) => Ceiling;
type Ceiling = WindowCeilings[Window];

/** One row a call, and one a day with the sums. A hold that a crash has left stays until its run is driven again. */
class SqliteUserLedger implements UserLedger {
  readonly #ceilings: UserLedger["ceilings"];
  readonly #narrowed: Narrowed;
  readonly #path: string;
  readonly #database: Database.Database;
  readonly #statements: Statements;

  constructor(
    path: string,
    database: Database.Database,
    { ceilings, narrowed }: { readonly ceilings: UserLedger["ceilings"]; readonly narrowed: Narrowed },
  ) {
    this.#ceilings = ceilings;
    this.#narrowed = narrowed;
    this.#path = path;
    this.#database = database;
    this.#statements = new Statements(database);
  }

  get ceilings(): UserLedger["ceilings"] {
    const now = WINDOWS.flatMap((window) => {
      const ceiling = this.#narrowed(window, this.#ceilings[window]);
      return ceiling === undefined ? [] : [[window, ceiling] as const];
    });
    return Object.fromEntries(now);
  }

  hold(hold: UserHold): ReturnType<UserLedger["hold"]> {
    return this.#write(() => {
      if (this.#statements.get("SELECT 1 FROM call WHERE call_id = ?", hold.callId)) return { type: "held" };
      const full = this.#full(hold, this.ceilings) ?? this.#full(hold, hold.quota ?? {}, accountOf(hold));
      if (full !== null) return full;
      this.#statements.run(HOLD, { ...hold, account: hold.account ?? null });
      this.#book(hold, { heldNanos: hold.heldNanos, heldTokens: hold.heldTokens });
      return { type: "held" };
    });
  }

  settle(callId: string, costNanos: number, tokens: number): void {
    this.#write(() => {
      const held = this.#held(callId);
      if (!held) return;
      this.#statements.run(SETTLE, costNanos, tokens, callId);
      const settled = { settledNanos: costNanos, settledTokens: tokens };
      this.#book(held, { ...settled, heldNanos: -held.nanos, heldTokens: -held.tokens });
    });
  }

  release(callId: string): void {
    this.#write(() => {
      const held = this.#held(callId);
      if (!held) return;
      this.#statements.run("DELETE FROM call WHERE call_id = ?", callId);
      this.#book(held, { heldNanos: -held.nanos, heldTokens: -held.tokens });
    });
  }

  open(rid: string): readonly string[] {
    return explained(this.#path, () =>
      this.#statements.all<{ call_id: string }>(OPEN, rid).map(({ call_id }) => call_id),
    );
  }

  spend(window: Window, day: string, provider?: string): Spend {
    return explained(this.#path, () => this.#spend(window, day, provider));
  }

  calibration(model: string): Calibration {
    const known = explained(this.#path, () => this.#statements.get<Calibration>(CALIBRATION, model));
    return known ?? UNCALIBRATED;
  }

  keepCalibration(model: string, calibration: Calibration): void {
    this.#write(() => this.#statements.run(KEEP_CALIBRATION, { model, ...calibration }));
  }

  close(): void {
    this.#database.close();
  }

  #held(callId: string): Held | undefined {
    return this.#statements.get<Held>("SELECT * FROM call WHERE call_id = ? AND state = 'held'", callId);
  }

  #full(hold: UserHold, ceilings: WindowCeilings, provider?: string): FullWindow | null {
    const window = WINDOWS.find((one) => {
      const ceiling = ceilings[one];
      return ceiling !== undefined && !fits(hold, ceiling, this.#spend(one, hold.day, provider));
    });
    return window === undefined ? null : { type: "over", window, isQuota: provider !== undefined };
  }

  #spend(window: Window, day: string, provider?: string): Spend {
    const [first, more] = window === "day" ? [day, 0] : [weekOf(day), DAYS_AFTER_MONDAY];
    const span = { first, more: `+${more} days` };
    const sums =
      provider === undefined
        ? this.#statements.get<Spend>(SPEND, span)
        : this.#statements.get<Spend>(PROVIDER_SPEND, { ...span, provider });
    return sums ?? NOTHING_SPENT;
  }

  #book(held: Pick<Held, "day" | "model" | "account">, change: Partial<Spend>): void {
    const { day } = held;
    const row = { day, provider: accountOf(held), ...NOTHING_SPENT, ...change };
    this.#statements.run("INSERT INTO day (day) VALUES (?) ON CONFLICT DO NOTHING", day);
    this.#statements.run(BOOK, row);
    this.#statements.run(
      "INSERT INTO provider_day (provider, day) VALUES (?, ?) ON CONFLICT DO NOTHING",
      row.provider,
      day,
    );
    this.#statements.run(BOOK_PROVIDER, row);
  }

  #write<T>(work: () => T): T {
    return explained(this.#path, () => this.#statements.write(work));
  }
}

const DAYS_AFTER_MONDAY = 6;

const HOLD = `INSERT INTO call (call_id, rid, repository, model, account, day, state, nanos, tokens)
  VALUES (@callId, @rid, @repository, @model, @account, @day, 'held', @heldNanos, @heldTokens)`;

const SETTLE = "UPDATE call SET state = 'settled', nanos = ?, tokens = ? WHERE call_id = ?";

const OPEN = "SELECT call_id FROM call WHERE rid = ? AND state = 'held' ORDER BY call_id";

const SUMS = `SELECT coalesce(sum(settled_nanos), 0) AS settledNanos, coalesce(sum(held_nanos), 0) AS heldNanos,
    coalesce(sum(settled_tokens), 0) AS settledTokens, coalesce(sum(held_tokens), 0) AS heldTokens`;

const SPEND = `${SUMS} FROM day WHERE day BETWEEN @first AND date(@first, @more)`;

const PROVIDER_SPEND = `${SUMS} FROM provider_day
  WHERE provider = @provider AND day BETWEEN @first AND date(@first, @more)`;

const ADD = `SET settled_nanos = settled_nanos + @settledNanos, held_nanos = held_nanos + @heldNanos,
  settled_tokens = settled_tokens + @settledTokens, held_tokens = held_tokens + @heldTokens`;

const BOOK = `UPDATE day ${ADD} WHERE day = @day`;

const BOOK_PROVIDER = `UPDATE provider_day ${ADD} WHERE provider = @provider AND day = @day`;

const CALIBRATION = "SELECT samples, largest, before FROM calibration WHERE model = ?";

const KEEP_CALIBRATION = `INSERT INTO calibration (model, samples, largest, before)
  VALUES (@model, @samples, @largest, @before) ON CONFLICT (model) DO UPDATE
  SET samples = excluded.samples, largest = excluded.largest, before = excluded.before`;

interface Held {
  readonly model: string;
  readonly account?: string | null;
  readonly day: string;
  readonly nanos: number;
  readonly tokens: number;
}

/** The provider that a call is booked on. */
function accountOf({ account, model }: Pick<Held, "account" | "model">): string {
  return account ?? parseModelRef(model)?.provider ?? model;
}

function fits(hold: UserHold, ceilings: NonNullable<Ceiling>, spend: Spend): boolean {
  const { maxCostNanos = Number.POSITIVE_INFINITY, maxTokens = Number.POSITIVE_INFINITY } = ceilings;
  return usedNanos(spend) + hold.heldNanos <= maxCostNanos && usedTokens(spend) + hold.heldTokens <= maxTokens;
}
