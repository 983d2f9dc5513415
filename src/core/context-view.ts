import type { Message, Part, StopReason } from "./model.ts";
import { changesFiles, TOOL_NAMES, type ToolName } from "./permission.ts";
import type { SeenFile } from "./seen.ts";

/** What stands in the place of a tool's result that was taken out of a conversation's view. */
export interface Mask {
  readonly toolCallId: string;
  readonly text: string;
}

/** An answer to the question for a summary: no part of the conversation. */
export interface SummaryDraft {
  readonly parts: readonly Part[];
  readonly stop: StopReason;
}

/** Why a view is made smaller that fits for all we know: a provider has refused it, at so many estimated tokens. */
interface Refusal {
  readonly refusedAt?: number;
}

/** One way in which the view of a conversation is made smaller. The record keeps all of it. */
export type Shortening =
  /** Old results of tools give way to a line each. */
  | ({ readonly type: "pruned"; readonly masks: readonly Mask[] } & Refusal)
  /** One message stands for all between the task and the tail. */
  | ({
      readonly type: "summarised";
      /** The message. */
      readonly text: string;
      /** What a model said in it; null: no model was asked, or none gave one. */
      readonly summary: string | null;
      /** Index, in the view before, of the first message that stays. */
      readonly upTo: number;
      /** False: it is not a fifth smaller than before. */
      readonly shrank: boolean;
    } & Refusal);

/** What happens to a conversation's view and is no word of the talk. */
export type ContextUtterance =
  | Shortening
  | ({ readonly type: "draft" } & SummaryDraft)
  /** A provider has refused the view: it is too long for its model. */
  | { readonly type: "refused"; readonly model: string };

/** What of a word of the talk says something of its view. */
type Word =
  | { readonly type: "said"; readonly why: string; readonly text: string }
  | { readonly type: "answered"; readonly counted?: { readonly model: string; readonly tokens: number } }
  | {
      readonly type: "tool";
      readonly toolCallId: string;
      readonly name: string;
      readonly status: string;
      readonly seen?: readonly SeenFile[];
      readonly advice?: readonly string[];
    };

/** What is known of a conversation's view, and of what was done about it. */
export interface ContextState {
  /** What the provider counted as input of the last answer, and how many messages it was asked with; null: unknown. */
  readonly counted: { readonly model: string; readonly tokens: number; readonly messages: number } | null;
  /** Results of tools that have given way. */
  readonly masked: ReadonlySet<string>;
  /** Answers to the question for a summary since the last one. */
  readonly drafts: readonly SummaryDraft[];
  /** Summaries in a row that made nothing better. */
  readonly stuck: number;
  /** True: the view was made smaller since the model last answered. */
  readonly isFresh: boolean;
  /** The model for which the view as it is was refused as too long; null: it was not. */
  readonly refusedBy: string | null;
  /** The least, in estimated tokens, that was too long for a model whatever is known of its window; null: nothing was. */
  readonly tooLong: { readonly model: string; readonly tokens: number } | null;
  /** The last summary of a model's; null: there is none. */
  readonly summary: string | null;
  /** What was last said of the check that fails; null: none has. */
  readonly failing: string | null;
  /** Files that tools have changed, in the order of their first change. */
  readonly changed: readonly string[];
  /** Files of the repository whose advice is in the view, and the call whose result has it. */
  readonly advised: Readonly<Record<string, string>>;
}

/** Of a conversation without a word. */
export const EMPTY_CONTEXT: ContextState = {
  counted: null,
  masked: new Set(),
  drafts: [],
  stuck: 0,
  isFresh: false,
  refusedBy: null,
  tooLong: null,
  summary: null,
  failing: null,
  changed: [],
  advised: {},
};

/** True for what is no part of the talk. */
export function isContextUtterance(
  utterance: ContextUtterance | { readonly type: string },
): utterance is ContextUtterance {
  return ["pruned", "draft", "summarised", "refused"].includes(utterance.type);
}

/** The messages that are sent from here on. Never parts a call from its result. */
export function viewAfter(messages: readonly Message[], utterance: ContextUtterance): readonly Message[] {
  switch (utterance.type) {
    case "draft":
    case "refused":
      return messages;
    case "pruned": {
      const texts = new Map(utterance.masks.map(({ toolCallId, text }) => [toolCallId, text]));
      return messages.map((message) => {
        const text = message.role === "tool" ? texts.get(message.toolCallId) : undefined;
        return text === undefined ? message : { ...message, text };
      });
    }
    case "summarised":
      return [...messages.slice(0, 1), { role: "user", text: utterance.text }, ...messages.slice(utterance.upTo)];
  }
}

/** Folds one utterance into what is known of the view; `asked`: how many messages the view had before it. */
export function contextAfter(context: ContextState, utterance: ContextUtterance | Word, asked: number): ContextState {
  switch (utterance.type) {
    case "said":
      return utterance.why === "check-failed" ? { ...context, failing: utterance.text } : context;
    case "tool":
      return {
        ...context,
        changed: withChanged(context.changed, utterance),
        advised: withAdvised(context.advised, utterance),
      };
    case "answered": {
      const counted = utterance.counted ? { ...utterance.counted, messages: asked } : context.counted;
      return { ...context, counted, isFresh: false, refusedBy: null };
    }
    case "draft":
      return { ...context, drafts: [...context.drafts, { parts: utterance.parts, stop: utterance.stop }] };
    case "refused":
      return { ...context, refusedBy: utterance.model };
    case "pruned": {
      const masked = new Set([...context.masked, ...utterance.masks.map(({ toolCallId }) => toolCallId)]);
      return { ...shortened(context, utterance), masked, advised: unmasked(context.advised, masked) };
    }
    case "summarised":
      return {
        ...shortened(context, utterance),
        drafts: [],
        advised: {},
        stuck: utterance.shrank ? 0 : context.stuck + 1,
        summary: utterance.summary ?? context.summary,
      };
  }
}

/** What was counted is the size of another view. */
function shortened(context: ContextState, { refusedAt }: Refusal): ContextState {
  const { refusedBy, tooLong } = context;
  const known = tooLong?.model === refusedBy ? (tooLong?.tokens ?? Number.POSITIVE_INFINITY) : Number.POSITIVE_INFINITY;
  const isNew = refusedBy !== null && refusedAt !== undefined && refusedAt < known;
  return {
    ...context,
    counted: null,
    isFresh: true,
    refusedBy: null,
    tooLong: isNew ? { model: refusedBy, tokens: refusedAt } : tooLong,
  };
}

function withChanged(
  changed: readonly string[],
  { name, status, seen }: Extract<Word, { type: "tool" }>,
): readonly string[] {
  const isWriter = TOOL_NAMES.includes(name as ToolName) && changesFiles(name as ToolName);
  if (!isWriter || status !== "ok" || seen === undefined) return changed;
  return [...new Set([...changed, ...seen.map(({ path }) => path)])];
}

function withAdvised(
  advised: ContextState["advised"],
  { toolCallId, advice = [] }: Extract<Word, { type: "tool" }>,
): ContextState["advised"] {
  return advice.length === 0
    ? advised
    : { ...advised, ...Object.fromEntries(advice.map((path) => [path, toolCallId])) };
}

/** Advice that went with its result is given again when its folder is touched again. */
function unmasked(advised: ContextState["advised"], masked: ReadonlySet<string>): ContextState["advised"] {
  return Object.fromEntries(Object.entries(advised).filter(([, toolCallId]) => !masked.has(toolCallId)));
}
