/** A provider that has stopped talking. `timeout`: it never began; `stalled`: it fell silent in the middle. */
export interface Stall {
  readonly class: "timeout" | "stalled";
  readonly message: string;
}

/** How much silence is too much. */
export interface StallLimits {
  /** Milliseconds to the first event of the answer. */
  readonly firstEventTimeoutMs: number;
  /** Milliseconds between bytes, once the answer has begun. */
  readonly idleTimeoutMs: number;
}

/**
 * Heartbeats keep a connection alive while a model writes a long tool call, but not for ever: streams that pinged for
 * an hour without an event are on record.
 */
const HEARTBEATS_STRETCH = 5;
/** How long a report may follow on a whole answer, in milliseconds. Some servers leave the connection open after it. */
const LONGEST_LINGER_MS = 5_000;

/** Timers over one call. They never keep the process alive: the connection does that. */
export class StallWatch {
  readonly #limits: StallLimits;
  readonly #onStall: () => void;
  #first: NodeJS.Timeout | null = null;
  #idle: NodeJS.Timeout | null = null;
  #eventless: NodeJS.Timeout | null = null;
  #linger: NodeJS.Timeout | null = null;
  #stall: Stall | null = null;

  constructor(limits: StallLimits, onStall: () => void) {
    this.#limits = limits;
    this.#onStall = onStall;
  }

  get stall(): Stall | null {
    return this.#stall;
  }

  start(): void {
    const { firstEventTimeoutMs } = this.#limits;
    this.#first = this.#after(firstEventTimeoutMs, {
      class: "timeout",
      message: `no answer had begun after ${seconds(firstEventTimeoutMs)}`,
    });
  }

  sawBytes(): void {
    this.#idle?.refresh();
  }

  /** Events without content are heartbeats as well, in another dress. */
  sawEvent(hasContent: boolean): void {
    if (this.#first) this.#begin();
    this.#idle?.refresh();
    if (hasContent) this.#eventless?.refresh();
  }

  /** The answer is whole: whoever still waits for its end waits a little only. */
  sawEnd(): void {
    if (this.#linger) return;
    this.stop();
    const ms = Math.min(LONGEST_LINGER_MS, this.#limits.idleTimeoutMs);
    this.#linger = this.#after(ms, { class: "stalled", message: `the connection stayed open after the answer` });
  }

  stop(): void {
    const timers = [this.#first, this.#idle, this.#eventless, this.#linger];
    for (const timer of timers) if (timer) clearTimeout(timer);
    this.#first = this.#idle = this.#eventless = this.#linger = null;
  }

  #begin(): void {
    this.stop();
    const { idleTimeoutMs } = this.#limits;
    const eventlessMs = idleTimeoutMs * HEARTBEATS_STRETCH;
    this.#idle = this.#after(idleTimeoutMs, {
      class: "stalled",
      message: `the answer stopped arriving: nothing came for ${seconds(idleTimeoutMs)}`,
    });
    this.#eventless = this.#after(eventlessMs, {
      class: "stalled",
      message: `the answer stopped arriving: nothing of it came for ${seconds(eventlessMs)}`,
    });
  }

  #after(ms: number, stall: Stall): NodeJS.Timeout {
    return setTimeout(() => {
      this.stop();
      this.#stall = stall;
      this.#onStall();
    }, ms).unref();
  }
}

function seconds(ms: number): string {
  return `${ms / 1000} s`;
}
