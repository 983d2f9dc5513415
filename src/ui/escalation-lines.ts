import type { EscalationAction } from "../core/escalation-terms.ts";
import type { EventOf, StoredEvent } from "../core/event.ts";
import { type Line, type LineContext, type LineKind, line, quoted } from "./line.ts";
import { modelName, stepTitle } from "./step-label.ts";

/** Lines about what is tried with a step that is stuck. */
export function escalationLine(event: EventOf<"escalation.decided" | "step.diagnosed">, context: LineContext): Line {
  const title = stepTitle(context.steps, event.stepId);
  if (event.type === "escalation.decided") {
    const [sign, kind] = SIGNS[event.action];
    return line(kind, `${sign} ${title}  ${escalationText(event)}`);
  }
  return event.advice === null
    ? line("note", `  ${event.stepId}  no advice: ${quoted(event.reason ?? "", 200)}`)
    : line("note", `  ${event.stepId}  ${modelName(event.model ?? "")} has advised: ccp view --step ${event.stepId}`);
}

/** What was decided in a line, with its reason: `stronger model a/b → a/c: check-failed twice in a row: …`. */
export function escalationText(event: EventOf<"escalation.decided">): string {
  const models = event.from === event.to ? "" : ` ${modelName(event.from)} → ${modelName(event.to)}`;
  const tactic = event.tactic ? ` (${event.tactic})` : "";
  return `${ACTIONS[event.action]}${models}${tactic}: ${quoted(event.reason, 400)}`;
}

/** The decisions of a run for `ccp view`: when after which try of which step, and why. */
export function escalationLines(events: readonly StoredEvent[]): readonly string[] {
  return events.flatMap((event): string[] => {
    if (event.type === "escalation.decided") {
      return [`${event.stepId}, after try ${event.conversation} (${event.signal}): ${escalationText(event)}`];
    }
    if (event.type !== "step.diagnosed" || event.advice !== null) return [];
    return [`${event.stepId}, after try ${event.conversation}: no advice: ${quoted(event.reason ?? "", 200)}`];
  });
}

/** Names of actions, for people. */
export const ACTIONS: Readonly<Record<EscalationAction, string>> = {
  tactic: "another tactic",
  retry: "another try",
  stronger: "stronger model",
  diagnose: "diagnosis",
  cheaper: "cheaper model again",
  "go-on": "goes on",
  ask: "you are asked",
  fail: "given up",
};

const SIGNS: Readonly<Record<EscalationAction, readonly [string, LineKind]>> = {
  tactic: ["↻", "note"],
  retry: ["↻", "note"],
  stronger: ["↑", "warning"],
  diagnose: ["?", "warning"],
  cheaper: ["↓", "note"],
  "go-on": ["→", "warning"],
  ask: ["?", "warning"],
  fail: ["✗", "bad"],
};
