import { NOTHING_SPENT, shareLeft, WINDOWS } from "../core/budget.ts";
import type { EventOf } from "../core/event.ts";
import { type ModelRequest, parseModelRef } from "../core/model.ts";
import type { AgentStep } from "../core/pipeline.ts";
import { type RouteRequest, TASK_OF, type TaskKind, weekdayOf } from "../core/route-rules.ts";
import { stepState } from "../core/run.ts";
import { estimateFixed, estimateMessage } from "../core/token-estimate.ts";
import type { Context } from "./context.ts";
import { headroom } from "./intend.ts";
import { grantUnder, policyOf } from "./policy.ts";
import type { Prompt } from "./prompt.ts";
import { mostOutput } from "./role-grant.ts";

/** A request without the one whom it goes to. */
type Question = Omit<ModelRequest, "maxTokens" | "model">;

/** The fact that rules have decided whom a new conversation asks; null: there are no rules, or a person has named them. */
export function decidedRoute(
  context: Context,
  step: AgentStep,
  conversation: number,
  prompt: Prompt,
): EventOf<"route.decided"> | null {
  const task = TASK_OF[step.role];
  return decide(context, step, { conversation, task }, () => ({
    question: firstQuestion(context, step, conversation, prompt),
    outputTokens: mostOutput(context.pipeline, step),
  }));
}

/** The same for what is asked beside a conversation. It is decided once in each. */
export function decidedBeside(
  context: Context,
  step: AgentStep,
  task: TaskKind,
  asked: Asked,
): EventOf<"route.decided"> | null {
  const { conversation } = stepState(context.log.run, step.id);
  return decide(context, step, { conversation, task }, () => asked);
}

/** What is decided about: the request, and the longest answer that is wanted. */
export interface Asked {
  readonly question: Question;
  readonly outputTokens: number;
}

function decide(
  context: Context,
  step: AgentStep,
  { conversation, task }: { readonly conversation: number; readonly task: TaskKind },
  asked: () => Asked,
): EventOf<"route.decided"> | null {
  const { router } = context.deps;
  if (router === undefined || isNamedByPerson(context, step)) return null;
  const { id: stepId } = step;
  const request = () => requestOf(context, step, task, asked());
  const decided = router.decide({ stepId, conversation, task }, request, policyOf(context, stepId));
  if (decided === null) return null;
  return { type: "route.decided", stepId, conversation, task, ...decided };
}

/** True: what a person has named for this run is not a rule's to change. */
export function isNamedByPerson({ log, pipeline }: Context, { role }: AgentStep): boolean {
  return log.run.routes[role] !== undefined || pipeline.roles[role]?.namedByPerson === true;
}

/** What the role would ask without rules. */
function ownRoute(context: Context, step: AgentStep): readonly string[] {
  return context.pipeline.roles[step.role]?.models ?? [];
}

/** The first request of a conversation, as it will be sent. */
export function firstQuestion(
  context: Context,
  step: AgentStep,
  conversation: number,
  { system, user }: Prompt,
): Question {
  const grant = grantUnder(context, step);
  return {
    system,
    messages: [{ role: "user", text: user }],
    tools: context.deps.tools.specs(grant),
    asker: { role: step.role, stepId: step.id, conversation, turn: 1 },
  };
}

/** A request and how things stand with the run, its ceilings and the user's clock, as rules look at it. */
export function requestOf(
  context: Context,
  step: AgentStep,
  task: TaskKind,
  { question, outputTokens }: Asked,
): RouteRequest {
  const { deps, log } = context;
  const model = ownRoute(context, step)[0] ?? null;
  const { nanos, tokens } = headroom(context, step);
  const now = deps.chance.now();
  const day = deps.chance.day(now);
  const [dayLeft = 1, weekLeft = 1] = WINDOWS.map((window) => {
    const ceiling = deps.userLedger.ceilings[window];
    return ceiling ? shareLeft(ceiling, deps.userLedger.spend(window, day)) : 1;
  });
  return {
    task,
    role: step.role,
    model,
    contextTokens: question.messages.reduce(
      (sum, message) => sum + estimateMessage(message),
      estimateFixed(question.system, question.tools),
    ),
    inputTokensBound: deps.models.inputBound({ ...question, model: (model && parseModelRef(model)) || NOBODY }),
    outputTokens,
    needs: ["tools"],
    left: {
      day: dayLeft,
      week: weekLeft,
      run: shareLeft(log.run.budgets.run ?? {}, log.run.spend.run ?? NOTHING_SPENT),
    },
    local: { weekday: weekdayOf(day), minute: deps.chance.minute(now) },
    mustBePriced: nanos !== null && tokens === null,
  };
}

const NOBODY = { provider: "", model: "" };
