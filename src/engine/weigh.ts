import { type Headroom, tightest, usedNanos, WINDOWS } from "../core/budget.ts";
import { candidatesOf } from "../core/candidates.ts";
import { CcpError } from "../core/errors.ts";
import { isSlow, rungsOf } from "../core/escalation.ts";
import type { Means } from "../core/escalation-terms.ts";
import { lackOf } from "../core/lack.ts";
import type { ModelFacts } from "../core/model.ts";
import type { AgentStep } from "../core/pipeline.ts";
import { stepState, totalSpend } from "../core/run.ts";
import type { Context } from "./context.ts";
import { DIAGNOSIS_TOKENS, diagnosisOf } from "./diagnosis.ts";
import { ownHeadroom, windowsHeadroom } from "./intend.ts";
import { policyOf } from "./policy.ts";
import { quotaHeadroom } from "./quota.ts";

/** An answer that is worth a stronger model's price, in tokens. Should there be less room later, its calls are shortened as any other's. */
const ANSWER_TOKENS = 4_096;

/** What can be done for a step that is stuck: looks at models, prices, ceilings and the clock as they are now. */
export async function weigh(context: Context, step: AgentStep): Promise<Means> {
  return {
    stronger: strongerFor(context, step),
    canDiagnose: await canDiagnose(context, step),
    isSlow: isRunSlow(context),
  };
}

/** The first rung above those that were tried whose model can be asked at all. */
function strongerFor(context: Context, step: AgentStep): Means["stronger"] {
  const { log, pipeline } = context;
  const role = pipeline.roles[step.role];
  const models = role ? rungsOf(role, log.run.routes[step.role]) : [];
  const { topRung } = stepState(log.run, step.id).escalation;
  for (const [index, model] of models.entries()) {
    const facts = index < topRung ? null : askable(context, step, [model]);
    if (!facts) continue;
    const prospect = { price: facts.price, inputTokens: longestInput(context, step), outputTokens: ANSWER_TOKENS };
    return {
      rung: index + 1,
      model,
      lacks: lackOf(prospect, ownHeadroom(context, step), usersHeadroom(context, facts)),
    };
  }
  return null;
}

/** The largest question of the last try: a try like it is to fit. */
function longestInput({ log }: Context, step: AgentStep): number {
  const inputs = log.eventsAfter(stepState(log.run, step.id).conversationSeq).flatMap((event) => {
    return event.type === "call.reserved" && event.stepId === step.id && event.purpose === undefined
      ? [event.heldTokens - event.maxTokens]
      : [];
  });
  return Math.max(0, ...inputs);
}

async function canDiagnose(context: Context, step: AgentStep): Promise<boolean> {
  const { log, pipeline, deps } = context;
  const reviewer = pipeline.roles.reviewer;
  if (!reviewer || !pipeline.roles[step.role]?.escalation?.diagnose) return false;
  if (stepState(log.run, step.id).escalation.isDiagnosed) return false;
  const facts = askable(context, step, log.run.routes.reviewer ?? reviewer.models);
  const question = facts && (await diagnosisOf(context, step));
  if (!facts || !question) return false;
  const inputTokens = deps.models.inputBound(question.request(facts.ref));
  const prospect = { price: facts.price, inputTokens, outputTokens: DIAGNOSIS_TOKENS.least };
  return lackOf(prospect, ownHeadroom(context, question.asked), usersHeadroom(context, facts)) === null;
}

/** What the user's ceilings leave for a model: those over all calls, and the quota of its provider. */
function usersHeadroom(context: Context, model: ModelFacts): Headroom {
  const quotas = WINDOWS.map((window) => quotaHeadroom(context.deps, window, model));
  return quotas.reduce(tightest, windowsHeadroom(context));
}

/** The first that can be asked here and that no policy refuses; null: none. */
function askable(context: Context, step: AgentStep, route: readonly string[]): ModelFacts | null {
  try {
    return candidatesOf(route, context.deps.models, policyOf(context, step.id))[0] ?? null;
  } catch (reason) {
    if (reason instanceof CcpError) return null;
    throw reason;
  }
}

function isRunSlow({ log: { run } }: Context): boolean {
  const { maxDurationMs, maxCostNanos } = run.budgets.run ?? {};
  const share = (used: number, ceiling: number | undefined) => (ceiling ? used / ceiling : null);
  return isSlow(share(run.activeMs, maxDurationMs), share(usedNanos(totalSpend(run)), maxCostNanos));
}
