import type { StopWhy } from "../core/ports.ts";
import type { Shortage } from "../core/shortage.ts";
import type { Control } from "./deps.ts";

/** Why a drive ends before its run does. */
export interface Standstill {
  readonly why: StopWhy;
  readonly reason: string;
  /** What there was no room for; null: nothing, or not known. */
  readonly shortage: Shortage | null;
}

/** Why this drive is to end before its run does; the first reason stays. */
export class Halt {
  readonly #control: Control;
  readonly #abort = new AbortController();
  #why: Standstill | null = null;
  readonly #alarm: AbortSignal | null;

  /** `alarm`: when it goes off, the run's time is used up and whatever is under way is stopped; null: no ceiling. */
  constructor(control: Control, alarm: AbortSignal | null) {
    this.#control = control;
    this.#alarm = alarm;
    if (control.signal.aborted) this.#onAbort();
    control.signal.addEventListener("abort", this.#onAbort, { once: true });
    if (alarm?.aborted) this.#outOfTime();
    alarm?.addEventListener("abort", this.#outOfTime, { once: true });
  }

  /** Aborted: what is under way must stop now. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Null: go on. */
  get reason(): Standstill | null {
    if (this.#why) return this.#why;
    return this.#control.pauseRequested() ? { why: "paused", reason: "paused on request", shortage: null } : null;
  }

  /** Ends the drive at the next boundary of everything that is under way. */
  request(why: StopWhy, reason: string, shortage: Shortage | null = null): void {
    this.#why ??= { why, reason, shortage };
  }

  [Symbol.dispose](): void {
    this.#alarm?.removeEventListener("abort", this.#outOfTime);
    this.#control.signal.removeEventListener("abort", this.#onAbort);
  }

  readonly #onAbort = (): void => {
    this.request("aborted", "stopped on request");
    this.#abort.abort();
  };

  readonly #outOfTime = (): void => {
    this.request("time", "the run's time is used up");
    this.#abort.abort();
  };
}
