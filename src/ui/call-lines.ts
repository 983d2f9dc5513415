import type { BlobRef, Delta, EventOf, StoredEvent } from "../core/event.ts";
import { formatUsd } from "../core/money.ts";
import { type Run, stepState } from "../core/run.ts";
import { driftText, isDrift } from "./drift.ts";
import { formatBytes, formatCount, formatDuration, formatUsage } from "./format.ts";
import { type Line, type LineContext, line, quoted } from "./line.ts";
import { stepProgress } from "./progress.ts";
import { isScripted, modelName } from "./step-label.ts";

type Settled = EventOf<"call.settled">;

/** A call that was settled without an answer. */
export type FailedCall = Settled & { readonly result: Extract<Settled["result"], { readonly type: "failed" }> };

/** True for a settlement that names a failure in the place of an answer. */
export function isFailedCall(event: StoredEvent): event is StoredEvent & FailedCall {
  return event.type === "call.settled" && event.result.type === "failed";
}

/** Lines about model calls: what they cost, why one failed, that one was lost or asks again. */
export function callLine(
  event: StoredEvent & EventOf<"call.reserved" | "call.settled" | "call.lost">,
  run: Run,
  context: LineContext,
): Line | null {
  switch (event.type) {
    case "call.reserved":
      return reservedLine(event, run, context);
    case "call.settled":
      return isFailedCall(event) ? failedLine(event, run) : answeredLine(event, context);
    case "call.lost":
      return line("warning", `! ${event.stepId}  ${modelName(event.model)}: ${lostText(event, run)}`);
  }
}

/** A failed call that will be tried again: `↻ do  anthropic overloaded (529), retry in 24s, nothing lost`. */
export function retryLine(event: FailedCall, run: Run, waitMs: number): Line {
  const wait = formatDuration(waitMs);
  return line("warning", `↻ ${event.stepId}  ${failureText(event)}, retry in ${wait}, ${chargeText(event, run)}`);
}

/** A wait whose cause was not on record just before it. */
export function waitingLine(delta: Extract<Delta, { type: "delta.waiting" }>): Line {
  return line("warning", `↻ ${delta.stepId}  waits ${formatDuration(delta.waitMs)}: ${quoted(delta.reason, 160)}`);
}

/** `1.2 kB of its text is kept: ccp view r-abc123 --step build`, with a semicolon before it; empty where nothing had arrived. */
export function keptText(partial: BlobRef | null, rid: string, stepId: string): string {
  return partial ? `; ${formatBytes(partial.sizeBytes)} of its text is kept: ccp view ${rid} --step ${stepId}` : "";
}

/**
 * A line only for what must not pass unseen: nobody is really asked, a lost call is asked again, another model is asked
 * in the middle of a conversation, an answer has less room.
 */
function reservedLine(event: EventOf<"call.reserved">, run: Run, context: LineContext): Line | null {
  const again = event.retryOf ? `asks again what was lost as call ${quoted(event.retryOf, 80)}` : null;
  const limited = event.shrunk
    ? `answer limited to ${formatCount(event.maxTokens)} tokens: that is what the budget holds`
    : null;
  const instead = insteadOf(event, context);
  const scripted = isNewlyScripted(event, run, context) ? "its answers are read from a file, no model is asked" : null;
  const remarks = [again, instead, scripted, limited].filter((remark) => remark !== null);
  if (remarks.length === 0) return null;
  const glyph = again !== null || instead !== null ? "↻" : limited !== null ? "!" : " ";
  const isNamed = [again, instead, scripted].some((remark) => remark !== null);
  const model = isNamed ? `${modelName(event.model)}: ` : "";
  return line(glyph === " " ? "note" : "warning", `${glyph} ${event.stepId}  ${model}${remarks.join("; ")}`);
}

/** `is asked now, in the place of zai/glm-5`; null: the same as before is asked, or nobody was before. */
function insteadOf({ stepId, model }: EventOf<"call.reserved">, { progress }: LineContext): string | null {
  const { asked } = stepProgress(progress, stepId);
  return asked === null || asked === model ? null : `is asked now, in the place of ${modelName(asked)}`;
}

function isNewlyScripted(event: EventOf<"call.reserved">, run: Run, context: LineContext): boolean {
  const isAnnounced = context.steps.some((step) => step.models.includes(event.model));
  return isScripted(event.model) && !isAnnounced && stepState(run, event.stepId).calls === 1;
}

function answeredLine(event: Settled, context: LineContext): Line {
  const { result, stepId, usage, costNanos, durationMs } = event;
  const isCut = result.type === "answered" && result.cut;
  const limit = result.type === "answered" && result.stop === "length" && !isCut ? ", cut at its limit" : "";
  const figures = `${formatUsage(usage)}${limit}  ${formatUsd(costNanos)}  ${formatDuration(durationMs)}`;
  const text = `${stepId}  ${modelName(event.model)}: ${figures}${driftOf(event)}`;
  if (isCut) return line("warning", `! ${text}  ${cutText(context.progress.askedTokens[event.callId])}`);
  // Not a detail, which may lose its end on a narrow terminal.
  return line(driftOf(event) === "" ? "detail" : "note", `  ${text}`);
}

/** `asked`: undefined where the call was reserved before the events that are known here. */
function cutText(asked: number | undefined): string {
  return asked === undefined
    ? "cut: the provider sent more tokens than it was asked for"
    : `cut: the provider sent more than the ${formatCount(asked)} tokens it was asked for`;
}

function driftOf({ costNanos, listedNanos }: Settled): string {
  if (typeof listedNanos !== "number" || !isDrift(costNanos, listedNanos)) return "";
  return `  ${driftText("the provider", costNanos, listedNanos)}`;
}

/** What is not known of a call that was charged in full. */
export function lostWords(call: { readonly brokeOff?: boolean | undefined } | null): string {
  return call?.brokeOff ? "an answer broke off and its price is" : "a call was sent and its outcome is";
}

function lostText(event: EventOf<"call.lost">, run: Run): string {
  const kept = keptText(event.partial, run.rid, event.stepId);
  return `${lostWords(event.failure)} unknown, charged in full: ${formatUsd(event.heldNanos)} (${quoted(event.reason, 160)})${kept}`;
}

function failedLine(event: FailedCall, run: Run): Line {
  return line("warning", `! ${event.stepId}  ${failureText(event)}, ${chargeText(event, run)}`);
}

function failureText(event: FailedCall): string {
  const { class: failure, httpStatus, brokeOff } = event.result.failure;
  const where = brokeOff ? ", its answer broke off" : "";
  return `${event.model.split("/")[0]} ${failure}${httpStatus === null ? "" : ` (${httpStatus})`}${where}`;
}

function chargeText(event: FailedCall, run: Run): string {
  const charge = event.costNanos > 0 ? `charged ${formatUsd(event.costNanos)}` : "nothing lost";
  const message = quoted(event.result.failure.message, 120);
  const kept = keptText(event.result.partial, run.rid, event.stepId);
  return `${charge}${message === "" ? "" : `: ${message}`}${kept}${driftOf(event)}`;
}
