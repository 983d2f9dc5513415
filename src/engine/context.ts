import type { Command, Pipeline } from "../core/pipeline.ts";
import type { Workspace } from "../core/ports.ts";
import type { EngineDeps } from "./deps.ts";
import type { Halt } from "./halt.ts";
import type { RunLog } from "./run-log.ts";

/** What every performer works with. */
export interface Context {
  readonly log: RunLog;
  readonly pipeline: Pipeline;
  readonly deps: EngineDeps;
  readonly halt: Halt;
}

/** The run's worktree. Throws before it was created: nothing that needs it is performed then. */
export function workspaceOf(context: Context): Workspace {
  const workspace = context.log.run.workspace;
  if (!workspace) throw new Error(`run ${context.log.rid} has no workspace yet`);
  return context.deps.repository.openWorkspace(context.log.rid, workspace.path);
}

/** The text that the shell gets. */
export function commandText(context: Context, command: Command): string {
  if (command.kind === "text") return command.text;
  return String(context.log.run.created?.inputs[command.name] ?? "");
}

/** The last tree on record. */
export function treeOf(context: Context): string {
  const tree = context.log.run.tree;
  if (tree === null) throw new Error(`run ${context.log.rid} has no tree yet`);
  return tree;
}
