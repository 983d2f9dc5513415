import { contextTokens, hasShrunk, planContext, resized } from "../core/context-plan.ts";
import { excerpts, masksOf, summaryOf, summaryText } from "../core/context-summary.ts";
import { type Shortening, viewAfter } from "../core/context-view.ts";
import type { Conversation } from "../core/conversation.ts";
import type { Message } from "../core/model.ts";
import type { AgentOutcome } from "../core/ports.ts";
import { askModel, intentOf } from "./ask-model.ts";
import { measureContext } from "./measure-context.ts";
import type { Aside, Question } from "./question.ts";
import { openRoute } from "./route.ts";

/** Tokens of a summary: its sections, and room for what a model says too much. */
const SUMMARY_OUTPUT_TOKENS = 4_096;

/**
 * Asks the model, once what it would be sent fits its window. Null: something is on record that was not before, an answer
 * or a view that was made smaller; the conversation is to be looked at again.
 */
export async function askInContext(question: Question): Promise<AgentOutcome | null> {
  const { talk } = question;
  const situation = measureContext(question, talk);
  const plan = planContext(situation);
  switch (plan.type) {
    case "fits":
      return askModel(question);
    case "prune":
      return shorten(question, talk, { type: "pruned", masks: masksOf(talk.messages, plan.toolCallIds) });
    case "summarise":
      return summarise(question, talk, plan.upTo);
    case "exhausted":
      // Whoever has refused it may not be the last on the route.
      if (situation.isRefused) return askModel(question);
      return { type: "failed", class: "context-exhausted", reason: plan.reason };
  }
}

/** A model is asked for the summary, as often as it takes to have one or to do without. */
async function summarise(question: Question, talk: Conversation, upTo: number): Promise<AgentOutcome | null> {
  // A run that was begun before there were summaries has no words to ask for one.
  const instruction = question.assignment.messages.compact ?? "";
  const answer = summaryOf(talk.context.drafts);
  if (answer.type === "ask" && instruction !== "") {
    const messages = [...shown(talk, upTo), { role: "user", text: instruction } as const];
    const aside = { purpose: "compact", messages, maxOutputTokens: SUMMARY_OUTPUT_TOKENS } as const;
    const outcome = await askModel(await withOwnRoute({ ...question, turn: 0, aside }, aside));
    if (outcome === null || outcome.type === "stopped") return outcome;
  }
  const summary = answer.type === "made" ? answer.text : null;
  const text = summaryText(talk, summary);
  return shorten(question, talk, { type: "summarised", text, summary, upTo, shrank: true });
}

/** Rules may have another model write it. */
async function withOwnRoute(question: Question, aside: Aside): Promise<Question> {
  const { request } = intentOf(question, question.route.current());
  const own = await question.port.candidatesBeside(request, aside.maxOutputTokens);
  return own === null ? question : { ...question, aside: { ...aside, route: openRoute(own) } };
}

/** What was refused whole is summarised from excerpts; else from what the provider has in its cache. */
function shown({ messages, context }: Conversation, upTo: number): readonly Message[] {
  const left = messages.slice(0, upTo);
  return context.refusedBy === null ? left : excerpts(left);
}

function shorten(question: Question, talk: Conversation, change: Shortening): null {
  const situation = measureContext(question, talk);
  const before = contextTokens(situation);
  const after = contextTokens(resized(situation, viewAfter(talk.messages, change)));
  const judged = change.type === "summarised" ? { ...change, shrank: hasShrunk(before, after) } : change;
  const refusal = situation.isRefused ? { refusedAt: before } : {};
  question.port.shorten({ ...judged, ...refusal }, { before, after });
  return null;
}
