import type { Json } from "./json.ts";
import type { Message, Part, StopReason, ToolCall } from "./model.ts";
import { type SeenFile, type SeenFiles, withSeen } from "./seen.ts";
import { type TodoItem, todosIn } from "./todos.ts";

/** What the agent loop says of its own accord to a model that does not get on. */
export type Reminder = "nudge" | "truncated" | "empty";

/** Why the model is spoken to. */
export type Saying = "task" | Reminder | "check-failed";

/** One fact of a conversation, payload in hand. */
export type Utterance =
  | { readonly type: "said"; readonly why: Saying; readonly text: string }
  | { readonly type: "answered"; readonly parts: readonly Part[]; readonly stop: StopReason }
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
  /** Malformed tool calls in a row. */
  readonly malformed: number;
  /** Answers cut at the ceiling, in a row. */
  readonly truncations: number;
  /** Set once `finish` was accepted; cleared when the engine answers (its check failed, say). */
  readonly finish: Json | null;
  /** What was last seen of files. */
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
  malformed: 0,
  truncations: 0,
  finish: null,
  seen: {},
  todos: [],
};

/** Folds one utterance into the conversation. */
export function applyUtterance(talk: Conversation, utterance: Utterance): Conversation {
  switch (utterance.type) {
    case "said":
      return {
        ...talk,
        messages: [...talk.messages, { role: "user", text: utterance.text }],
        pending: [],
        lastStop: null,
        finish: null,
        nudges: utterance.why === "check-failed" ? 0 : talk.nudges + (utterance.why === "nudge" ? 1 : 0),
      };
    case "answered":
      return answered(talk, utterance.parts, utterance.stop);
    case "tool":
      return {
        ...talk,
        messages: [
          ...talk.messages,
          {
            role: "tool",
            toolCallId: utterance.toolCallId,
            name: utterance.name,
            text: utterance.text,
            isError: utterance.status !== "ok",
          },
        ],
        pending: talk.pending.filter((call) => call.id !== utterance.toolCallId),
        nudges: 0,
        malformed:
          utterance.status === "error" && utterance.text.startsWith(MALFORMED_MARK)
            ? talk.malformed + 1
            : utterance.status === "ok"
              ? 0
              : talk.malformed,
        finish: utterance.finish ?? talk.finish,
        seen: withSeen(talk.seen, utterance.seen),
        todos: utterance.name === "todo" && utterance.status === "ok" ? todosIn(utterance.text) : talk.todos,
      };
  }
}

/** How the text of a result begins when the call itself was wrong: an unknown tool or arguments off its schema. */
export const MALFORMED_MARK = "Malformed call: ";

function answered(talk: Conversation, parts: readonly Part[], stop: StopReason): Conversation {
  const isEmpty = parts.every((part) => part.kind === "reasoning" || (part.kind === "text" && part.text.trim() === ""));
  return {
    ...talk,
    messages: [...talk.messages, { role: "assistant", parts }],
    turns: talk.turns + 1,
    pending: parts.filter((part) => part.kind === "tool_call"),
    lastStop: stop,
    empties: isEmpty ? talk.empties + 1 : 0,
    truncations: stop === "length" ? talk.truncations + 1 : 0,
  };
}
