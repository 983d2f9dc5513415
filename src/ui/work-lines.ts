import type { EventOf } from "../core/event.ts";
import { type Run, stepState, toolKey } from "../core/run.ts";
import { formatDuration, formatEnd } from "./format.ts";
import { type Line, type LineContext, line, quoted } from "./line.ts";

type CommandEvent = EventOf<"command.started" | "command.interrupted" | "command.finished">;

/** Lines about commands that the engine runs: set-up, the checks on the base, `until` checks, shell steps. */
export function commandLine(event: CommandEvent, run: Run): Line | null {
  switch (event.type) {
    case "command.started":
      return event.purpose === "setup" ? line("note", `set-up: ${quoted(event.command, 80)} …`) : null;
    case "command.interrupted":
      return line("warning", `! ${placeOf(event)}${interruptedText(`\`${quoted(event.command, 80)}\``, true)}`);
    case "command.finished":
      return run.workspace === null ? inheritedLine(event, run) : finishedLine(event, run);
  }
}

/** Lines about tool calls: one each, when it is over. */
export function toolLine(
  event: EventOf<"tool.started" | "tool.interrupted" | "tool.finished">,
  context: LineContext,
): Line | null {
  switch (event.type) {
    case "tool.started":
      return null;
    case "tool.interrupted": {
      const subject = quoted(event.subject, 80);
      const call = quoted(event.tool, 40) + (subject === "" ? "" : ` \`${subject}\``);
      const text = `${event.stepId}  ${interruptedText(call, event.outside)}`;
      return event.outside ? line("warning", `! ${text}`) : line("note", `  ${text}`);
    }
    case "tool.finished":
      return usedLine(event, context);
  }
}

/** `outside`: it may have acted outside the worktree, where nothing can be put back. */
function interruptedText(what: string, outside: boolean): string {
  const twice = outside ? ", and what it did outside the worktree it may do twice" : "";
  return `${what} was interrupted; it is run again from its beginning${twice}`;
}

function placeOf({ purpose, stepId }: CommandEvent): string {
  switch (purpose) {
    case "setup":
      return "set-up: ";
    case "baseline":
      return "on the base, ";
    case "final":
      return "on the final tree, ";
    case "until":
    case "step":
      return `${stepId}  `;
  }
}

function finishedLine(event: EventOf<"command.finished">, run: Run): Line {
  const { purpose, end } = event;
  const isPassed = end.exitCode === 0 && end.endedBy === null;
  const text = `${placeOf(event)}${quoted(event.command, 80)}`;
  const how = formatEnd(end);
  const time = formatDuration(end.durationMs);
  switch (purpose) {
    case "setup":
      return line(isPassed ? "note" : "bad", `${text}: ${how}  ${time}`);
    case "baseline":
      return line("note", `${text}: ${baselineText(event)}  ${time}`);
    case "final":
      return line(isPassed ? "detail" : "bad", `${text}: ${how}  ${time}`);
    case "until":
    case "step":
      return line(isPassed ? "detail" : "warning", `  ${text}: ${how}${checkFailures(event, run)}  ${time}`);
  }
}

/** Before it has a worktree a run runs nothing: such a command is known from the run whose steps it reuses. */
function inheritedLine(event: EventOf<"command.finished">, run: Run): Line | null {
  if (event.purpose !== "baseline") return null;
  const parent = run.created?.parent ?? "another run";
  return line("note", `${placeOf(event)}${quoted(event.command, 80)}: ${baselineText(event)}, known from ${parent}`);
}

function baselineText({ end }: EventOf<"command.finished">): string {
  return end.exitCode === 0 && end.endedBy === null ? "already green" : `already red (${formatEnd(end)})`;
}

function checkFailures(event: EventOf<"command.finished">, run: Run): string {
  const failures = event.purpose === "until" && event.stepId !== null ? stepState(run, event.stepId).checkFailures : 0;
  return failures > 1 ? ` (failed ${failures} times)` : "";
}

function usedLine(event: EventOf<"tool.finished">, context: LineContext): Line {
  const subject = quoted(context.progress.subjects[toolKey(event)] ?? "", 72);
  const call = subject === "" ? event.tool : `${event.tool} ${subject}`;
  const status = event.status === "ok" ? "" : `${event.status}, `;
  const kind = event.status === "denied" ? "warning" : "detail";
  const summary = event.summary === subject ? "" : quoted(event.summary);
  const result = `${status}${summary}`;
  return line(kind, `  ${event.stepId}  ${quoted(call, 90)}${result === "" ? "" : `: ${result}`}`);
}
