import { type Context, treeOf, workspaceOf } from "./context.ts";
import { runSetup } from "./prepare.ts";

/**
 * After a crash: what outlived its owner is ended, then the files are put back to the last tree on record if
 * something was under way that may have changed them. Without such a thing the files are taken as they are: a person
 * may have worked on a paused run.
 */
export async function recover(context: Context): Promise<void> {
  const { run } = context.log;
  forgetAnswers(context);
  if (!run.workspace?.prepared) return;
  const workspace = workspaceOf(context);
  await workspace.killSurvivors();
  if (!context.deps.repository.hasWorkspace(run.workspace.path)) {
    await remakeWorkspace(context);
    return;
  }
  const underWay = Object.keys(run.openTools).length + Object.keys(run.openCommands).length;
  if (underWay === 0) await takeIn(context);
  else await undo(context);
}

/** What a person did becomes part of the run: judgements of another tree are void from now on. */
async function takeIn(context: Context): Promise<void> {
  const tree = await workspaceOf(context).snapshot();
  if (tree !== treeOf(context)) context.log.record({ type: "workspace.edited", tree });
}

/** What was half done is done again from its beginning. A person may have worked there since: nothing is lost of it. */
async function undo(context: Context): Promise<void> {
  const { log, deps } = context;
  const workspace = workspaceOf(context);
  const tree = treeOf(context);
  const found = await workspace.snapshot();
  if (found === tree) return;
  const kept = `undone-${log.run.epoch}.patch`;
  deps.results.write(log.rid, kept, await workspace.diff(tree, found));
  await workspace.restore(tree);
  log.record({ type: "workspace.restored", tree, kept });
}

/** A crash may have come between the end of a call and the removal of its spooled answer. */
function forgetAnswers({ log, deps }: Context): void {
  for (const event of log.events) {
    if (event.type === "call.settled" || event.type === "call.lost") deps.spool.remove(event.callId);
  }
}

/** Somebody removed the worktree: all that is on record is in git, and the dependencies are where they came from. */
async function remakeWorkspace(context: Context): Promise<void> {
  const { log, deps, pipeline } = context;
  const base = log.run.created?.base;
  if (!base) throw new Error(`run ${log.rid} has no base`);
  const { path } = await deps.repository.createWorkspace({ rid: log.rid, base });
  await deps.repository.copyDependencies(path, pipeline.workspace.copy);
  await workspaceOf(context).restore(treeOf(context));
  if (pipeline.workspace.setup !== null) await runSetup(context, pipeline.workspace.setup, "discard");
}
