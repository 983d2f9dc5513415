import type { EventOf } from "../core/event.ts";
import type { Run } from "../core/run.ts";
import { formatBytes } from "./format.ts";
import { type Line, type LineContext, line, namesOf, quoted } from "./line.ts";

type WorkspaceEvent = EventOf<
  | "workspace.created"
  | "workspace.prepared"
  | "workspace.edited"
  | "workspace.restored"
  | "judgements.voided"
  | "artifact.written"
>;

/** Lines about the worktree and what the run leaves behind. */
export function workspaceLine(event: WorkspaceEvent, run: Run, context: LineContext): Line | null {
  switch (event.type) {
    case "workspace.created": {
      const notices = event.notices.map((notice) => `  note: ${quoted(notice, 300)}`).join("");
      return line("note", `worktree ${event.path}  branch ${event.branch}${notices}`);
    }
    case "workspace.prepared":
      return event.copied.length === 0
        ? null
        : line("note", `copied into the worktree: ${namesOf(event.copied, "path")}`);
    case "workspace.edited":
      return line("note", "the worktree was changed by hand: that is part of the run now");
    case "workspace.restored":
      return line("note", restoredText(event, run, context));
    case "judgements.voided":
      return line("note", `the tree has changed since: to be judged again: ${namesOf(event.steps, "step")}`);
    case "artifact.written":
      return event.warning === undefined
        ? line("detail", `  wrote ${artifactPath(run, event.name)}, ${formatBytes(event.blob.sizeBytes)}`)
        : line("note", `${artifactPath(run, event.name)}: ${quoted(event.warning, 300)}`);
  }
}

/** After a rewind to the tree of that time, after a crash to the last one on record. */
function restoredText({ kept }: EventOf<"workspace.restored">, run: Run, { progress }: LineContext): string {
  const to =
    progress.rewoundTo === null ? "what is on record" : `how they were before ${quoted(progress.rewoundTo, 60)}`;
  return `files put back to ${to}${kept === null ? "" : `; what was there is kept in ${artifactPath(run, kept)}`}`;
}

/** Where an artifact lies, from the repository's root when it is inside. */
function artifactPath(run: Run, name: string): string {
  const root = run.created?.repository ?? "";
  const results = run.created?.resultsDir ?? "results";
  const shown = results.startsWith(`${root}/`) ? results.slice(root.length + 1) : results;
  return `${shown}/${run.rid}/${name}`;
}
