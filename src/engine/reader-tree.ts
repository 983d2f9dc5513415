import { type AgentStep, isReadOnly } from "../core/pipeline.ts";
import { stepState } from "../core/run.ts";
import { type Context, treeOf, workspaceOf } from "./context.ts";

/** Files are named in a reason up to so many. */
const MOST_NAMED = 5;

/**
 * What a role that only reads has changed all the same, by way of its tools; null: nothing. The files are put back: the
 * sandbox is what keeps it from doing so, this is what tells when it did not.
 */
export async function changedByReader(context: Context, step: AgentStep): Promise<string | null> {
  const { log } = context;
  const shown = stepState(log.run, step.id).shownTree;
  const found = treeOf(context);
  if (!isReadOnly(step.role) || shown === null || shown === found) return null;
  const workspace = workspaceOf(context);
  const { files } = await workspace.diffStat(shown, found);
  await workspace.restore(shown);
  log.record({ type: "workspace.restored", tree: shown, kept: null });
  const more = files.length > MOST_NAMED ? `, +${files.length - MOST_NAMED}` : "";
  return `the ${step.role} changed files, which it may not: ${files.slice(0, MOST_NAMED).join(", ")}${more}`;
}
