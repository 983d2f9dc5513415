import {
  type Plan,
  type Review,
  renderPlan,
  renderReview,
  renderWork,
  reviewContradiction,
  type Work,
} from "../core/contract.ts";
import type { BlobRef, StepOutcome } from "../core/event.ts";
import type { FailureClass } from "../core/failure.ts";
import type { Json } from "../core/json.ts";
import type { AgentStep } from "../core/pipeline.ts";
import { stepState } from "../core/run.ts";
import { artifactWritten } from "./artifact.ts";
import { type Context, treeOf, workspaceOf } from "./context.ts";
import { currentChecks } from "./prompt.ts";

/**
 * What an accepted finish is worth. Its shape was checked when it was given; here it is held against the tree. The
 * step's document goes on record whatever comes of it, but for a review that does not count.
 */
export async function judgeFinish(context: Context, step: AgentStep, value: Json): Promise<StepOutcome> {
  const finish = context.log.json(value);
  switch (step.role) {
    case "planner":
      return judgePlan(context, step, value as unknown as Plan, finish);
    case "doer":
      return judgeWork(context, step, value as unknown as Work, finish);
    case "reviewer":
      return judgeReview(context, step, value as unknown as Review, finish);
  }
}

async function judgePlan(context: Context, step: AgentStep, plan: Plan, finish: BlobRef): Promise<StepOutcome> {
  const text = renderPlan(plan);
  keep(context, step, text);
  if (await hasMoved(context)) return failed("tree-changed", "the planner changed files, which it may not", finish);
  return { status: "succeeded", output: context.log.text(text), finish };
}

async function judgeWork(context: Context, step: AgentStep, work: Work, finish: BlobRef): Promise<StepOutcome> {
  keep(context, step, renderWork(work));
  if (work.status !== "done") return failed("blocked", work.summary, finish);
  if (treeOf(context) === stepState(context.log.run, step.id).startTree) {
    return failed("no-change", "the doer says that it is done and has changed nothing", finish);
  }
  return { status: "succeeded", output: context.log.text(work.summary), finish };
}

/** A verdict counts only for the tree that was shown; anything but `approve` fails the step. */
async function judgeReview(context: Context, step: AgentStep, review: Review, finish: BlobRef): Promise<StepOutcome> {
  const tree = treeOf(context);
  const checks = currentChecks(context).map((record) => ({ command: record.command, exitCode: record.end.exitCode }));
  const text = renderReview(review, { tree, checks });
  if (shownTree(context, step) !== tree || (await hasMoved(context))) {
    return failed("stale", "the tree is not the one that was reviewed", finish);
  }
  const contradiction = reviewContradiction(review);
  if (contradiction) return failed("malformed", contradiction, finish);
  keep(context, step, text);
  if (review.verdict !== "approve")
    return failed("rejected", `${review.verdict}, ${review.findings.length} finding(s)`, finish);
  return { status: "succeeded", output: context.log.text(text), finish };
}

/** The tree that this conversation began with. */
function shownTree(context: Context, step: AgentStep): string | null {
  const { conversation } = stepState(context.log.run, step.id);
  const begun = context.log.events.find(
    (event) => event.type === "step.started" && event.stepId === step.id && event.conversation === conversation,
  );
  return begun?.type === "step.started" ? begun.tree : null;
}

/** True when the files are not the tree on record. */
async function hasMoved(context: Context): Promise<boolean> {
  return (await workspaceOf(context).snapshot()) !== treeOf(context);
}

function keep(context: Context, step: AgentStep, text: string): void {
  if (step.artifact !== null) context.log.record(artifactWritten(context, step.artifact, text, step.id));
}

function failed(failure: FailureClass, reason: string, finish: BlobRef): StepOutcome {
  return { status: "failed", class: failure, reason, finish };
}
