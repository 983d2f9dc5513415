import { failureWords } from "../core/check-words.ts";
import type { Network } from "../core/confinement.ts";
import type { CommandEnd, CommandPurpose, Event, EventOf, TreeHash } from "../core/event.ts";
import type { Run } from "../core/run.ts";
import { recordWithFiles } from "./artifact.ts";
import { confinedWorkspace } from "./confined.ts";
import { type Context, treeOf, treeOfRun, workspaceOf } from "./context.ts";
import type { Executed } from "./executor.ts";
import { isRefusedCommand } from "./policy.ts";
import { sha256 } from "./run-log.ts";

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
  if (isRefusedCommand(context, command.stepId, command.command)) return null;
  context.log.record(commandIntent(command, context.log.run));
  const performed = await carryOut(context, command);
  if (performed) recordWithFiles(context, performed.finished, ...alongside(performed));
  return performed;
}

/** What has to be on record before `carryOut`. `run`: as it stands when the command begins. */
export function commandIntent(
  { commandId, purpose, stepId, command }: EngineCommand,
  run: Run,
): EventOf<"command.started"> {
  return { type: "command.started", commandId, purpose, stepId, command, tree: treeOfRun(run) };
}

/** Carries out a command whose intent is on record, and puts the tree right. Null: the drive was stopped meanwhile. */
export async function carryOut(context: Context, command: EngineCommand): Promise<PerformedCommand | null> {
  const { deps, halt } = context;
  const tree = treeOf(context);
  const { commandId, purpose, stepId, timeoutMs } = command;
  const env = context.environment.of(command.env);
  const execution = { commandId, command: command.command, env, timeoutMs, signal: halt.signal };
  const held = confinedWorkspace(context, { writes: "worktree", network: command.network }, stepId);
  const executed = await deps.executor.command(execution, held);
  if (halt.signal.aborted) return null;
  // What has filled the disk would fill it once more as a tree.
  if (executed.endedBy === "disk-limit") await workspaceOf(context).restore(tree);
  const treeAfter = await settleTree(context, tree, command.changes);
  return {
    finished: {
      type: "command.finished",
      commandId,
      purpose,
      stepId,
      command: command.command,
      end: endOf(context, executed),
      tree,
      treeAfter,
      ...signatureOf(context, executed),
    },
    stdout: executed.stdout,
  };
}

/** What is green has nothing to be known by. A plan without escalation, as each of an older ccp is, has no use for it. */
function signatureOf({ pipeline }: Context, { exitCode, endedBy, output }: Executed): { readonly signature?: string } {
  const isOfUse = Object.values(pipeline.roles).some(({ escalation }) => escalation !== undefined);
  return exitCode === 0 || !isOfUse ? {} : { signature: sha256(`${endedBy ?? exitCode} ${failureWords(output)}`) };
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
