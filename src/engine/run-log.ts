import { hash } from "node:crypto";
import type { Scope } from "../core/budget.ts";
import type { BlobRef, Event, StoredEvent } from "../core/event.ts";
import { applyEvent } from "../core/fold-run.ts";
import type { Json } from "../core/json.ts";
import type { Chance } from "../core/ports.ts";
import { readRun } from "../core/read-run.ts";
import { mapTexts, redact, redactJson, redactValues } from "../core/redact.ts";
import type { Run } from "../core/run.ts";
import type { Store } from "../core/store.ts";

/** After so many events the fold is kept, so that whoever opens the run need not read all of them. */
const EVENTS_PER_FOLD = 1_000;

/** What a log is opened on. */
export interface RunLogParts {
  readonly store: Store;
  readonly chance: Chance;
  readonly publish: (event: StoredEvent, run: Run) => void;
  /** Values that must not get on record; missing: none are known. */
  readonly secrets?: readonly string[];
}

/**
 * The one place where a run's facts are made: stored first, folded second, told third. So it is also the one where
 * secrets are replaced: prompts, documents and reports are made from what is on record.
 */
export class RunLog {
  readonly rid: string;
  readonly #store: Store;
  readonly #chance: Chance;
  readonly #epoch: number;
  readonly #publish: (event: StoredEvent, run: Run) => void;
  readonly #secrets: readonly string[];
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
    this.#secrets = parts.secrets ?? [];
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
    const clean = events.map((event) => withoutSecrets(event, this.#secrets));
    const result = this.#store.append(this.rid, this.#epoch, clean, this.#chance.now());
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

  /** As they are: what is the user's own, and must stay what it is. */
  bytes(bytes: Uint8Array): BlobRef {
    return this.#store.putBlob(bytes);
  }

  text(text: string): BlobRef {
    return this.bytes(new TextEncoder().encode(redact(text, this.#secrets)));
  }

  json(value: Json): BlobRef {
    return this.#exactly(redactJson(value, this.#secrets));
  }

  /** What a model has said: known secrets alone are replaced. What else looks like a key is of its own making, a fixture, say. */
  said(value: Json): BlobRef {
    return this.#exactly(mapTexts(value, (text) => redactValues(text, this.#secrets)));
  }

  #exactly(value: Json): BlobRef {
    return this.bytes(new TextEncoder().encode(JSON.stringify(value)));
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

/** The fields of a fact in which the world speaks. Paths, names and commands of the user's own stay what they are. */
function withoutSecrets(event: Event, secrets: readonly string[]): Event {
  const changed = TEXTS.flatMap((name): [string, string][] => {
    const text: unknown = Reflect.get(event, name);
    return typeof text === "string" ? [[name, redact(text, secrets)]] : [];
  });
  const clean = changed.length > 0 ? ({ ...event, ...Object.fromEntries(changed) } as Event) : event;
  if (clean.type !== "step.finished" || clean.outcome.status !== "failed") return clean;
  return { ...clean, outcome: { ...clean.outcome, reason: redact(clean.outcome.reason, secrets) } };
}

const TEXTS = ["subject", "summary", "reason"] as const;

/** sha256 (hex) of bytes, or of a text. */
export function sha256(content: string | Uint8Array): string {
  return hash("sha256", content, "hex");
}
