import type { EventOf, StoredEvent } from "../core/event.ts";
import { formatUsd } from "../core/money.ts";
import { type Run, stepState } from "../core/run.ts";
import type { StepState } from "../core/step-state.ts";
import { totalTokens } from "../core/usage.ts";
import { formatDuration, formatTokens, ordinal } from "./format.ts";
import { type Line, type LineContext, line, namesOf, quoted } from "./line.ts";
import { stepProgress } from "./progress.ts";
import { isScripted, modelName, routeOf, stepTitle } from "./step-label.ts";
import { type StepProgress, tryElapsed } from "./step-progress.ts";

type StepEvent = StoredEvent &
  EventOf<
    | "step.started"
    | "step.reused"
    | "step.interrupted"
    | "step.finished"
    | "steps.reset"
    | "message.added"
    | "route.decided"
  >;

const TOLD: Readonly<Record<EventOf<"message.added">["why"], string>> = {
  nudge: "reminded to finish",
  truncated: "the answer was cut at its limit: asked to go on",
  empty: "the answer was empty: asked again",
  loop: "told that it goes in circles",
  "check-failed": "told how its check failed",
};

/** Lines about the life of a step. */
export function stepLine(event: StepEvent, run: Run, context: LineContext): Line {
  switch (event.type) {
    case "step.started":
      return line("step", startedText(event, run, context));
    case "step.reused":
      return line("good", `✓ ${stepTitle(context.steps, event.stepId)}  ${reusedText(event)}`);
    case "step.interrupted":
      return line(
        "warning",
        `‖ ${stepTitle(context.steps, event.stepId)} interrupted, goes on where it was: ${quoted(event.reason, 200)}`,
      );
    case "step.finished":
      return finishedLine(event, run, context);
    case "steps.reset":
      return line("warning", `↩ back from ${event.from} to ${event.to}, to be done again: ${event.steps.join(", ")}`);
    case "message.added":
      return line("detail", `  ${event.stepId}  ${TOLD[event.why]}`);
    case "route.decided":
      return line("note", `  ${event.stepId}  ${decidedText(event)}`);
  }
}

/** ` (2nd time)`; empty for the first. */
export function timesText(conversation: number): string {
  return conversation > 1 ? ` (${ordinal(conversation)} time)` : "";
}

/** `reused from r-abc123, $0.12 saved`. */
export function reusedText({ from, savedNanos }: EventOf<"step.reused">): string {
  return `reused from ${quoted(from, 40)}${savedNanos > 0 ? `, ${formatUsd(savedNanos)} saved` : ""}`;
}

/** `rule "nights" for build: asks zai/glm-5.3`. */
function decidedText({ task, rule, candidates }: EventOf<"route.decided">): string {
  if (rule === null) return `no rule for ${task}: its own route holds`;
  return `rule "${quoted(rule, 60)}" for ${task}: asks ${namesOf(candidates.map(modelName), "model")}`;
}

function startedText(event: StepEvent & EventOf<"step.started">, run: Run, context: LineContext): string {
  const title = `▸ ${stepTitle(context.steps, event.stepId)}${timesText(event.conversation)}`;
  const goesOn = event.conversation === 1 && stepState(run, event.stepId).startedAt !== event.at;
  const route = routeOf(context.steps, run, event.stepId);
  return `${title}${goesOn ? " goes on" : ""}${route.length > 0 ? `  ${routeText(route)}` : ""}`;
}

function routeText(route: readonly string[]): string {
  return route.map((model) => (isScripted(model) ? `${modelName(model)}, no model is asked` : model)).join(", ");
}

function finishedLine(event: StepEvent & EventOf<"step.finished">, run: Run, context: LineContext): Line {
  const title = `${stepTitle(context.steps, event.stepId)}${timesText(event.conversation)}`;
  const figures = figuresOf(event, run, context);
  if (event.outcome.status === "succeeded") return line("good", `✓ ${title}  ${figures}`);
  return line("bad", `✗ ${title}  ${figures}  ${event.outcome.class}: ${quoted(event.outcome.reason, 300)}`);
}

/** Time, tokens and cost: of the try that ended, or of all of them where nobody kept count. */
function figuresOf(event: StepEvent & EventOf<"step.finished">, run: Run, context: LineContext): string {
  const step = stepProgress(context.progress, event.stepId);
  const state = stepState(run, event.stepId);
  const isCounted = step.conversation === event.conversation && step.isTryWhole;
  const tokens = totalTokens(isCounted ? step.usage : state.usage);
  const cost = isCounted ? step.costNanos : (run.spend[`step:${event.stepId}`]?.settledNanos ?? 0);
  const money = tokens > 0 || cost > 0 ? `${formatTokens(tokens)} tokens  ${formatUsd(cost)}` : null;
  const ofAll = money !== null && !isCounted && event.conversation > 1 ? "in all its tries" : null;
  return [elapsedText(event, state, step), money, ofAll].filter((part) => part !== null).join("  ");
}

/** Null: nobody knows when it was worked on and when it rested. */
function elapsedText(event: StepEvent & EventOf<"step.finished">, state: StepState, step: StepProgress): string | null {
  if (!step.isTryWhole) return null;
  if (step.conversation === event.conversation) return formatDuration(tryElapsed(step, event.at));
  return formatDuration(event.at - (state.startedAt ?? event.at));
}
