/** So long nothing may happen, in milliseconds, before the order of things is given up, and before all is. */
export interface Patience {
  readonly orderMs: number;
  readonly allMs: number;
}

/** A file tool over a large tree, or a snapshot of one, takes less. */
export const USUAL_PATIENCE: Patience = { orderMs: 2_000, allMs: 60_000 };

/** Somebody who waits for all that comes before a place. */
export interface Waiter {
  readonly place: number;
  /** False: it waits for its place, however long that takes. */
  readonly mayOvertake: boolean;
  go(): void;
  give(up: Error): void;
}

/** Those who wait for their turn. Nobody waits for ever: where the order cannot be kept it is given up, and at last all is. */
export class Waiters {
  readonly #waiting = new Set<Waiter>();
  readonly #patience: Patience;
  readonly #onStuck: () => void;
  #timer: NodeJS.Timeout | undefined;

  /** `onStuck`: called when nothing has happened for so long that nothing will. */
  constructor(patience: Patience, onStuck: () => void) {
    this.#patience = patience;
    this.#onStuck = onStuck;
  }

  add(waiter: Waiter): void {
    this.#waiting.add(waiter);
  }

  /** False: it waits no more. */
  remove(waiter: Waiter): boolean {
    return this.#waiting.delete(waiter);
  }

  /** All before `place` is there. */
  letGo(place: number): void {
    for (const waiter of [...this.#waiting]) if (waiter.place <= place && this.remove(waiter)) waiter.go();
    this.#watch(this.#patience.orderMs);
  }

  sendAway(reason: Error): void {
    for (const waiter of [...this.#waiting]) if (this.remove(waiter)) waiter.give(reason);
    clearTimeout(this.#timer);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#waiting.clear();
  }

  #watch(ms: number): void {
    clearTimeout(this.#timer);
    if (this.#waiting.size > 0) this.#timer = setTimeout(() => this.#onIdle(ms), ms);
  }

  #onIdle(idleMs: number): void {
    const [first] = [...this.#waiting].filter((one) => one.mayOvertake).toSorted((a, b) => a.place - b.place);
    if (first) {
      this.remove(first);
      first.go();
      this.#watch(this.#patience.orderMs);
    } else if (idleMs < this.#patience.allMs) this.#watch(this.#patience.allMs);
    else this.#onStuck();
  }
}
