import type { StopWhy } from "../core/ports.ts";
import type { Control } from "./deps.ts";

/** Why this drive is to end before its run does; the first reason stays. */
export class Halt {
  readonly #control: Control;
  readonly #abort = new AbortController();
  #why: { readonly why: StopWhy; readonly reason: string } | null = null;
  #timer: NodeJS.Timeout | null = null;

  /** `timeLeftMs`: when it has passed, whatever is under way is stopped; null: no ceiling. */
  constructor(control: Control, timeLeftMs: number | null) {
    this.#control = control;
    if (control.signal.aborted) this.#onAbort();
    control.signal.addEventListener("abort", this.#onAbort, { once: true });
    if (timeLeftMs !== null) {
      this.#timer = setTimeout(() => this.#outOfTime(), Math.min(Math.max(0, timeLeftMs), 2 ** 31 - 1));
      this.#timer.unref();
    }
  }

  /** Aborted: what is under way must stop now. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Null: go on. */
  get reason(): { readonly why: StopWhy; readonly reason: string } | null {
    if (this.#why) return this.#why;
    return this.#control.pauseRequested() ? { why: "paused", reason: "paused on request" } : null;
  }

  /** Ends the drive at the next boundary of everything that is under way. */
  request(why: StopWhy, reason: string): void {
    this.#why ??= { why, reason };
  }

  [Symbol.dispose](): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#control.signal.removeEventListener("abort", this.#onAbort);
  }

  readonly #onAbort = (): void => {
    this.request("aborted", "stopped on request");
    this.#abort.abort();
  };

  #outOfTime(): void {
    this.request("time", "the run's time is used up");
    this.#abort.abort();
  }
}
