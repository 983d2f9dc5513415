import { isOfCredential } from "../core/breaker.ts";
import type { Conversation } from "../core/conversation.ts";
import { unreachable } from "../core/errors.ts";
import { isTransient } from "../core/failure.ts";
import type { Asker, ModelEvent, ModelFacts, ModelFailure } from "../core/model.ts";
import type { AgentOutcome, CallIntent, FailedCall, IntendResult, StepPort } from "../core/ports.ts";
import type { CallEnd } from "../core/settlement.ts";
import { anotherKey, type Entrance, enterLane } from "./enter-lane.ts";
import { canShorten } from "./measure-context.ts";
import { outputCeiling, type Question, routeOf } from "./question.ts";
import type { Route } from "./route.ts";

/**
 * Asks until there is an answer on record, or others are to be asked than before (null), or nothing more can be tried.
 * Every attempt is a call of its own.
 */
export async function askModel(question: Question): Promise<AgentOutcome | null> {
  const { port, talk } = question;
  const route = routeOf(question);
  let entrance: Entrance | null = null;
  let tries = noTries(route.current());
  /** The window that has turned out too small, in tokens: smaller ones are not asked. */
  let tooSmall: number | null = null;
  const spent = new Set<ModelFacts>();
  for (;;) {
    const entered: Awaited<ReturnType<typeof enterLane>> =
      entrance ?? (await enterLane(question, (model) => intentOf(question, model), tooSmall));
    entrance = null;
    // The windows of others may be others: it is looked at anew what can be sent to them.
    if (entered.type === "rerouted") return null;
    if (entered.type === "stopped") return entered;
    const model = route.current();
    if (model !== tries.model) tries = noTries(model);
    const intent = { ...intentOf(question, model), credential: entered.credential };
    const end = await attempt(question, intent);
    if (end.type === "answered") return null;
    if (end.type === "spent") {
      // Others have used it up since it was let in: it is not let in again, unless they gave it back.
      if (spent.has(model)) return { type: "stopped", why: "window", reason: end.reason };
      spent.add(model);
      continue;
    }
    if (end.type !== "failed") return end;
    const stop = port.stopRequested();
    if (stop) return { type: "stopped", why: stop, reason: end.failure.message };

    if (end.failure.class === "overflow") {
      if (question.aside) return outcomeOf(end.failure);
      if (canShorten(question)) return null;
    }
    if (entered.credential !== null && isOfCredential(end.failure.class)) {
      tries = { ...tries, failedKeys: [...tries.failedKeys, entered.credential] };
      entrance = await anotherKey(question, intent, tries.failedKeys);
      if (entrance) continue;
    }
    tries = { ...tries, attempts: tries.attempts + 1 };
    const decision = port.afterFailure(failedCall(end.failure, tries.attempts, route), askerOf(question));
    if (decision.type === "give-up") return tooLong(talk, outcomeOf(end.failure));
    if (decision.type === "next-candidate") {
      if (end.failure.class === "overflow") tooSmall = model.contextWindow ?? 0;
      route.advance(decision.index);
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

/** What has been tried with one model for this call. Its keys in turn are one attempt. */
interface Tries {
  readonly model: ModelFacts;
  readonly attempts: number;
  readonly failedKeys: readonly string[];
}

function noTries(model: ModelFacts): Tries {
  return { model, attempts: 0, failedKeys: [] };
}

function failedCall(failure: ModelFailure, attempts: number, route: Route): FailedCall {
  return {
    class: failure.class,
    retryAfterMs: failure.retryAfterMs,
    shouldRetry: failure.shouldRetry ?? null,
    attempts,
    candidate: route.current(),
    ahead: route.ahead(),
  };
}

/** Reserve, send, settle: one attempt. */
async function attempt(
  { port }: Question,
  intent: CallIntent,
): Promise<CallEnd | Extract<AgentOutcome, { type: "stopped" }> | { readonly type: "spent"; readonly reason: string }> {
  const { model } = intent;
  const intended = await port.intend(intent);
  if (intended.type === "spent") return intended;
  if (intended.type === "refused") return { type: "stopped", why: intended.why, reason: intended.reason };
  const { end, text } = await send(intent, intended, port);
  // What was cut off by our own stop has no outcome that anyone knows: it is charged in full.
  if (end.type === "failed" && port.signal.aborted)
    port.lose(intended.callId, "stopped while the answer was arriving", text);
  else port.settle(intended.callId, end, model, text);
  return end;
}

function askerOf({ assignment, turn, aside }: Question): Asker {
  const { role, stepId, conversation } = assignment;
  return { role, stepId, conversation, turn, ...(aside ? { purpose: aside.purpose } : {}) };
}

/** What would be asked of a model now. */
export function intentOf(question: Question, model: ModelFacts): CallIntent {
  const { assignment, port, talk, aside } = question;
  const request = {
    model: model.ref,
    system: assignment.system,
    messages: aside?.messages ?? talk.messages,
    tools: aside?.withoutTools ? [] : port.tools.specs(assignment.grant, model),
    asker: askerOf(question),
  };
  return { model, request, wantedOutputTokens: outputCeiling(model, question) };
}

/** The end of the attempt, and the text that arrived before it. */
async function send(
  { request: asked, credential = null }: CallIntent,
  { callId, maxTokens, reservation }: Extract<IntendResult, { type: "held" }>,
  port: StepPort,
): Promise<{ readonly end: CallEnd; readonly text: string }> {
  const request = { ...asked, maxTokens };
  const inputTokensHeld = reservation.heldTokens - maxTokens;
  let text = "";
  for await (const event of port.models.send(request, { callId, signal: port.signal, inputTokensHeld, credential })) {
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
