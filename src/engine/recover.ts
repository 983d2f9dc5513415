import type { Event } from "../core/event.ts";
import type { ModelFacts } from "../core/model.ts";
import { type Run, stepState } from "../core/run.ts";
import { stepEntries } from "../core/step-table.ts";
import { mendFiles } from "./artifact.ts";
import { closeCall, reconcile } from "./calls.ts";
import { type Context, callBook, treeOf, workspaceOf } from "./context.ts";
import { runSetup } from "./prepare.ts";

/**
 * After a crash: what outlived its owner is ended, then the files are put back to the last tree on record. After a pause
 * they are taken as they are: a person may have worked there.
 */
export async function recover(context: Context): Promise<void> {
  const { log, deps } = context;
  forgetAnswers(context);
  reconcile(callBook(context));
  await closeStrayCalls(context);
  mendFiles(log, deps.results);
  const { workspace, wasKilled, restoreDue } = log.run;
  if (!workspace) return;
  await workspaceOf(context).killSurvivors();
  const underWay = interruptions(context);
  if (!workspace.prepared) await startOver(context, workspace.path);
  else if (!deps.repository.hasWorkspace(workspace.path)) await remakeWorkspace(context);
  // Where a tree is to be put back, the next action does it.
  else if (!restoreDue) await (underWay.length > 0 || wasKilled ? putBack(context) : takeIn(context));
  // Last: a crash before this finds them under way again.
  if (underWay.length > 0) log.record(...underWay);
}

/** Dependencies half copied, a set-up half done: nobody has worked there yet, so it is made again from nothing. */
async function startOver(context: Context, path: string): Promise<void> {
  const { log, deps } = context;
  const base = log.run.created?.base;
  if (!base) throw new Error(`run ${log.rid} has no base`);
  const isThere = deps.repository.hasWorkspace(path);
  // Uncommitted work that it began on is nowhere but in its own objects, which must not go.
  if (isThere && base.dirty) return workspaceOf(context).restore(base.tree);
  if (isThere) await deps.repository.removeWorkspace(log.rid, path);
  const made = await deps.repository.createWorkspace({ rid: log.rid, base });
  // A run that came from elsewhere has another place here.
  if (made.path !== path) log.record({ type: "workspace.created", ...made });
}

/** A call of a conversation that does not go on: what is known of its end is booked, and nobody reads it. */
async function closeStrayCalls(context: Context): Promise<void> {
  const { log, deps, pipeline } = context;
  const goesOn = (stepId: string) =>
    stepState(log.run, stepId).status === "interrupted" && pipeline.steps.some(({ id }) => id === stepId);
  for (const { callId, stepId, facts } of Object.values(log.run.openCalls)) {
    if (!goesOn(stepId))
      await closeCall(callBook(context), callId, facts && log.readJson<ModelFacts>(facts), deps.models);
  }
}

/** Puts the files to the tree on record, which is not the one that they were left at. What that undoes is kept. */
export async function restoreTree(context: Context): Promise<void> {
  const { log } = context;
  const tree = treeOf(context);
  const workspace = workspaceOf(context);
  await workspace.adopt(tree);
  if (hasWorked(log.run)) {
    if (await putBack(context)) return;
  } else await workspace.restore(tree);
  log.record({ type: "workspace.restored", tree, kept: null });
}

/** False: the worktree was only just prepared, and holds nobody's work. */
function hasWorked({ steps }: Run): boolean {
  return stepEntries(steps).some(([, { conversation, reusedFrom }]) => conversation > 0 && reusedFrom === null);
}

/** What a person did becomes part of the run: judgements of another tree are void from now on. */
async function takeIn(context: Context): Promise<void> {
  const tree = await workspaceOf(context).snapshot();
  if (tree !== treeOf(context)) context.log.record({ type: "workspace.edited", tree });
}

/** False: the files are that tree already. A person may have worked there since: nothing is lost of it. */
async function putBack(context: Context): Promise<boolean> {
  const { log, deps } = context;
  const workspace = workspaceOf(context);
  const tree = treeOf(context);
  if (log.run.wasKilled) await workspace.forgetIndex();
  await workspace.restoreHollows(tree);
  const found = await workspace.snapshot();
  if (found === tree) return false;
  const kept = `undone-${log.run.epoch}.patch`;
  deps.results.write(log.rid, kept, await workspace.diff(tree, found));
  await workspace.restore(tree);
  log.record({ type: "workspace.restored", tree, kept });
  return true;
}

/** What was under way is done again from its beginning; what it did outside the tree cannot be taken back, and is said. */
function interruptions({ log }: Context): readonly Event[] {
  const commands = Object.values(log.run.openCommands).map(({ commandId, purpose, stepId, command }): Event => {
    return { type: "command.interrupted", commandId, purpose, stepId, command };
  });
  const tools = Object.values(log.run.openTools).map(({ stepId, toolCallId, tool, subject, effect }): Event => {
    return { type: "tool.interrupted", stepId, toolCallId, tool, subject, outside: effect === "execute" };
  });
  return [...commands, ...tools];
}

/** A crash may have come between the end of a call and the removal of its spooled answer. */
function forgetAnswers({ log, deps }: Context): void {
  const isOurs = (callId: string) => callId.startsWith(`${log.rid}.`);
  for (const callId of deps.spool.list().filter(isOurs)) {
    if (!(callId in log.run.openCalls)) deps.spool.remove(callId);
  }
}

/** Somebody removed the worktree: all that is on record is in git, and the dependencies are where they came from. */
async function remakeWorkspace(context: Context): Promise<void> {
  const { log, deps, pipeline } = context;
  const base = log.run.created?.base;
  if (!base) throw new Error(`run ${log.rid} has no base`);
  const made = await deps.repository.createWorkspace({ rid: log.rid, base });
  log.record({ type: "workspace.created", ...made });
  await deps.repository.copyDependencies(made.path, pipeline.workspace.copy);
  await workspaceOf(context).restore(treeOf(context));
  if (pipeline.workspace.setup !== null) await runSetup(context, pipeline.workspace.setup, "discard");
}
