import type { Action } from "../core/next.ts";
import { stepState } from "../core/run.ts";
import { type Context, treeOf } from "./context.ts";
import { failureText } from "./prompt.ts";

/** Sends the run back: the target and all after it are done again, on the tree as it is, the target knowing why. */
export async function goBack(context: Context, action: Extract<Action, { type: "go-back" }>): Promise<void> {
  const { outcome } = stepState(context.log.run, action.from.id);
  if (outcome?.status !== "failed") throw new Error(`step ${action.from.id} did not fail`);
  context.log.record({
    type: "steps.reset",
    from: action.from.id,
    to: action.to,
    steps: action.steps,
    feedback: context.log.text(failureText(context, action.from.id, outcome)),
  });
}

/** Takes back judgements of a tree that is no longer the run's; the steps are done again on the one that is. */
export async function judgeAgain(context: Context, action: Extract<Action, { type: "judge-again" }>): Promise<void> {
  context.log.record({ type: "judgements.voided", tree: treeOf(context), steps: action.steps });
}
