import type { Delta, EventOf, StoredEvent } from "../core/event.ts";
import type { ModelFailure } from "../core/model.ts";
import { formatUsd } from "../core/money.ts";
import { type Run, stepState, toolKey } from "../core/run.ts";
import { formatDuration, formatUsage } from "./format.ts";
import { type Line, type LineContext, line, quoted } from "./line.ts";
import { isScripted, modelName } from "./step-label.ts";

type Settled = EventOf<"call.settled">;

/** A call that was settled without an answer. */
export type FailedCall = Settled & { readonly result: { readonly type: "failed"; readonly failure: ModelFailure } };

/** True for a settlement that names a failure in the place of an answer. */
export function isFailedCall(event: StoredEvent): event is StoredEvent & FailedCall {
  return event.type === "call.settled" && event.result.type === "failed";
}

/** Lines about model calls: what they cost, why one failed, that one was lost. */
export function callLine(
  event: StoredEvent & EventOf<"call.reserved" | "call.settled" | "call.lost">,
  run: Run,
  context: LineContext,
): Line | null {
  switch (event.type) {
    case "call.reserved":
      return reservedLine(event, run, context);
    case "call.settled":
      return isFailedCall(event) ? failedLine(event) : answeredLine(event);
    case "call.lost":
      return line(
        "warning",
        `! ${event.stepId}  ${modelName(event.model)}: a call was sent and its outcome is unknown, charged in full: ${formatUsd(event.heldNanos)} (${quoted(event.reason, 160)})`,
      );
  }
}

/** A line only for what must not pass unseen: nobody is really asked, or the answer has less room than wanted. */
function reservedLine(event: EventOf<"call.reserved">, run: Run, context: LineContext): Line | null {
  const announced = context.steps.some((step) => step.models.includes(event.model));
  if (isScripted(event.model) && !announced && stepState(run, event.stepId).calls === 1)
    return line(
      "note",
      `  ${event.stepId}  ${modelName(event.model)}: its answers are read from a file, no model is asked`,
    );
  if (event.shrunk)
    return line("warning", `! ${event.stepId}  the budget leaves room for an answer of ${event.maxTokens} tokens only`);
  return null;
}

function answeredLine(event: Settled): Line {
  const cut = event.result.type === "answered" && event.result.stop === "length" ? ", cut at its limit" : "";
  return line(
    "detail",
    `  ${event.stepId}  ${modelName(event.model)}: ${formatUsage(event.usage)}${cut}  ${formatUsd(event.costNanos)}  ${formatDuration(event.durationMs)}`,
  );
}

function failedLine(event: FailedCall): Line {
  return line("warning", `! ${event.stepId}  ${failureText(event)}, ${lossText(event)}${messageText(event)}`);
}

/** A failed call that will be tried again: `↻ do  anthropic overloaded (529), retry in 24s, nothing lost`. */
export function retryLine(event: FailedCall, waitMs: number): Line {
  const wait = formatDuration(waitMs);
  return line(
    "warning",
    `↻ ${event.stepId}  ${failureText(event)}, retry in ${wait}, ${lossText(event)}${messageText(event)}`,
  );
}

/** A wait whose cause was not on record just before it. */
export function waitingLine(delta: Extract<Delta, { type: "delta.waiting" }>): Line {
  return line("warning", `↻ ${delta.stepId}  waits ${formatDuration(delta.waitMs)}: ${quoted(delta.reason, 160)}`);
}

function failureText(event: FailedCall): string {
  const { class: failure, httpStatus } = event.result.failure;
  return `${event.model.split("/")[0]} ${failure}${httpStatus === null ? "" : ` (${httpStatus})`}`;
}

function lossText(event: Settled): string {
  return event.costNanos > 0 ? `charged ${formatUsd(event.costNanos)}` : "nothing lost";
}

function messageText(event: FailedCall): string {
  const message = quoted(event.result.failure.message, 120);
  return message === "" ? "" : `: ${message}`;
}

/** One line a tool call, when it is over. */
export function toolLine(event: EventOf<"tool.started" | "tool.finished">, context: LineContext): Line | null {
  if (event.type === "tool.started") return null;
  const subject = quoted(context.progress.subjects[toolKey(event)] ?? "", 72);
  const call = subject === "" ? event.tool : `${event.tool} ${subject}`;
  const status = event.status === "ok" ? "" : `${event.status}, `;
  const kind = event.status === "denied" ? "warning" : "detail";
  const summary = event.summary === subject ? "" : quoted(event.summary);
  const result = `${status}${summary}`;
  return line(kind, `  ${event.stepId}  ${quoted(call, 90)}${result === "" ? "" : `: ${result}`}`);
}
