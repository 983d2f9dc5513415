import type { StoredEvent } from "../core/event.ts";
import type { Run } from "../core/run.ts";
import { budgetLine } from "./budget-lines.ts";
import { callLine } from "./call-lines.ts";
import { contextLine } from "./context-lines.ts";
import { escalationLine } from "./escalation-lines.ts";
import { type Line, type LineContext, NO_CONTEXT } from "./line.ts";
import { permissionLine } from "./permission-lines.ts";
import { policyLine } from "./policy-lines.ts";
import { runLine } from "./run-lines.ts";
import { stepLine } from "./step-lines.ts";
import { commandLine, toolLine } from "./work-lines.ts";
import { workspaceLine } from "./workspace-lines.ts";

/**
 * The plain text of a fact; null where it is not worth a line. `run` is the fold with the event in it. Without a
 * context, routes and the subjects of tool calls are left out and a step's figures are those of all its tries.
 */
export function lineOf(event: StoredEvent, run: Run, context: LineContext = NO_CONTEXT): Line | null {
  switch (event.type) {
    case "workspace.created":
    case "workspace.prepared":
    case "workspace.edited":
    case "workspace.restored":
    case "judgements.voided":
    case "artifact.written":
      return workspaceLine(event, run, context);
    case "command.started":
    case "command.interrupted":
    case "command.finished":
      return commandLine(event, run);
    case "step.started":
    case "step.reused":
    case "step.interrupted":
    case "step.finished":
    case "steps.reset":
    case "message.added":
    case "route.decided":
      return stepLine(event, run, context);
    case "call.reserved":
    case "call.settled":
    case "call.lost":
      return callLine(event, run, context);
    case "tool.started":
    case "tool.interrupted":
    case "tool.finished":
      return toolLine(event, context);
    case "context.pruned":
    case "context.summarised":
      return contextLine(event);
    case "escalation.decided":
    case "step.diagnosed":
      return escalationLine(event, context);
    case "permission.asked":
    case "permission.decided":
      return permissionLine(event, run);
    case "policy.changed":
      return policyLine(event, run);
    case "budget.raised":
    case "budget.warned":
      return budgetLine(event, run);
    default:
      return runLine(event, run, context);
  }
}
