import type { Delta, StoredEvent } from "../core/event.ts";
import type { Run } from "../core/run.ts";
import { type FailedCall, isFailedCall, retryLine, waitingLine } from "./call-lines.ts";
import { type Line, line, quoted } from "./line.ts";
import { lineOf } from "./lines.ts";
import type { Past } from "./past.ts";
import { applyProgress, NO_PROGRESS, type Progress, progressOf } from "./progress.ts";
import type { StepLabel } from "./step-label.ts";

/**
 * Facts in, lines out. It keeps what the wording needs from earlier facts, and holds a failed call back until it is
 * known whether it will be tried again, so that the failure and the wait make one line.
 */
export class LineFeed {
  readonly #steps: readonly StepLabel[];
  #progress: Progress;
  #held: { readonly event: FailedCall; readonly run: Run; readonly line: Line | null } | null = null;

  /** `past`: what happened before, so that figures of a resumed step are whole. */
  constructor(steps: readonly StepLabel[], past?: Past) {
    this.#steps = steps;
    this.#progress = past ? progressOf(past) : NO_PROGRESS;
  }

  get progress(): Progress {
    return this.#progress;
  }

  event(event: StoredEvent, run: Run): readonly Line[] {
    const before = this.flush();
    const line = lineOf(event, run, { steps: this.#steps, progress: this.#progress });
    this.#progress = applyProgress(this.#progress, event);
    if (isFailedCall(event)) {
      this.#held = { event, run, line };
      return before;
    }
    return line === null ? before : [...before, line];
  }

  delta(delta: Delta): readonly Line[] {
    if (delta.type === "delta.notice") return [...this.flush(), line("warning", `! ${quoted(delta.text, 300)}`)];
    if (delta.type !== "delta.waiting") return [];
    const held = this.#held;
    if (held?.event.stepId !== delta.stepId) return [...this.flush(), waitingLine(delta)];
    this.#held = null;
    return [retryLine(held.event, held.run, delta.waitMs)];
  }

  /** What was held back. */
  flush(): readonly Line[] {
    const line = this.#held?.line ?? null;
    this.#held = null;
    return line === null ? [] : [line];
  }
}
