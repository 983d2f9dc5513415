import { EXIT } from "../core/errors.ts";
import type { Event } from "../core/event.ts";
import type { Action } from "../core/next.ts";
import type { CheckCommand } from "../core/pipeline.ts";
import { type EngineCommand, type PerformedCommand, runCommand } from "./command.ts";
import { endRun } from "./conclude.ts";
import { type Context, commandText, treeOf, workspaceOf } from "./context.ts";

/** Longest time for a set-up or a check on the base, in milliseconds. */
const PREPARATION_TIMEOUT_MS = 15 * 60_000;

/** Makes the run's worktree. */
export async function createWorkspace(context: Context): Promise<void> {
  const { log, deps } = context;
  const base = log.run.created?.base;
  if (!base) throw new Error(`run ${log.rid} has no base`);
  const { path, branch, notices } = await deps.repository.createWorkspace({ rid: log.rid, base });
  log.record({ type: "workspace.created", path, branch, notices });
}

/** Brings the dependencies in and runs the set-up, once. */
export async function prepareWorkspace(context: Context): Promise<void> {
  const { log, deps, pipeline } = context;
  const path = log.run.workspace?.path ?? "";
  const copied = await deps.repository.copyDependencies(path, pipeline.workspace.copy);
  if (pipeline.workspace.setup !== null) await setUp(context, pipeline.workspace.setup, copied);
  else log.record({ type: "workspace.prepared", tree: await workspaceOf(context).snapshot(), copied });
}

/** That it is done goes on record with its end: it is not done twice. One that failed ends the run; nothing was paid for yet. */
async function setUp(context: Context, command: string, copied: readonly string[]): Promise<void> {
  const done = await runSetup(context, command, "keep", ({ finished: { end, treeAfter } }) =>
    end.exitCode === 0 ? [{ type: "workspace.prepared", tree: treeAfter, copied }] : [],
  );
  if (!done || done.finished.end.exitCode === 0) return;
  const { exitCode, output } = done.finished.end;
  const lastLines = context.log.readText(output).trimEnd().split("\n").slice(-8).join("\n");
  await endRun(context, {
    type: "end",
    status: "failed",
    exitCode: EXIT.failed,
    reason: `workspace.setup failed (exit ${exitCode ?? "none"}): ${command}\n${lastLines}`,
  });
}

/** Runs the set-up; `discard` where the tree is on record already and only what git ignores is wanted. */
export function runSetup(
  context: Context,
  command: string,
  changes: "keep" | "discard",
  alongside?: (performed: PerformedCommand) => readonly Event[],
): Promise<PerformedCommand | null> {
  const network = context.pipeline.workspace.network ?? "open";
  const limits = { env: [], network, timeoutMs: PREPARATION_TIMEOUT_MS, changes };
  return runCommand(context, { commandId: "setup", purpose: "setup", stepId: null, command, ...limits }, alongside);
}

/** A check on the base says what was red or green before anyone changed anything. */
export function checkBase(context: Context, action: Extract<Action, { type: "check-base" }>): Promise<void> {
  return check(context, action, { commandId: action.checkId, purpose: "baseline", stepId: null });
}

/** A check on the final tree says whether what a step has proven still holds. */
export function checkFinal(context: Context, action: Extract<Action, { type: "check-final" }>): Promise<void> {
  const commandId = `final.${action.stepId}.${treeOf(context)}`;
  return check(context, action, { commandId, purpose: "final", stepId: action.stepId });
}

async function check(
  context: Context,
  action: CheckCommand,
  recordedAs: Pick<EngineCommand, "commandId" | "purpose" | "stepId">,
): Promise<void> {
  const { command, env, network = "none" } = action;
  const limits = { network, timeoutMs: PREPARATION_TIMEOUT_MS, changes: "discard" } as const;
  await runCommand(context, { ...recordedAs, ...limits, command: commandText(context, command), env });
}
