import type { Message, ModelRequest, Part } from "../core/model.ts";
import { leastTokens } from "./least-tokens.ts";
import { lexicalBound } from "./lexical-bound.ts";
import { argumentsText } from "./tool-arguments.ts";

/** Counts the tokens of a text exactly, for some tokenizer. */
export type CountTokens = (text: string) => number;

/** Roles, separators and ids that a wire puts around each message, call and result. */
const PER_MESSAGE = 12;
const PER_CALL = 24;
const PER_TOOL = 24;
/** What a model writes around the name and arguments of a call: some 40 tokens on a recorded stream of Claude's. */
const PER_ANSWERED_CALL = 48;
/** What a provider says of its own to a model that has tools: Anthropic documents 290 to 804 tokens, by model. */
const HIDDEN_TOOL_PROMPT = 900;
/** The start and end of a conversation. */
const PER_REQUEST = 16;
/** Encrypted reasoning is base64 of text at some four characters a token: three of it to a token is on the safe side. */
const OPAQUE_CHARACTERS_PER_TOKEN = 3;
/** An exact count is still of our text, not of the provider's rendering of it. */
const EXACT_MARGIN = 1.1;
/** A provider calls its own count an estimate, and may add a few tokens of its own to the request. */
const COUNTED_MARGIN = 1.05;

/** How a bound is reckoned. */
export interface BoundOptions {
  /** The tokenizer of the model that is asked: a tighter bound. Without it the bound holds for any model. */
  readonly exact?: CountTokens;
}

/**
 * The most input tokens a request can be billed for. Contract: never below what the provider counts; for source code
 * about twice what it counts. A reservation is made of it, so too high costs headroom, too low breaks the budget.
 */
export function inputBound(request: Omit<ModelRequest, "maxTokens">, options: BoundOptions = {}): number {
  const { exact } = options;
  const count: CountTokens =
    exact === undefined ? lexicalBound : (text) => Math.min(lexicalBound(text), Math.ceil(exact(text) * EXACT_MARGIN));
  const tools = request.tools.map((tool) => PER_TOOL + count(JSON.stringify(tool)));
  return (
    PER_REQUEST +
    (tools.length > 0 ? HIDDEN_TOOL_PROMPT : 0) +
    sum(tools) +
    count(request.system) +
    sum(request.messages.map((message) => PER_MESSAGE + messageTokens(message, count)))
  );
}

/** The same, where the provider itself has counted the request's tokens. Never above the bound that holds for any model. */
export function countedBound(request: Omit<ModelRequest, "maxTokens">, counted: number): number {
  return Math.min(inputBound(request), Math.ceil(counted * COUNTED_MARGIN) + PER_REQUEST);
}

/**
 * The least that a provider can count of a request: its texts alone, for tools and formats are rendered in ways of the
 * provider's own. Reasoning is not in it, which most drop of earlier turns.
 */
export function inputFloor(request: Omit<ModelRequest, "maxTokens">): number {
  return leastTokens(request.system) + sum(request.messages.map(leastMessageTokens));
}

/** The most tokens that an answer can be billed for, as far as it is seen. `kind` and `text` as in an answer's draft. */
export function answerBound(
  parts: readonly { readonly kind: Part["kind"]; readonly name: string; readonly text: string }[],
): number {
  const tokens = parts.map(({ kind, name, text }) =>
    kind === "tool_call" ? PER_ANSWERED_CALL + lexicalBound(name) + lexicalBound(text) : lexicalBound(text),
  );
  return PER_MESSAGE + sum(tokens);
}

function leastMessageTokens(message: Message): number {
  if (message.role !== "assistant") return leastTokens(message.text);
  const texts = message.parts.map((part) => {
    if (part.kind === "reasoning") return "";
    return part.kind === "text" ? part.text : argumentsText(part.rawArguments);
  });
  return sum(texts.map(leastTokens));
}

function messageTokens(message: Message, count: CountTokens): number {
  switch (message.role) {
    case "user":
      return count(message.text);
    case "tool":
      return PER_CALL + count(message.toolCallId) + count(message.name) + count(message.text);
    case "assistant":
      return sum(message.parts.map((part) => partTokens(part, count)));
  }
}

function partTokens(part: Part, count: CountTokens): number {
  switch (part.kind) {
    case "text":
      return count(part.text);
    case "reasoning": {
      // The text may be a summary; what is billed is the whole, which only the opaque part has the size of.
      const opaque = part.opaque === null ? 0 : JSON.stringify(part.opaque).length / OPAQUE_CHARACTERS_PER_TOKEN;
      return PER_CALL + Math.max(count(part.text), Math.ceil(opaque));
    }
    case "tool_call":
      return PER_CALL + count(part.id) + count(part.name) + count(part.rawArguments);
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
