import type { Conversation, Reminder } from "./conversation.ts";
import type { FailureClass } from "./failure.ts";
import type { Json } from "./json.ts";
import { callSignature, isReminderDue, verdictOnCall } from "./loop.ts";
import type { ToolCall } from "./model.ts";
import type { ToolUse } from "./ports.ts";

/** What an agent does next in its conversation. */
export type Turn =
  | { readonly type: "ask" }
  /** Of these, from the first on, as many at once as `togetherOf` allows. */
  | { readonly type: "call-tools"; readonly calls: readonly ToolCall[] }
  /** A call that goes on in a circle: the model is told so, and nothing is carried out. */
  | { readonly type: "refuse-call"; readonly call: ToolCall }
  | { readonly type: "say"; readonly why: Reminder }
  | { readonly type: "finish"; readonly value: Json }
  | { readonly type: "fail"; readonly class: FailureClass; readonly reason: string };

/** Reminders before an agent that has stopped calling tools counts as `incomplete`. */
const MAX_NUDGES = 2;
/** Answers in a row that are malformed, empty, cut or a chant, and end a conversation. */
const MAX_IN_A_ROW = 3;
/** Answers in a row with a denied call: whoever knocks so often has understood nothing of what it was told. */
const MAX_DENIED = 5;
/** Calls that are carried out side by side. */
const MAX_TOGETHER = 8;

/**
 * One turn of the loop. Only an accepted `finish` counts as an end: a model that merely stops is reminded and then
 * given up. The stop reason is never trusted when there are tool calls, except that a truncated answer runs none.
 */
export function nextTurn(talk: Conversation, maxTurns: number): Turn {
  if (talk.finish !== null) return { type: "finish", value: talk.finish };
  const { malformed, denied } = talk.faults;
  if (malformed >= MAX_IN_A_ROW) return fail("malformed", `malformed tool calls in ${malformed} answers in a row`);
  if (denied >= MAX_DENIED)
    return fail("denied", `tool calls that its role may not make in ${denied} answers in a row`);
  if (talk.lastStop === "refusal") return fail("refusal", "the model refused the request");
  if (talk.chants > 0 && talk.messages.at(-1)?.role === "assistant") return afterChant(talk);
  if (talk.lastStop === "length") return afterTruncation(talk);
  const [call] = talk.pending;
  if (call) return onCalls(talk, call);
  if (talk.messages.at(-1)?.role === "assistant") return afterSilence(talk);
  if (talk.turns >= maxTurns) return fail("max-turns", `no finish within ${maxTurns} turns`);
  if (isReminderDue(talk.trail)) return { type: "say", why: "loop" };
  return { type: "ask" };
}

/**
 * The calls of an answer that are carried out side by side, from the first on: those that change nothing, or one that may.
 * What is answered without being carried out changes nothing either.
 */
export function togetherOf(uses: readonly ToolUse[]): readonly ToolUse[] {
  const [first] = uses;
  if (first && mayChange(first)) return [first];
  const end = uses.findIndex(mayChange);
  return uses.slice(0, Math.min(MAX_TOGETHER, end < 0 ? uses.length : end));
}

function mayChange({ check }: ToolUse): boolean {
  return check.type === "ready" && (check.effect === "write" || check.effect === "execute");
}

/** Only the first call is judged: what comes before the others is not known yet, and may be what was missing. */
function onCalls(talk: Conversation, first: ToolCall): Turn {
  switch (verdictOnCall(talk.trail, callSignature(first))) {
    case "run":
      return { type: "call-tools", calls: talk.pending.slice(0, MAX_TOGETHER) };
    case "refuse":
      return { type: "refuse-call", call: first };
    case "end":
      return fail("loop", `the same calls again, with the same results, after a reminder and a refusal`);
  }
}

function afterChant(talk: Conversation): Turn {
  if (talk.chants >= MAX_IN_A_ROW)
    return fail("loop", `the same words over and over in ${talk.chants} answers in a row`);
  return { type: "say", why: "loop" };
}

function afterTruncation(talk: Conversation): Turn {
  if (talk.truncations >= MAX_IN_A_ROW)
    return fail("malformed", `${talk.truncations} answers in a row were cut at the output limit`);
  return { type: "say", why: "truncated" };
}

function afterSilence(talk: Conversation): Turn {
  if (talk.empties >= MAX_IN_A_ROW) return fail("empty", `${talk.empties} empty answers in a row`);
  if (talk.empties > 0) return { type: "say", why: "empty" };
  if (talk.nudges >= MAX_NUDGES) return fail("incomplete", "the model stopped without calling finish");
  return { type: "say", why: "nudge" };
}

function fail(failure: FailureClass, reason: string): Turn {
  return { type: "fail", class: failure, reason };
}
