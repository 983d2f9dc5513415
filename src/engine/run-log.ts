import { hash } from "node:crypto";
import type { Scope } from "../core/budget.ts";
import type { BlobRef, Event, StoredEvent } from "../core/event.ts";
import { applyEvent } from "../core/fold-run.ts";
import type { Json } from "../core/json.ts";
import type { Chance } from "../core/ports.ts";
import { readRun } from "../core/read-run.ts";
import type { Run } from "../core/run.ts";
import type { Store } from "../core/store.ts";

/** After so many events the fold is kept, so that whoever opens the run need not read all of them. */
const EVENTS_PER_FOLD = 1_000;

/** What a log is opened on. */
export interface RunLogParts {
  readonly store: Store;
  readonly chance: Chance;
  readonly publish: (event: StoredEvent, run: Run) => void;
}

/** The one place where a run's facts are made: stored first, folded second, told third. */
export class RunLog {
  readonly rid: string;
  readonly #store: Store;
  readonly #chance: Chance;
  readonly #epoch: number;
  readonly #publish: (event: StoredEvent, run: Run) => void;
  readonly #waiting: (() => void)[] = [];
  /** What was recorded here, after `#openedAt`; what came before is read when it is asked for. */
  readonly #recent: StoredEvent[] = [];
  readonly #openedAt: number;
  #keptAt: number;
  #run: Run;

  constructor(rid: string, epoch: number, parts: RunLogParts) {
    this.rid = rid;
    this.#epoch = epoch;
    this.#store = parts.store;
    this.#chance = parts.chance;
    this.#publish = parts.publish;
    this.#run = readRun(rid, parts.store);
    this.#openedAt = this.#run.seq;
    this.#keptAt = this.#run.seq;
  }

  get run(): Run {
    return this.#run;
  }

  /** Events with a greater `seq`, in order. */
  eventsAfter(seq: number): readonly StoredEvent[] {
    return seq < this.#openedAt ? this.#store.events(this.rid, seq) : this.#recent.slice(seq - this.#openedAt);
  }

  /** Throws when a reservation among the events does not fit: only `reserve` may be refused. */
  record(...events: readonly Event[]): void {
    const scope = this.reserve(...events);
    if (scope !== null) throw new Error(`a fact was refused by the budget of ${scope}`);
  }

  /** Records a reservation, or nothing: then the scope that it does not fit is returned. */
  reserve(...events: readonly Event[]): Scope | null {
    const result = this.#store.append(this.rid, this.#epoch, events, this.#chance.now());
    if (result.type === "over-budget") return result.scope;
    for (const event of result.events) {
      this.#recent.push(event);
      this.#run = applyEvent(this.#run, event);
      this.#publish(event, this.#run);
    }
    if (this.#run.seq - this.#keptAt >= EVENTS_PER_FOLD) this.keepFolded();
    this.wake();
    return null;
  }

  /** The run as it will stand once these facts are on record, too. */
  foresee(...events: readonly Event[]): Run {
    const at = this.#chance.now();
    return events.reduce((run, event) => applyEvent(run, { ...event, seq: run.seq + 1, at }), this.#run);
  }

  /** Lets the next who opens the run go on from here. */
  keepFolded(): void {
    this.#store.keepFolded(this.#run);
    this.#keptAt = this.#run.seq;
  }

  /** Lets everyone go on who waits for a change: none may come any more. */
  wake(): void {
    for (const go of this.#waiting.splice(0)) go();
  }

  /** Resolves once something more is on record, or `wake` is called. */
  changed(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  bytes(bytes: Uint8Array): BlobRef {
    return this.#store.putBlob(bytes);
  }

  text(text: string): BlobRef {
    return this.bytes(new TextEncoder().encode(text));
  }

  json(value: Json): BlobRef {
    return this.text(JSON.stringify(value));
  }

  read(ref: BlobRef): Uint8Array {
    return this.#store.blob(ref);
  }

  readText(ref: BlobRef): string {
    return new TextDecoder().decode(this.read(ref));
  }

  readJson<T>(ref: BlobRef): T {
    return JSON.parse(this.readText(ref)) as T;
  }
}

/** sha256 (hex) of bytes, or of a text. */
export function sha256(content: string | Uint8Array): string {
  return hash("sha256", content, "hex");
}
