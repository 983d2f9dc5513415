import {
  type Plan,
  type Review,
  renderPlan,
  renderReview,
  renderWork,
  reviewContradiction,
  type Work,
} from "../core/contract.ts";
import { escalationOf } from "../core/escalation.ts";
import type { BlobRef, EventOf, StepOutcome } from "../core/event.ts";
import type { FailureClass } from "../core/failure.ts";
import type { Json } from "../core/json.ts";
import type { AgentStep } from "../core/pipeline.ts";
import { stepState } from "../core/run.ts";
import { artifact } from "./artifact.ts";
import { type Context, treeOf, workspaceOf } from "./context.ts";
import { currentChecks } from "./prompt.ts";

/** What a finish came to, and the step's document, which goes on record with the end of the step. */
export interface Judgement {
  readonly outcome: StepOutcome;
  readonly artifacts: readonly EventOf<"artifact.written">[];
}

/**
 * What an accepted finish is worth. Its shape was checked when it was given; here it is held against the tree. The
 * step's document is kept whatever comes of it, but for a review that does not count.
 */
export async function judgeFinish(context: Context, step: AgentStep, value: Json): Promise<Judgement> {
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

async function judgePlan(context: Context, step: AgentStep, plan: Plan, finish: BlobRef): Promise<Judgement> {
  const document = context.log.text(renderPlan(plan));
  const artifacts = kept(step, document);
  if (await hasMoved(context))
    return { outcome: failed("tree-changed", "the planner changed files, which it may not", finish), artifacts };
  const figure = isEscalated(context, step) ? { uncertainty: plan.uncertainty } : {};
  return { outcome: { status: "succeeded", output: document, finish, ...figure }, artifacts };
}

async function judgeWork(context: Context, step: AgentStep, work: Work, finish: BlobRef): Promise<Judgement> {
  const artifacts = kept(step, context.log.text(renderWork(work)));
  if (work.status !== "done") return { outcome: failed("blocked", work.summary, finish), artifacts };
  if (treeOf(context) === stepState(context.log.run, step.id).startTree) {
    const reason = "the doer says that it is done and has changed nothing";
    return { outcome: failed("no-change", reason, finish), artifacts };
  }
  const output = context.log.text(work.summary);
  const figure = isEscalated(context, step) ? { confidence: work.confidence } : {};
  return { outcome: { status: "succeeded", output, finish, ...figure }, artifacts };
}

/** What a role says of its own work is looked at where something can be done about it, and nowhere else on record. */
function isEscalated({ pipeline }: Context, step: AgentStep): boolean {
  return escalationOf(pipeline, step) !== null;
}

/** A verdict counts only for the tree that was shown; anything but `approve` fails the step. */
async function judgeReview(context: Context, step: AgentStep, review: Review, finish: BlobRef): Promise<Judgement> {
  const tree = treeOf(context);
  if (stepState(context.log.run, step.id).shownTree !== tree || (await hasMoved(context))) {
    return { outcome: failed("stale", "the tree is not the one that was reviewed", finish), artifacts: [] };
  }
  const contradiction = reviewContradiction(review);
  if (contradiction) return { outcome: failed("malformed", contradiction, finish), artifacts: [] };
  const checks = currentChecks(context).map((record) => ({ command: record.command, exitCode: record.end.exitCode }));
  const document = context.log.text(renderReview(review, { tree, checks }));
  const artifacts = kept(step, document);
  if (review.verdict !== "approve") {
    const reason = `${review.verdict}, ${review.findings.length} finding(s)`;
    return { outcome: failed("rejected", reason, finish), artifacts };
  }
  return { outcome: { status: "succeeded", output: document, finish }, artifacts };
}

/** True when the files are not the tree on record. */
async function hasMoved(context: Context): Promise<boolean> {
  return (await workspaceOf(context).snapshot()) !== treeOf(context);
}

function kept(step: AgentStep, document: BlobRef): Judgement["artifacts"] {
  return step.artifact === null ? [] : [artifact(step.artifact, document, step.id)];
}

function failed(failure: FailureClass, reason: string, finish: BlobRef): StepOutcome {
  return { status: "failed", class: failure, reason, finish };
}
