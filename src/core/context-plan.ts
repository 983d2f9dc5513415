import type { ContextState } from "./context-view.ts";
import type { Conversation } from "./conversation.ts";
import { formatModelRef, type Message, type ModelFacts } from "./model.ts";
import { estimateMessage } from "./token-estimate.ts";

/** What a pipeline says of a role's context; what is missing has its default. */
export interface ContextSettings {
  /** Tokens that a request may have; a model's own window may leave fewer. Default: what the window leaves. */
  readonly tokens?: number;
}

/** What the next request would have in it, in estimated tokens, and what it has to fit in. */
export interface ContextSituation {
  readonly messages: readonly SizedMessage[];
  /** Tools and system prompt. */
  readonly fixedTokens: number;
  /** Tokens of the model for one that we estimate. */
  readonly scale: number;
  /** Tokens for all that is sent. */
  readonly room: number;
  readonly state: Pick<ContextState, "masked" | "stuck">;
  /** True: the provider says that it does not fit, whatever we think. */
  readonly isRefused: boolean;
}

/** A message and its tokens, roughly. */
export interface SizedMessage {
  readonly message: Message;
  readonly tokens: number;
}

/** What is to be done before the model is asked again. */
export type ContextPlan =
  | { readonly type: "fits" }
  | { readonly type: "prune"; readonly toolCallIds: readonly string[] }
  /** `upTo`: index of the first message that stays; the task stays before it. */
  | { readonly type: "summarise"; readonly upTo: number }
  | { readonly type: "exhausted"; readonly reason: string };

/** Of a model whose window nobody knows: less than those of today's services, more than a small model is given. */
const UNKNOWN_WINDOW = 128_000;
const UNKNOWN_LOCAL_WINDOW = 32_768;
/** The part of the room that may be full before the view is made smaller. */
const COMPACT_AT = 0.8;
/** The newest results of tools are never pruned, this much of them; nor is the view pruned for less than this. */
const KEPT_OUTPUT_TOKENS = 40_000;
const LEAST_GAIN_TOKENS = 20_000;
const TAIL_TOKENS = 20_000;
/** The same as parts of the room, for windows in which those would be all there is. */
const KEPT_OUTPUT_PART = 0.4;
const LEAST_GAIN_PART = 0.2;
const TAIL_PART = 0.2;
/** What a line takes that stands for a result, and what is reckoned for a summary with its ledger. */
const MASK_TOKENS = 60;
const SUMMARY_TOKENS = 2_000;
/** A view that was made smaller is a fifth smaller, or it was for nothing. */
const MUST_SHRINK_TO = 0.8;
const MOST_STUCK = 2;
/** Below its mark by this much: a view that was pruned is not to be looked at again in the next turn. */
const PRUNED_BELOW = 0.9;
/** Of what was refused, this much is taken for what fits. */
const REFUSED_PART = 0.75;
/** From then on: it was refused when it had grown a little beyond what fits. */
const LEARNT_PART = 0.95;
/** What a model counts of a text is believed within these bounds of our estimate. */
const LEAST_SCALE = 0.6;
const MOST_SCALE = 3;

/** Measures a conversation against its model. `fixedTokens`: estimate of tools and system prompt; `maxOutput`: kept free for the answer. */
export function contextSituation(
  talk: Conversation,
  model: ModelFacts,
  { fixedTokens, maxOutput, settings }: ContextLimits,
): ContextSituation {
  const { counted, refusedBy, tooLong, isFresh } = talk.context;
  const name = formatModelRef(model.ref);
  const most = tooLong?.model === name ? tooLong.tokens * LEARNT_PART : Number.POSITIVE_INFINITY;
  const isOurs = counted !== null && counted.model === name;
  const estimated = fixedTokens + sum(sized(talk.messages.slice(0, counted?.messages ?? 0), 1));
  const scale = isOurs ? Math.min(MOST_SCALE, Math.max(LEAST_SCALE, counted.tokens / Math.max(1, estimated))) : 1;
  return {
    messages: sized(talk.messages, scale),
    fixedTokens: Math.ceil(fixedTokens * scale),
    scale,
    room: Math.min(roomOf(model, maxOutput, settings), Math.floor(most)),
    state: talk.context,
    // A view that was made smaller and is refused again is not ours to mend.
    isRefused: refusedBy !== null && !isFresh,
  };
}

/** What a conversation is measured with beside its model. */
export interface ContextLimits {
  readonly fixedTokens: number;
  readonly maxOutput: number;
  readonly settings: ContextSettings;
}

/** The same situation with other messages. */
export function resized(situation: ContextSituation, messages: readonly Message[]): ContextSituation {
  return { ...situation, messages: sized(messages, situation.scale) };
}

/** All that the next request would have, in estimated tokens. */
export function contextTokens({ fixedTokens, messages }: Pick<ContextSituation, "fixedTokens" | "messages">): number {
  return fixedTokens + sum(messages);
}

/**
 * Decides whether a view is sent as it is. It changes rarely and much, for each change costs the provider's cache. Halts:
 * what is pruned is not pruned again, a summary leaves fewer messages, and two that did not shrink the view end it.
 */
