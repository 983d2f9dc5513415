import { sandboxText } from "../core/confinement.ts";
import type { Base, EventOf, StoredEvent } from "../core/event.ts";
import { formatUsd } from "../core/money.ts";
import { type Run, totalSpend } from "../core/run.ts";
import { stepEntries } from "../core/step-table.ts";
import { plural } from "../core/words.ts";
import { formatBudget, formatCostOf, formatTimeOf } from "./format.ts";
import { type Line, type LineContext, line, namesOf, quoted } from "./line.ts";
import { policyText } from "./policy-lines.ts";
import { isScripted, modelName } from "./step-label.ts";

type RunEvent = StoredEvent &
  EventOf<
    | "run.created"
    | "run.resumed"
    | "run.ended"
    | "run.applied"
    | "run.discarded"
    | "run.imported"
    | "run.rewound"
    | "pipeline.changed"
    | "route.changed"
  >;

/** Lines about the run as a whole. */
export function runLine(event: RunEvent, run: Run, context: LineContext): Line {
  switch (event.type) {
    case "run.created":
      return line("title", createdText(event, context));
    case "run.resumed":
      return line("title", resumedText(event, run));
    case "run.ended":
      return endedLine(event, run);
    case "run.applied":
      return line("good", `✓ ${run.rid} applied to the working tree`);
    case "run.discarded":
      return line("note", `${run.rid} discarded`);
    case "run.imported":
      return line(
        "note",
        `${run.rid} imported into ${quoted(event.repository, 300)}; it gets a worktree when it goes on`,
      );
    case "run.rewound":
      return line("note", rewoundText(event, run));
    case "pipeline.changed":
      return line("note", pipelineText(event));
    case "route.changed":
      return line("note", `${event.role} now asks ${namesOf(event.models.map(modelName), "model")}`);
  }
}

function createdText(event: RunEvent & EventOf<"run.created">, context: LineContext): string {
  const scripted = context.steps.some((step) => step.models.some(isScripted));
  return [
    `${event.rid}  ${event.pipelineName}: ${quoted(event.title, 72)}`,
    `budget ${formatBudget(event.budgets.run)}`,
    baseText(event.base),
    event.parent === null ? null : `after ${event.parent}`,
    scripted ? "SCRIPTED model: its answers are read from a file, no model is asked" : null,
    sandboxText(event.sandbox.asked, event.sandbox.active),
    policyText(event.policy),
  ]
    .filter((part) => part !== null)
    .join("  ");
}

function baseText(base: Base): string {
  const dirty = base.dirty ? ", uncommitted work included" : "";
  return `base ${base.commit.slice(0, 7)} (${base.branch ?? "detached"}${dirty})`;
}

function resumedText({ sandbox }: EventOf<"run.resumed">, run: Run): string {
  const policy = policyText(run.policy);
  const done = stepEntries(run.steps).filter(([, step]) => step.status === "succeeded").length;
  const spend = totalSpend(run);
  const kept = `${plural(done, "step")} done, ${formatUsd(spend.settledNanos)} not spent again`;
  const held =
    sandbox === undefined ? "" : `  from here on: ${sandboxText(run.created?.sandbox.asked ?? "auto", sandbox)}`;
  return `${run.rid} resumed: ${kept}  budget ${formatBudget(run.budgets.run)}${held}${policy === null ? "" : `  ${policy}`}`;
}

const ENDS: Readonly<Record<EventOf<"run.ended">["status"], string>> = {
  succeeded: "✓ succeeded",
  failed: "✗ failed",
  paused: "‖ paused",
  budget_reached: "‖ stopped at its budget",
  provider_down: "‖ stopped, no provider answers",
  blocked: "‖ waits for a person",
};

/** How a run stands, in words; the glyph first. */
export function endWords(status: EventOf<"run.ended">["status"]): string {
  return ENDS[status];
}

function endedLine(event: EventOf<"run.ended">, run: Run): Line {
  const [glyph, ...words] = endWords(event.status).split(" ");
  const kind = event.status === "succeeded" ? "good" : event.status === "failed" ? "bad" : "warning";
  const cost = formatCostOf(totalSpend(run).settledNanos, run.budgets.run);
  const time = formatTimeOf(run.activeMs, run.budgets.run);
  const reason = event.reason === null ? "" : `  ${quoted(event.reason, 400)}`;
  return line(kind, `${glyph} ${run.rid} ${words.join(" ")}  ${cost}  ${time}${reason}`);
}

/** Without a step to do again it is a run that begins with the files of another, or one that is rid of a step. */
function rewoundText({ to, steps }: EventOf<"run.rewound">, run: Run): string {
  if (steps.length > 0) return `↩ ${run.rid} rewound to ${to}, to be done again: ${namesOf(steps, "step")}`;
  return to === "" ? `↩ ${run.rid} goes on from other files` : `↩ ${run.rid} goes on at ${to}`;
}

function pipelineText({ pipeline, pipelineName }: EventOf<"pipeline.changed">): string {
  return `the pipeline is an edited one from here on: ${quoted(pipelineName, 72)} (${pipeline.sha256.slice(0, 7)})`;
}
