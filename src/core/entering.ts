import type { Admission } from "./lane-health.ts";
import { localTime } from "./local-time.ts";
import { formatModelRef, type ModelRef } from "./model.ts";

/** A model that may not be asked now, and why. */
export interface TurnedAway {
  readonly model: ModelRef;
  readonly admission: Exclude<Admission, { readonly type: "go" }>;
}

/** What to do where a model may not be asked now. */
export type Patience =
  | { readonly type: "wait"; readonly waitMs: number; readonly reason: string }
  /** Others may be asked sooner. */
  | { readonly type: "pass-over" };

/** The same where none may be. */
export type Standoff =
  | { readonly type: "wait"; readonly waitMs: number; readonly reason: string }
  | { readonly type: "stop"; readonly why: "unavailable" | "credentials" | "window"; readonly reason: string };

/** Who has to wait longer for one model asks another: a limit of a minute, counted by the second, is over by then. */
const LONGEST_WAIT_MS = 61_000;
/** Nobody tells when a call that is under way ends. */
const LOOK_AGAIN_MS = 1_000;

/** A limit that is over soon is waited for, and nobody else is asked; a lane that is not well is passed over. */
export function patienceWith({ model, admission }: TurnedAway, waitedMs: number, now: number): Patience {
  if (admission.type !== "wait" || admission.isProbed) return { type: "pass-over" };
  const waitMs = admission.untilAt === null ? LOOK_AGAIN_MS : admission.untilAt - now;
  if (waitedMs + waitMs > LONGEST_WAIT_MS) return { type: "pass-over" };
  return { type: "wait", waitMs: Math.max(0, waitMs), reason: reasonOf(model, admission.reason) };
}

/**
 * Nobody may be asked now: the soonest is waited for, if it is soon; else it is said when that is. What is under way on
 * this machine ends, however long it takes.
 */
export function standoff(all: readonly TurnedAway[], now: number): Standoff {
  const known = all.flatMap(({ model, admission }) => (admission.type === "none" ? [] : [{ model, admission }]));
  const [first] = known.toSorted((a, b) => (a.admission.untilAt ?? now) - (b.admission.untilAt ?? now));
  if (!first) return { type: "stop", why: "unavailable", reason: "none of its keys may be used" };
  const { untilAt, reason } = first.admission;
  const waitMs = untilAt === null ? LOOK_AGAIN_MS : Math.max(0, untilAt - now);
  if (untilAt === null || waitMs <= LONGEST_WAIT_MS) {
    return { type: "wait", waitMs, reason: reasonOf(first.model, reason) };
  }
  const isQuota = known.every(({ admission }) => admission.type === "spent");
  const isKeys = known.every(({ admission }) => admission.type === "rest" && admission.why === "auth");
  const each = known.map(({ model, admission }) => {
    return `${reasonOf(model, admission.reason)}, until ${localTime(admission.untilAt ?? now, now)}`;
  });
  return {
    type: "stop",
    why: isQuota ? "window" : isKeys ? "credentials" : "unavailable",
    reason: `nobody is asked now. ${each.join("; ")}`,
  };
}

function reasonOf(model: ModelRef, reason: string): string {
  return `${formatModelRef(model)}: ${reason}`;
}
