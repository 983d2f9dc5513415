import type { FailureClass } from "../core/failure.ts";

/** A row of the table: how one vendor says that a request failed in one way. */
export interface FailurePattern {
  readonly class: FailureClass;
  /** An error's `code` or `type`, exactly, where it says all there is to say. Counts more than any wording. */
  readonly codes?: readonly string[];
  /** The wording of an error. Counts more than a general type. */
  readonly message?: RegExp;
  /** A `type` or `code` under which errors of more than one class are sent: counts where nothing better is known. */
  readonly types?: readonly string[];
  /** What was really sent, or what the vendor documents: the row is for these. */
  readonly samples: readonly FailureSample[];
}

/** A response that was no answer. */
export interface FailureSample {
  readonly status: number;
  readonly body: string;
}
