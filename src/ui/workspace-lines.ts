import type { EventOf } from "../core/event.ts";
import { type Run, stepState } from "../core/run.ts";
import { plural } from "../core/words.ts";
import { formatBytes, formatDuration, formatEnd } from "./format.ts";
import { type Line, line, quoted } from "./line.ts";

/** Lines about the worktree and what the run leaves behind. */
export function workspaceLine(
  event: EventOf<
    | "workspace.created"
    | "workspace.prepared"
    | "workspace.edited"
    | "workspace.restored"
    | "judgements.voided"
    | "artifact.written"
  >,
  run: Run,
): Line | null {
  switch (event.type) {
    case "workspace.created": {
      const notices = event.notices.map((notice) => `  note: ${quoted(notice, 300)}`).join("");
      return line("note", `worktree ${event.path}  branch ${event.branch}${notices}`);
    }
    case "workspace.prepared":
      return event.copied.length === 0 ? null : line("note", `copied into the worktree: ${namesOf(event.copied)}`);
    case "workspace.edited":
      return line("note", "the worktree was changed by hand: that is part of the run now");
    case "workspace.restored":
      return line(
        "note",
        `files put back to what is on record${event.kept === null ? "" : `; what was there is kept in ${artifactPath(run, event.kept)}`}`,
      );
    case "judgements.voided":
      return line("note", `the tree has changed since: to be judged again: ${namesOf(event.steps)}`);
    case "artifact.written":
      return line("detail", `  wrote ${artifactPath(run, event.name)}, ${formatBytes(event.blob.sizeBytes)}`);
  }
}

/** Where an artifact lies, from the repository's root when it is inside. */
function artifactPath(run: Run, name: string): string {
  const root = run.created?.repository ?? "";
  const results = run.created?.resultsDir ?? "results";
  const shown = results.startsWith(`${root}/`) ? results.slice(root.length + 1) : results;
  return `${shown}/${run.rid}/${name}`;
}

/** Lines about commands that the engine runs: set-up, the checks on the base, `until` checks, shell steps. */
export function commandLine(event: EventOf<"command.started" | "command.finished">, run: Run): Line | null {
  const command = quoted(event.command, 80);
  if (event.type === "command.started") return event.purpose === "setup" ? line("note", `set-up: ${command} …`) : null;
  const passed = event.end.exitCode === 0 && event.end.endedBy === null;
  const how = formatEnd(event.end);
  const time = formatDuration(event.end.durationMs);
  switch (event.purpose) {
    case "setup":
      return line(passed ? "note" : "bad", `set-up: ${command}: ${how}  ${time}`);
    case "baseline":
      return line("note", `on the base, ${command}: ${passed ? "already green" : `already red (${how})`}  ${time}`);
    case "final":
      return line(passed ? "detail" : "bad", `on the final tree, ${command}: ${how}  ${time}`);
    case "until":
    case "step":
      return line(
        passed ? "detail" : "warning",
        `  ${event.stepId}  ${command}: ${how}${checkFailures(event, run)}  ${time}`,
      );
  }
}

function checkFailures(event: EventOf<"command.finished">, run: Run): string {
  const failures = event.purpose === "until" && event.stepId !== null ? stepState(run, event.stepId).checkFailures : 0;
  return failures > 1 ? ` (failed ${failures} times)` : "";
}

function namesOf(paths: readonly string[]): string {
  const shown = paths.slice(0, 6).map((path) => quoted(path, 60));
  const more = paths.length - shown.length;
  return more > 0 ? `${shown.join(", ")} and ${plural(more, "path")} more` : shown.join(", ");
}
