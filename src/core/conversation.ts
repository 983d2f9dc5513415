import { chants } from "./chant.ts";
import {
  type ContextState,
  type ContextUtterance,
  contextAfter,
  EMPTY_CONTEXT,
  isContextUtterance,
  viewAfter,
} from "./context-view.ts";
import { atNextAnswer, type Faults, NO_FAULTS, withResult } from "./faults.ts";
import type { Json } from "./json.ts";
import { callSignature, NO_TRAIL, REPEATED_MARK, type Trail, withDeed, withReminder } from "./loop.ts";
import type { Message, Part, StopReason, ToolCall } from "./model.ts";
import { type SeenFile, type SeenFiles, withSeen } from "./seen.ts";
import { type TodoItem, todosIn } from "./todos.ts";

/** What the agent loop says of its own accord to a model that does not get on. */
export type Reminder = "nudge" | "truncated" | "empty" | "loop";

/** Why the model is spoken to. */
export type Saying = "task" | Reminder | "check-failed";

/** One fact of a conversation, payload in hand. */
export type Utterance =
  | { readonly type: "said"; readonly why: Saying; readonly text: string }
  | {
      readonly type: "answered";
      readonly parts: readonly Part[];
      readonly stop: StopReason;
      /** Input tokens as the provider has counted them; missing: it has not. */
      readonly counted?: { readonly model: string; readonly tokens: number };
    }
  | ContextUtterance
  | {
      readonly type: "tool";
      readonly toolCallId: string;
      readonly name: string;
      readonly text: string;
      readonly status: "ok" | "error" | "denied";
      /** The accepted finish value; null for everything else. */
      readonly finish: Json | null;
      /** Files whose content the call has shown or made. */
      readonly seen?: readonly SeenFile[];
      /** Files of the repository whose advice is in the text. */
      readonly advice?: readonly string[];
      /** The job that goes on after it. */
      readonly job?: string;
    };

/** An agent's step in small: the fold of its own events. */
export interface Conversation {
  readonly messages: readonly Message[];
  /** Answers so far, which is also the number of model calls that gave one. */
  readonly turns: number;
  /** Tool calls of the last answer without a result, in call order. */
  readonly pending: readonly ToolCall[];
  readonly lastStop: StopReason | null;
  /** Reminders to finish since the last tool call. */
  readonly nudges: number;
  /** Answers without anything in them, in a row. */
  readonly empties: number;
  /** Calls that came to nothing, in a row. */
  readonly faults: Faults;
  /** Answers cut at the ceiling, in a row. */
  readonly truncations: number;
  /** Answers in a row that say the same words again and again, and call nothing. */
  readonly chants: number;
  /** What was called last, and what came of it. */
  readonly trail: Trail;
  /** Set once `finish` was accepted; cleared when the engine answers (its check failed, say). */
  readonly finish: Json | null;
  /** How the messages came to be fewer than were said, and how large they are. */
  readonly context: ContextState;
  /** What was last seen of files: it outlives every shortening of the messages. */
  readonly seen: SeenFiles;
  /** The list of work as it was last sent. */
  readonly todos: readonly TodoItem[];
}

/** Before the first word. */
export const EMPTY_CONVERSATION: Conversation = {
  messages: [],
  turns: 0,
  pending: [],
  lastStop: null,
  nudges: 0,
  empties: 0,
  faults: NO_FAULTS,
  truncations: 0,
  chants: 0,
  trail: NO_TRAIL,
  finish: null,
  context: EMPTY_CONTEXT,
  seen: {},
  todos: [],
};

/** Folds one utterance into the conversation. */
export function applyUtterance(talk: Conversation, utterance: Utterance): Conversation {
  const next = isContextUtterance(utterance)
    ? { ...talk, messages: viewAfter(talk.messages, utterance) }
    : applyTalk(talk, utterance);
  return { ...next, context: contextAfter(talk.context, utterance, talk.messages.length) };
}

function applyTalk(talk: Conversation, utterance: Exclude<Utterance, ContextUtterance>): Conversation {
  switch (utterance.type) {
    case "said":
      return said(talk, utterance);
    case "answered":
      return answered(talk, utterance.parts, utterance.stop);
    case "tool":
      return {
        ...talk,
        messages: [...talk.messages, resultOf(utterance)],
        pending: talk.pending.filter((call) => call.id !== utterance.toolCallId),
        nudges: 0,
        faults: withResult(talk.faults, utterance),
        trail: withTrail(talk, utterance),
        finish: utterance.finish ?? talk.finish,
        seen: withSeen(talk.seen, utterance.seen),
        todos: utterance.name === "todo" && utterance.status === "ok" ? todosIn(utterance.text) : talk.todos,
      };
  }
}

type Said = Extract<Utterance, { type: "said" }>;
type Result = Extract<Utterance, { type: "tool" }>;

function said(talk: Conversation, { why, text }: Said): Conversation {
  return {
    ...talk,
    messages: [...talk.messages, { role: "user", text }],
    pending: [],
    lastStop: null,
    finish: null,
    nudges: why === "check-failed" ? 0 : talk.nudges + (why === "nudge" ? 1 : 0),
    // A check that is red is news: what comes after it repeats nothing.
    trail: why === "check-failed" ? NO_TRAIL : why === "loop" ? withReminder(talk.trail) : talk.trail,
  };
}

function resultOf({ toolCallId, name, text, status }: Result): Message {
  return { role: "tool", toolCallId, name, text, isError: status !== "ok" };
}

function withTrail({ trail, pending }: Conversation, { toolCallId, text, status }: Result): Trail {
  const call = pending.find(({ id }) => id === toolCallId);
  if (call === undefined) return trail;
  const isRefused = status === "error" && text.startsWith(REPEATED_MARK);
  return withDeed(trail, callSignature(call), isRefused ? null : text);
}

function answered(talk: Conversation, parts: readonly Part[], stop: StopReason): Conversation {
  const calls = parts.filter((part) => part.kind === "tool_call");
  const isEmpty = parts.every((part) => part.kind === "reasoning" || (part.kind === "text" && part.text.trim() === ""));
  const isSilent = calls.length === 0 || stop === "length";
  return {
    ...talk,
    messages: [...talk.messages, { role: "assistant", parts }],
    turns: talk.turns + 1,
    pending: calls,
    lastStop: stop,
    empties: isEmpty ? talk.empties + 1 : 0,
    faults: atNextAnswer(talk.faults),
    truncations: stop === "length" ? talk.truncations + 1 : 0,
    chants: isSilent && parts.some(isChant) ? talk.chants + 1 : 0,
  };
}

/** Files may well repeat themselves, so what a call carries is none. */
function isChant(part: Part): boolean {
  return part.kind !== "tool_call" && chants(part.text);
}