export function planContext(situation: ContextSituation): ContextPlan {
  const { state } = situation;
  const total = contextTokens(situation);
  // Whoever refuses has less room than we know of.
  const room = situation.isRefused ? Math.min(situation.room, total * REFUSED_PART) : situation.room;
  const mark = room * COMPACT_AT;
  if (total <= mark) return { type: "fits" };
  if (state.stuck >= MOST_STUCK) return exhausted(`${state.stuck} summaries in a row left it as large as it was`);
  const pruned = prunable(situation, room);
  const isWorth = pruned.gain >= Math.min(LEAST_GAIN_TOKENS, room * LEAST_GAIN_PART);
  if (isWorth && total - pruned.gain <= mark * PRUNED_BELOW) return { type: "prune", toolCallIds: pruned.toolCallIds };
  const upTo = tailStart(situation, { room, mark, total });
  if (upTo !== null) return { type: "summarise", upTo };
  if (total <= room) return { type: "fits" };
  const largest = largestResults(situation, total - mark);
  if (largest.length > 0) return { type: "prune", toolCallIds: largest };
  return exhausted(`what cannot be left out takes some ${total} tokens, and there is room for ${Math.floor(room)}`);
}

/** True when a view that was made smaller is smaller by enough. */
export function hasShrunk(before: number, after: number): boolean {
  return after <= before * MUST_SHRINK_TO;
}

function roomOf(model: ModelFacts, maxOutput: number, { tokens }: ContextSettings): number {
  const unknown = model.local && !model.scripted ? UNKNOWN_LOCAL_WINDOW : UNKNOWN_WINDOW;
  const window = model.contextWindow ?? Math.max(unknown, tokens ?? 0);
  // An answer that may fill all of the window leaves the question half of it.
  return Math.floor(Math.min(Math.max(window - maxOutput, window / 2), tokens ?? Number.POSITIVE_INFINITY));
}

/** Old results, the newest of them left. Those that the model has not seen yet always stay. */
function prunable(
  { messages, state }: ContextSituation,
  room: number,
): { readonly toolCallIds: readonly string[]; readonly gain: number } {
  const seen = messages.findLastIndex(({ message }) => message.role === "assistant");
  let kept = Math.min(KEPT_OUTPUT_TOKENS, room * KEPT_OUTPUT_PART);
  let gain = 0;
  const toolCallIds: string[] = [];
  for (const [index, { message, tokens }] of [...messages.entries()].reverse()) {
    if (message.role !== "tool" || state.masked.has(message.toolCallId)) continue;
    kept -= tokens;
    if (kept >= 0 || index > seen || tokens <= 2 * MASK_TOKENS) continue;
    gain += tokens - MASK_TOKENS;
    toolCallIds.unshift(message.toolCallId);
  }
  return { toolCallIds, gain };
}

/**
 * The longest tail that may stay, or the shortest that there is; null: nothing lies before it, or leaving that out would
 * not make the view a fifth smaller. A tail begins with what was said, never with a result.
 */
function tailStart(
  { messages, fixedTokens }: ContextSituation,
  { room, mark, total }: { readonly room: number; readonly mark: number; readonly total: number },
): number | null {
  const keep = Math.min(TAIL_TOKENS, room * TAIL_PART);
  // A summary of a small window is a small one.
  const head = fixedTokens + sum(messages.slice(0, 1)) + Math.min(SUMMARY_TOKENS, mark / 10);
  const tails = tailsOf(messages).filter(({ tokens }) => hasShrunk(total, head + tokens) && head + tokens <= mark);
  return (tails.find(({ tokens }) => tokens <= keep) ?? tails.at(-1))?.upTo ?? null;
}

/** The longest first. */
function tailsOf(messages: readonly SizedMessage[]): readonly { readonly upTo: number; readonly tokens: number }[] {
  const tails: { readonly upTo: number; readonly tokens: number }[] = [];
  let tokens = 0;
  for (const [upTo, sized] of [...messages.entries()].reverse()) {
    tokens += sized.tokens;
    if (upTo > 1 && sized.message.role !== "tool") tails.unshift({ upTo, tokens });
  }
  return tails;
}

/** Results that are too much at once, seen or not, the largest first, until enough is gained. */
function largestResults({ messages, state }: ContextSituation, needed: number): readonly string[] {
  const results = messages.flatMap(({ message, tokens }) =>
    message.role === "tool" && !state.masked.has(message.toolCallId) && tokens > 4 * MASK_TOKENS
      ? [{ id: message.toolCallId, gain: tokens - MASK_TOKENS }]
      : [],
  );
  const chosen: string[] = [];
  let left = needed;
  for (const { id, gain } of results.toSorted((a, b) => b.gain - a.gain)) {
    if (left <= 0) break;
    left -= gain;
    chosen.push(id);
  }
  return chosen;
}

function exhausted(why: string): ContextPlan {
  return { type: "exhausted", reason: `the conversation does not fit the model's window any more: ${why}` };
}

function sum(messages: readonly SizedMessage[]): number {
  return messages.reduce((total, { tokens }) => total + tokens, 0);
}

function sized(messages: readonly Message[], scale: number): readonly SizedMessage[] {
  return messages.map((message) => ({ message, tokens: Math.ceil(estimateMessage(message) * scale) }));
}
