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

/** Timers over one call. They never keep the process alive: the connection does that. */
export class StallWatch {
  readonly #limits: StallLimits;
  readonly #onStall: () => void;
  #first: NodeJS.Timeout | null = null;
  #idle: NodeJS.Timeout | null = null;
  #eventless: NodeJS.Timeout | null = null;
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

  sawEvent(): void {
    if (this.#first) this.#begin();
    this.#idle?.refresh();
    this.#eventless?.refresh();
  }

  stop(): void {
    for (const timer of [this.#first, this.#idle, this.#eventless]) if (timer) clearTimeout(timer);
    this.#first = this.#idle = this.#eventless = null;
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
      message: `the answer stopped arriving: only heartbeats came for ${seconds(eventlessMs)}`,
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
