import type { Command, Pipeline } from "../core/pipeline.ts";
import type { Workspace } from "../core/ports.ts";
import type { Run } from "../core/run.ts";
import type { CallBook } from "./calls.ts";
import type { CommandEnvironment } from "./command-environment.ts";
import type { EngineDeps } from "./deps.ts";
import type { Halt } from "./halt.ts";
import type { RunLog } from "./run-log.ts";

/** What every performer works with. */
export interface Context {
  readonly log: RunLog;
  readonly pipeline: Pipeline;
  readonly deps: EngineDeps;
  readonly halt: Halt;
  readonly environment: CommandEnvironment;
}

/** The run's worktree. Throws before it was created: nothing that needs it is performed then. */
export function workspaceOf(context: Context): Workspace {
  const workspace = context.log.run.workspace;
  if (!workspace) throw new Error(`run ${context.log.rid} has no workspace yet`);
  return context.deps.repository.openWorkspace(context.log.rid, workspace.path);
}

/** What putting a call of this run on record takes. */
export function callBook({ log, deps }: Context): CallBook {
  const { spool, chance, secrets, userLedger, health } = deps;
  return { log, spool, chance, secrets, userLedger, health };
}

/** The text that the shell gets. */
export function commandText(context: Context, command: Command): string {
  if (command.kind === "text") return command.text;
  return String(context.log.run.created?.inputs[command.name] ?? "");
}

/** The last tree on record. */
export function treeOf(context: Context): string {
  return treeOfRun(context.log.run);
}

/** The last tree of a run. Throws before it has one: nothing that needs it is performed then. */
export function treeOfRun({ rid, tree }: Run): string {
  if (tree === null) throw new Error(`run ${rid} has no tree yet`);
  return tree;
}
