import type { Delta, EventOf, StoredEvent } from "../core/event.ts";
import { formatDuration } from "./format.ts";
import { quoted } from "./line.ts";
import { modelName } from "./step-label.ts";
import { reusedText } from "./step-lines.ts";

/** What the steps do just now, by step id; `""` is the engine's own work outside of steps. As it came: show it through `shownActivity`. */
export type Activity = Readonly<Record<string, string>>;

/** Characters of streamed text that are kept to show its end. */
const TAIL = 400;
const SHOWN = 100;
const SAYS = "says: ";

/** What is being done once this has happened. */
export function activityAfterEvent(activity: Activity, event: StoredEvent): Activity {
  switch (event.type) {
    case "workspace.created":
      return { ...activity, "": "brings dependencies into the worktree" };
    case "workspace.prepared":
    case "run.ended":
      return { ...activity, "": "" };
    case "command.started":
      return {
        ...activity,
        [event.stepId ?? ""]: `${event.purpose === "setup" ? "set-up: " : "$ "}${event.command}`,
      };
    case "command.interrupted":
    case "command.finished":
      return { ...activity, [event.stepId ?? ""]: "" };
    case "call.reserved":
      return { ...activity, [event.stepId]: `asks ${modelName(event.model)}${keyText(event)}, call ${event.turn}` };
    case "tool.started":
      return { ...activity, [event.stepId]: `${event.tool} ${event.subject}` };
    case "step.started":
    case "step.interrupted":
    case "step.finished":
    case "call.settled":
    case "call.lost":
    case "tool.interrupted":
    case "tool.finished":
      return { ...activity, [event.stepId]: "" };
    case "step.reused":
      return { ...activity, [event.stepId]: reusedText(event) };
    default:
      return activity;
  }
}

/** Which of several keys, where there are several. */
function keyText({ credential }: EventOf<"call.reserved">): string {
  return credential === undefined ? "" : ` with ${credential}`;
}

/** What is being done while this streams in. */
export function activityAfterDelta(activity: Activity, delta: Delta): Activity {
  const before = activity[delta.stepId] ?? "";
  switch (delta.type) {
    case "delta.text": {
      const said = before.startsWith(SAYS) ? before.slice(SAYS.length) : "";
      return { ...activity, [delta.stepId]: SAYS + (said + delta.text).slice(-TAIL) };
    }
    case "delta.tool_call":
      return { ...activity, [delta.stepId]: `calls ${delta.tool}` };
    case "delta.waiting":
      return { ...activity, [delta.stepId]: `waits ${formatDuration(delta.waitMs)}: ${delta.reason}` };
    case "delta.notice":
      return activity;
  }
}

/** The words to show: only here is anything cleaned, as an escape sequence may arrive in pieces. Of streamed text, its end. */
export function shownActivity(activity: Activity, stepId: string): string {
  const action = activity[stepId] ?? "";
  if (!action.startsWith(SAYS)) return quoted(action, SHOWN);
  const cleaned = quoted(action.slice(SAYS.length), TAIL);
  return SAYS + (cleaned.length > SHOWN ? `…${cleaned.slice(-SHOWN).toWellFormed()}` : cleaned);
}
