import type { Network } from "../core/confinement.ts";
import type { CommandEnd, CommandPurpose, Event, EventOf, TreeHash } from "../core/event.ts";
import { recordWithFiles } from "./artifact.ts";
import { commandEnvironment } from "./command-environment.ts";
import { confinedWorkspace } from "./confined.ts";
import { type Context, treeOf, workspaceOf } from "./context.ts";
import type { Executed } from "./executor.ts";

/** A command that the engine runs, and what its run is recorded as. */
export interface EngineCommand {
  readonly commandId: string;
  readonly purpose: CommandPurpose;
  readonly stepId: string | null;
  readonly command: string;
  readonly env: readonly string[];
  /** What it may reach where a sandbox is active. */
  readonly network: Network;
  readonly timeoutMs: number | null;
  /** `discard`: the tree is put back as it was. */
  readonly changes: "discard" | "keep";
  /** What begins with it, and goes on record with its intent. */
  readonly begins?: readonly Event[];
}

/** A command that has ended by itself or was ended by its limits. */
export interface PerformedCommand {
  readonly finished: EventOf<"command.finished">;
  /** What it wrote to standard output, secrets redacted. */
  readonly stdout: string;
}

/**
 * Runs a command of the pipeline: intent on record, command, tree put right, end on record together with what
 * `alongside` makes of it. Null: the drive was stopped meanwhile; the command counts as never run.
 */
export async function runCommand(
  context: Context,
  command: EngineCommand,
  alongside: (performed: PerformedCommand) => readonly Event[] = () => [],
): Promise<PerformedCommand | null> {
  const { log, deps, halt } = context;
  const tree = treeOf(context);
  const { commandId, purpose, stepId } = command;
  const started = { type: "command.started", commandId, purpose, stepId, command: command.command, tree } as const;
  log.record(...(command.begins ?? []), started);

  const { timeoutMs } = command;
  const env = commandEnvironment(context, command.env);
  const execution = { commandId, command: command.command, env, timeoutMs, signal: halt.signal };
  const held = confinedWorkspace(context, { writes: "worktree", network: command.network });
  const executed = await deps.executor.command(execution, held);
  if (halt.signal.aborted) return null;
  const treeAfter = await settleTree(context, tree, command.changes);
  const performed: PerformedCommand = {
    finished: {
      type: "command.finished",
      commandId,
      purpose,
      stepId,
      command: command.command,
      end: endOf(context, executed),
      tree,
      treeAfter,
    },
    stdout: executed.stdout,
  };
  recordWithFiles(context, performed.finished, ...alongside(performed));
  return performed;
}

async function settleTree(context: Context, before: TreeHash, changes: "discard" | "keep"): Promise<TreeHash> {
  const workspace = workspaceOf(context);
  const after = await workspace.snapshot();
  if (changes === "keep" || after === before) return after;
  await workspace.restore(before);
  return before;
}

function endOf({ log }: Context, { exitCode, endedBy, durationMs, stdout, output }: Executed): CommandEnd {
  return { exitCode, endedBy, durationMs, output: log.text(output), stdout: log.text(stdout) };
}
