import type { Conversation } from "../core/conversation.ts";
import { unreachable } from "../core/errors.ts";
import { afterFailedAttempt, isTransient } from "../core/failure.ts";
import type { ModelEvent, ModelFailure, ModelRequest } from "../core/model.ts";
import type { AgentOutcome, IntendResult, StepPort } from "../core/ports.ts";
import type { CallEnd } from "../core/settlement.ts";
import { canShorten } from "./measure-context.ts";
import { outputCeiling, type Question } from "./question.ts";

/** Asks until there is an answer on record (null) or nothing more can be tried. Every attempt is a call of its own. */
export async function askModel(question: Question): Promise<AgentOutcome | null> {
  const { port, route, talk } = question;
  for (let attempts = 1; ; attempts++) {
    const end = await attempt(question);
    if (end.type === "answered") return null;
    if (end.type !== "failed") return end;
    const stop = port.stopRequested();
    if (stop) return { type: "stopped", why: stop, reason: end.failure.message };

    if (end.failure.class === "overflow") {
      if (question.aside) return outcomeOf(end.failure);
      if (canShorten(question)) return null;
    }
    const decision = afterFailedAttempt({
      class: end.failure.class,
      retryAfterMs: end.failure.retryAfterMs,
      attempts,
      candidatesLeft: route.left(),
      random: port.chance.random(),
    });
    if (decision.type === "give-up") return tooLong(talk, outcomeOf(end.failure));
    if (decision.type === "next-candidate") {
      route.advance();
      attempts = 0;
      continue;
    }
    port.tell({
      type: "delta.waiting",
      stepId: question.assignment.stepId,
      reason: end.failure.message,
      waitMs: decision.waitMs,
    });
    await port.chance.sleep(decision.waitMs, port.signal);
  }
}

/** Reserve, send, settle: one attempt. */
async function attempt(question: Question): Promise<CallEnd | Extract<AgentOutcome, { type: "stopped" }>> {
  const { port, route } = question;
  const model = route.current();
  const request = requestOf(question);
  const wantedOutputTokens = outputCeiling(model, question);
  const intended = await port.intend({ model, request, wantedOutputTokens });
  if (intended.type === "refused") return { type: "stopped", why: intended.why, reason: intended.reason };
  const { end, text } = await send(request, intended, port);
  // What was cut off by our own stop has no outcome that anyone knows: it is charged in full.
  if (end.type === "failed" && port.signal.aborted)
    port.lose(intended.callId, "stopped while the answer was arriving", text);
  else port.settle(intended.callId, end, model, text);
  return end;
}

function requestOf(question: Question): Omit<ModelRequest, "maxTokens"> {
  const { assignment, port, route, talk, turn, aside } = question;
  const { role, stepId, conversation } = assignment;
  return {
    model: route.current().ref,
    system: assignment.system,
    messages: aside?.messages ?? talk.messages,
    tools: aside?.withoutTools ? [] : port.tools.specs(assignment.grant, route.current()),
    asker: { role, stepId, conversation, turn, ...(aside ? { purpose: aside.purpose } : {}) },
  };
}

/** The end of the attempt, and the text that arrived before it. */
async function send(
  asked: Omit<ModelRequest, "maxTokens">,
  { callId, maxTokens, reservation }: Extract<IntendResult, { type: "held" }>,
  port: StepPort,
): Promise<{ readonly end: CallEnd; readonly text: string }> {
  const request = { ...asked, maxTokens };
  const inputTokensHeld = reservation.heldTokens - maxTokens;
  let text = "";
  for await (const event of port.models.send(request, { callId, signal: port.signal, inputTokensHeld })) {
    if (event.type === "answered" || event.type === "failed") return { end: event, text };
    if (event.type === "text") text += event.text;
    tellDelta(event, request.asker.stepId, port);
  }
  throw new Error("a provider ended without an end event");
}

function tellDelta(event: Exclude<ModelEvent, CallEnd>, stepId: string, port: StepPort): void {
  switch (event.type) {
    case "text":
      port.tell({ type: "delta.text", stepId, text: event.text });
      break;
    case "tool_call":
      port.tell({ type: "delta.tool_call", stepId, tool: event.name });
      break;
    case "reasoning":
      break;
    default:
      unreachable(event);
  }
}

/** A conversation that was made smaller for it and is too long all the same has come to its end. */
function tooLong({ context }: Conversation, outcome: AgentOutcome): AgentOutcome {
  const isTooLong = outcome.type === "failed" && outcome.class === "overflow" && context.isFresh;
  return isTooLong ? { ...outcome, class: "context-exhausted" } : outcome;
}

/** Nothing more to try: is it the provider's state, the user's credentials, or the request itself? */
function outcomeOf(failure: ModelFailure): AgentOutcome {
  if (failure.class === "auth") return { type: "stopped", why: "credentials", reason: failure.message };
  if (isTransient(failure.class) || failure.class === "quota") {
    return { type: "stopped", why: "unavailable", reason: failure.message };
  }
  return { type: "failed", class: failure.class, reason: failure.message };
}
