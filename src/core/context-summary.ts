import type { Mask, SummaryDraft } from "./context-view.ts";
import type { Conversation } from "./conversation.ts";
import type { Message, ToolCall } from "./model.ts";
import { quoteData } from "./template.ts";
import { renderTodos } from "./todos.ts";

/** Of what a model says in a summary, and of the output of a check that fails; in characters. */
const LONGEST_SUMMARY = 16_000;
const LONGEST_FAILURE = 6_000;
/** Of the files that were read, the latest. */
const MOST_FILES = 80;
/** Of the arguments of a call whose result is left out. */
const LONGEST_ARGUMENTS = 160;
/** Answers without a word of summary, before one is made without a model. */
const MOST_DRAFTS = 2;
/** In what is given to be summarised a second time, because it was too long the first time. */
const EXCERPT_CHARACTERS = 400;

/** What came of the question for a summary. `text` null: nobody gave one, and it is made without. */
export type SummaryAnswer = { readonly type: "ask" } | { readonly type: "made"; readonly text: string | null };

/** Is there a summary among the answers so far, and if not, is it worth to ask again? */
export function summaryOf(drafts: readonly SummaryDraft[]): SummaryAnswer {
  for (const { parts } of drafts) {
    const text = parts.flatMap((part) => (part.kind === "text" ? [part.text.trim()] : [])).join("\n");
    if (text.trim() !== "") return { type: "made", text: cut(text.trim(), LONGEST_SUMMARY) };
  }
  return drafts.length < MOST_DRAFTS ? { type: "ask" } : { type: "made", text: null };
}

/**
 * The message that stands for all between the task and the tail. What a model may have forgotten is in it word by word:
 * the files, the list of work, the check that fails. The task stays as it is before it.
 */
export function summaryText(talk: Conversation, summary: string | null): string {
  const { context, seen, todos } = talk;
  const read = Object.keys(seen).filter((path) => !context.changed.includes(path));
  const sections = [
    "The conversation between the task above and what follows became too long and was left out. This is what remains of it. The files are as they were left; read again what you need of them.",
    section(
      "Summary",
      summary ?? context.summary ?? "Nobody could give one. Look at the files and at the list of work.",
    ),
    section("Files changed so far", lines(context.changed)),
    section("Files read so far", lines(read.slice(-MOST_FILES))),
    section("List of work", todos.length === 0 ? "" : renderTodos(todos)),
    section("The check, when it last failed", context.failing === null ? "" : failureText(context.failing)),
  ];
  return sections.filter((part) => part !== "").join("\n\n");
}

/** What stands for each of these results, in the order of the talk. */
export function masksOf(messages: readonly Message[], toolCallIds: readonly string[]): readonly Mask[] {
  const calls = new Map(messages.flatMap(callsOf).map((call) => [call.id, call]));
  return messages.flatMap((message): readonly Mask[] => {
    if (message.role !== "tool" || !toolCallIds.includes(message.toolCallId)) return [];
    const asked = calls.get(message.toolCallId)?.rawArguments ?? "";
    const kept = keptPath(message.text);
    const again = kept === null ? "Call it again if you need it." : `All of it is in ${kept}.`;
    const text = `[Left out to make room: ${message.text.length} characters that ${message.name} ${cut(asked, LONGEST_ARGUMENTS)} gave. ${again}]`;
    return [{ toolCallId: message.toolCallId, text }];
  });
}

/** A conversation as it is given to be summarised where it is too long for its model: results of tools in excerpts. */
export function excerpts(messages: readonly Message[]): readonly Message[] {
  return messages.map((message) =>
    message.role === "tool" ? { ...message, text: cut(message.text, EXCERPT_CHARACTERS) } : message,
  );
}

/** Where a result says that all of it is kept; null: nowhere. */
function keptPath(text: string): string | null {
  const [, path] = /: (\.ccp-output\/[0-9a-f]+\.txt), for read and grep alone\]$/.exec(text) ?? [];
  return path ?? null;
}

function callsOf(message: Message): readonly ToolCall[] {
  return message.role === "assistant" ? message.parts.filter((part) => part.kind === "tool_call") : [];
}

function section(title: string, text: string): string {
  return text === "" ? "" : `## ${title}\n\n${text}`;
}

function lines(paths: readonly string[]): string {
  return paths.map((path) => `- ${JSON.stringify(path)}`).join("\n");
}

function failureText(text: string): string {
  const end = text.length <= LONGEST_FAILURE ? text : `… ${text.slice(-LONGEST_FAILURE)}`;
  return quoteData("check", end);
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length)}…`;
}
