import type { CommandEnd, CommandPurpose, Event, EventOf, TreeHash } from "../core/event.ts";
import type { CommandResult } from "../core/ports.ts";
import { redact } from "../core/redact.ts";
import { commandEnvironment } from "./command-environment.ts";
import { type Context, treeOf, workspaceOf } from "./context.ts";

/** A command that the engine runs, and what its run is recorded as. */
export interface EngineCommand {
  readonly commandId: string;
  readonly purpose: CommandPurpose;
  readonly stepId: string | null;
  readonly command: string;
  readonly env: readonly string[];
  readonly timeoutMs: number | null;
  /** `discard`: the tree is put back as it was. */
  readonly changes: "discard" | "keep";
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
  log.record({ type: "command.started", commandId, purpose, stepId, command: command.command, tree });

  const result = await workspaceOf(context).run({
    command: command.command,
    env: commandEnvironment(context, command.env),
    timeoutMs: command.timeoutMs,
    signal: halt.signal,
  });
  if (halt.signal.aborted) return null;
  const treeAfter = await settleTree(context, tree, command.changes);
  const stdout = redact(decode(result.stdout), deps.secrets);
  const performed: PerformedCommand = {
    finished: {
      type: "command.finished",
      commandId,
      purpose,
      stepId,
      command: command.command,
      end: endOf(context, result, stdout),
      tree,
      treeAfter,
    },
    stdout,
  };
  log.record(performed.finished, ...alongside(performed));
  return performed;
}

async function settleTree(context: Context, before: TreeHash, changes: "discard" | "keep"): Promise<TreeHash> {
  const workspace = workspaceOf(context);
  const after = await workspace.snapshot();
  if (changes === "keep" || after === before) return after;
  await workspace.restore(before);
  return before;
}

function endOf(context: Context, result: CommandResult, stdout: string): CommandEnd {
  const stderr = redact(decode(result.stderr), context.deps.secrets);
  const both = stderr === "" ? stdout : `${stdout}${stdout === "" || stdout.endsWith("\n") ? "" : "\n"}${stderr}`;
  return {
    exitCode: result.exitCode,
    endedBy: result.endedBy,
    durationMs: result.durationMs,
    output: context.log.text(both),
  };
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
