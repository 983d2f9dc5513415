import { planReservation } from "../core/budget.ts";
import { applyUtterance, type Conversation, EMPTY_CONVERSATION } from "../core/conversation.ts";
import { unreachable } from "../core/errors.ts";
import { afterFailedAttempt, isTransient } from "../core/failure.ts";
import type { ModelEvent, ModelFacts, ModelFailure, ModelRequest } from "../core/model.ts";
import type { AgentOutcome, Assignment, StepPort } from "../core/ports.ts";
import type { CallEnd } from "../core/settlement.ts";
import type { Route } from "./route.ts";

interface Question {
  readonly assignment: Assignment;
  readonly port: StepPort;
  readonly route: Route;
  /** Ordinal of the model call in its conversation. */
  readonly turn: number;
}

/** Asks until there is an answer on record (null) or nothing more can be tried. Every attempt is a call of its own. */
export async function askModel(question: Question): Promise<AgentOutcome | null> {
  const { port, route } = question;
  const talk = port.utterances().reduce(applyUtterance, EMPTY_CONVERSATION);
  for (let attempts = 1; ; attempts++) {
    const end = await attempt(question, talk);
    if (end.type === "answered") return null;
    if (end.type !== "failed") return end;
    const stop = port.stopRequested();
    if (stop) return { type: "stopped", why: stop, reason: end.failure.message };

    const decision = afterFailedAttempt({
      class: end.failure.class,
      retryAfterMs: end.failure.retryAfterMs,
      attempts,
      candidatesLeft: route.left(),
      random: port.chance.random(),
    });
    if (decision.type === "give-up") return outcomeOf(end.failure);
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
async function attempt(
  question: Question,
  talk: Conversation,
): Promise<CallEnd | Extract<AgentOutcome, { type: "stopped" }>> {
  const { port, route } = question;
  const model = route.current();
  const request = requestOf(question, talk);
  const wantedOutputTokens = Math.min(model.maxOutputTokens, question.assignment.maxOutputTokens);
  const intended = await port.intend({
    model,
    request,
    inputTokensBound: await inputBound(request, model, wantedOutputTokens, port),
    wantedOutputTokens,
  });
  if (intended.type === "refused") return { type: "stopped", why: intended.why, reason: intended.reason };
  const end = await send({ ...request, maxTokens: intended.maxTokens }, intended.callId, port);
  // What was cut off by our own stop has no outcome that anyone knows: it is charged in full.
  if (end.type === "failed" && port.signal.aborted) port.lose(intended.callId, "stopped while the answer was arriving");
  else port.settle(intended.callId, end, model);
  return end;
}

/** The quick bound where it leaves room for a whole answer, else the tightest that can be had. */
async function inputBound(
  request: Omit<ModelRequest, "maxTokens">,
  model: ModelFacts,
  wantedOutputTokens: number,
  port: StepPort,
): Promise<number> {
  const quick = port.models.inputBound(request);
  const plan = planReservation({
    price: model.price,
    inputTokensBound: quick,
    wantedOutputTokens,
    headroom: port.headroom(),
  });
  return plan.type === "fits" && !plan.shrunk ? quick : port.models.tightInputBound(request);
}

function requestOf(question: Question, talk: Conversation): Omit<ModelRequest, "maxTokens"> {
  const { assignment, port, route, turn } = question;
  return {
    model: route.current().ref,
    system: assignment.system,
    messages: talk.messages,
    tools: port.tools.specs(assignment.grant),
    asker: { role: assignment.role, stepId: assignment.stepId, conversation: assignment.conversation, turn },
  };
}

async function send(request: ModelRequest, callId: string, port: StepPort): Promise<CallEnd> {
  for await (const event of port.models.send(request, { callId, signal: port.signal })) {
    if (event.type === "answered" || event.type === "failed") return event;
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

/** Nothing more to try: is it the provider's state, the user's credentials, or the request itself? */
function outcomeOf(failure: ModelFailure): AgentOutcome {
  if (failure.class === "auth") return { type: "stopped", why: "credentials", reason: failure.message };
  if (isTransient(failure.class) || failure.class === "quota" || failure.class === "stalled") {
    return { type: "stopped", why: "unavailable", reason: failure.message };
  }
  return { type: "failed", class: failure.class, reason: failure.message };
}
