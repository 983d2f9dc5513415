import { createHash } from "node:crypto";
import type { Scope } from "../core/budget.ts";
import type { BlobRef, Event, StoredEvent } from "../core/event.ts";
import { applyEvent, foldRun } from "../core/fold-run.ts";
import type { Json } from "../core/json.ts";
import type { Chance, Store } from "../core/ports.ts";
import type { Run } from "../core/run.ts";

/** The one place where a run's facts are made: stored first, folded second, told third. */
export class RunLog {
  readonly rid: string;
  readonly #store: Store;
  readonly #chance: Chance;
  readonly #epoch: number;
  readonly #publish: (event: StoredEvent, run: Run) => void;
  readonly #events: StoredEvent[];
  readonly #waiting: (() => void)[] = [];
  #run: Run;

  constructor(
    rid: string,
    epoch: number,
    parts: {
      readonly store: Store;
      readonly chance: Chance;
      readonly publish: (event: StoredEvent, run: Run) => void;
    },
  ) {
    this.rid = rid;
    this.#epoch = epoch;
    this.#store = parts.store;
    this.#chance = parts.chance;
    this.#publish = parts.publish;
    this.#events = [...parts.store.events(rid)];
    this.#run = foldRun(rid, this.#events);
  }

  get run(): Run {
    return this.#run;
  }

  get events(): readonly StoredEvent[] {
    return this.#events;
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
      this.#events.push(event);
      this.#run = applyEvent(this.#run, event);
      this.#publish(event, this.#run);
    }
    this.wake();
    return null;
  }

  /** Lets everyone go on who waits for a change: none may come any more. */
  wake(): void {
    for (const go of this.#waiting.splice(0)) go();
  }

  /** Resolves once something more is on record, or `wake` is called. */
  changed(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  text(text: string): BlobRef {
    return this.#store.putBlob(new TextEncoder().encode(text));
  }

  json(value: Json): BlobRef {
    return this.text(JSON.stringify(value));
  }

  readText(ref: BlobRef): string {
    return new TextDecoder().decode(this.#store.blob(ref));
  }

  readJson<T>(ref: BlobRef): T {
    return JSON.parse(this.readText(ref)) as T;
  }
}

/** The reference that a payload would have, without keeping it. */
export function refOf(bytes: Uint8Array): BlobRef {
  return { sha256: createHash("sha256").update(bytes).digest("hex"), sizeBytes: bytes.length };
}
