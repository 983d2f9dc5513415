import type { Conversation, Reminder } from "./conversation.ts";
import type { FailureClass } from "./failure.ts";
import type { Json } from "./json.ts";
import type { ToolCall } from "./model.ts";

/** What an agent does next in its conversation. */
export type Turn =
  | { readonly type: "ask" }
  | { readonly type: "call-tool"; readonly call: ToolCall }
  | { readonly type: "say"; readonly why: Reminder }
  | { readonly type: "finish"; readonly value: Json }
  | { readonly type: "fail"; readonly class: FailureClass; readonly reason: string };

/** Reminders before an agent that has stopped calling tools counts as `incomplete`. */
const MAX_NUDGES = 2;
/** Malformed calls, empty answers or truncated answers in a row that end a conversation. */
const MAX_IN_A_ROW = 3;

/**
 * One turn of the loop. Only an accepted `finish` counts as an end: a model that merely stops is reminded and then
 * given up. The stop reason is never trusted when there are tool calls, except that a truncated answer runs none.
 */
export function nextTurn(talk: Conversation, maxTurns: number): Turn {
  if (talk.finish !== null) return { type: "finish", value: talk.finish };
  if (talk.malformed >= MAX_IN_A_ROW) return fail("malformed", `${talk.malformed} malformed tool calls in a row`);
  if (talk.lastStop === "refusal") return fail("refusal", "the model refused the request");
  if (talk.lastStop === "length") return afterTruncation(talk);
  const call = talk.pending[0];
  if (call) return { type: "call-tool", call };
  if (talk.messages.at(-1)?.role === "assistant") return afterSilence(talk);
  if (talk.turns >= maxTurns) return fail("incomplete", `no finish within ${maxTurns} turns`);
  return { type: "ask" };
}

function afterTruncation(talk: Conversation): Turn {
  if (talk.truncations >= MAX_IN_A_ROW)
    return fail("malformed", `${talk.truncations} answers in a row were cut at the output limit`);
  return { type: "say", why: "truncated" };
}

function afterSilence(talk: Conversation): Turn {
  if (talk.empties >= MAX_IN_A_ROW) return fail("incomplete", `${talk.empties} empty answers in a row`);
  if (talk.empties > 0) return { type: "say", why: "empty" };
  if (talk.nudges >= MAX_NUDGES) return fail("incomplete", "the model stopped without calling finish");
  return { type: "say", why: "nudge" };
}

function fail(failure: FailureClass, reason: string): Turn {
  return { type: "fail", class: failure, reason };
}
