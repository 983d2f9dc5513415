import { join } from "node:path";
import Database from "better-sqlite3";
import { SqliteStore } from "../../src/store/sqlite-store.ts";
import { runCreated } from "../support/events.ts";
import { type Fact, startFact, turnFacts } from "./agent-work.ts";
import { inFolder } from "./folder.ts";
import { EMPTY_TREE } from "./idle-parts.ts";
import { mean, median } from "./median.ts";
import { aim, ms, row, times } from "./rows.ts";

const ROUNDS = 9;
/** Enough for the log to be written back into the database at least once in each round, on both sides. */
const TURNS = 100;
const RID = "r-bench1";
const TYPES = ["step.started", "call.reserved", "call.settled", "tool.started", "tool.finished"] as const;
const ALL = "all";

/** Milliseconds to keep and flush one event of a kind, as the store does it and as a bare insert of as many bytes. */
export type JournalFigures = Readonly<
  Record<(typeof TYPES)[number] | typeof ALL, { readonly storeMs: number; readonly bareMs: number }>
>;

/** Each event is appended to a journal and, right after it, inserted bare: what else the disk does falls on both alike. */
export function measureJournal(): Promise<JournalFigures> {
  return inFolder((folder) => {
    const store = new SqliteStore(join(folder, "state"));
    store.create(RID, [runCreated(RID)], Date.now());
    const bare = openBare(join(folder, "bare.db"));
    const rounds = Array.from({ length: ROUNDS + 1 }, (_, round) => measureRound(store, bare, round * TURNS));
    store.close();
    bare.close();
    // The first is warm-up.
    return mediansOf(rounds.slice(1));
  });
}

/** The report's lines. */
export function journalLines(figures: JournalFigures): readonly string[] {
  const { storeMs, bareMs } = figures.all;
  const beside = (ratio: string) => `${ratio} a bare insert`;
  return [
    `an event on record, median of ${ROUNDS}, beside a bare insert of as many bytes (WAL, FULL)`,
    row(ALL, ms(storeMs), `${beside(times(storeMs, bareMs))} (${aim("1.5x at most", storeMs <= 1.5 * bareMs)})`),
    ...TYPES.map((type) => {
      const figure = figures[type];
      return row(type, ms(figure.storeMs), beside(times(figure.storeMs, figure.bareMs)));
    }),
  ];
}

interface Sample {
  readonly type: string;
  readonly storeMs: number;
  readonly bareMs: number;
}

interface Bare {
  readonly insert: (fact: Fact) => void;
  readonly close: () => void;
}

/** A table as plain as can be, in the journal's own durability, a transaction an insert. */
function openBare(path: string): Bare {
  const database = new Database(path);
  database.pragma("journal_mode = WAL");
  database.pragma("synchronous = FULL");
  database.exec("CREATE TABLE event (body TEXT NOT NULL, payload BLOB) STRICT");
  const insert = database.prepare("INSERT INTO event (body, payload) VALUES (?, ?)");
  return {
    insert: ({ event, payload }) => void insert.run(JSON.stringify(event), payload),
    close: () => void database.close(),
  };
}

function measureRound(store: SqliteStore, bare: Bare, done: number): readonly Sample[] {
  return Array.from({ length: TURNS }, (_, index) => factsOf(done + index + 1)).flatMap((facts) =>
    facts.map((fact) => ({
      type: fact.event.type,
      storeMs: timed(() => append(store, fact)),
      bareMs: timed(() => bare.insert(fact)),
    })),
  );
}

function factsOf(turn: number): readonly Fact[] {
  const at = { rid: RID, stepId: "build", conversation: turn, turn, tree: EMPTY_TREE };
  return [startFact(at), ...turnFacts(at)];
}

function append(store: SqliteStore, { event, payload }: Fact): void {
  if (payload) store.putBlob(payload);
  store.append(RID, 1, [event], Date.now());
}

function timed(work: () => void): number {
  const startedAt = performance.now();
  work();
  return performance.now() - startedAt;
}

function mediansOf(rounds: readonly (readonly Sample[])[]): JournalFigures {
  const entries = [...TYPES, ALL].map((type) => {
    const of = (key: "storeMs" | "bareMs") =>
      median(
        rounds.map((round) => mean(round.filter((sample) => type === ALL || sample.type === type).map((s) => s[key]))),
      );
    return [type, { storeMs: of("storeMs"), bareMs: of("bareMs") }] as const;
  });
  return Object.fromEntries(entries) as JournalFigures;
}
