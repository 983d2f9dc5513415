import { type ContextSituation, contextSituation, planContext } from "../core/context-plan.ts";
import { applyUtterance, type Conversation, EMPTY_CONVERSATION } from "../core/conversation.ts";
import { estimateFixed } from "../core/token-estimate.ts";
import { outputCeiling, type Question } from "./question.ts";

/** What the model that is to be asked now would be sent, and what it has room for. */
export function measureContext({ assignment, port, route }: Question, talk: Conversation): ContextSituation {
  const model = route.current();
  return contextSituation(talk, model, {
    fixedTokens: estimateFixed(assignment.system, port.tools.specs(assignment.grant, model)),
    maxOutput: outputCeiling(model, { assignment }),
    settings: assignment.context ?? {},
  });
}

/** True when a view that a provider has just refused can be made smaller, so that the same model is asked again. */
export function canShorten(question: Question): boolean {
  const talk = question.port.utterances().reduce(applyUtterance, EMPTY_CONVERSATION);
  const situation = measureContext(question, talk);
  const { type } = planContext(situation);
  return situation.isRefused && (type === "prune" || type === "summarise");
}
