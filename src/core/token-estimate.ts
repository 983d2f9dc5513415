import type { Message, Part, ToolSpec } from "./model.ts";

/** What a wire puts around a message or a call. */
const PER_PIECE = 8;
/** Encrypted reasoning is base64 of text at some four characters a token. */
const OPAQUE_CHARACTERS_PER_TOKEN = 4;

/**
 * Tokens of a text, roughly: for decisions about room, never about money. A function of the text alone, so that a resume
 * and a replay decide as the run did. Weights were fitted to o200k over source code and prose; what a model really
 * counts corrects them (`scaleOf`).
 */
export function estimateTokens(text: string): number {
  let tokens = 0;
  for (let at = 0; at < text.length; at++) tokens += WEIGHTS[text.charCodeAt(at)] ?? 0.8;
  return Math.ceil(tokens);
}

/** The same of a message, with what a wire puts around it. */
export function estimateMessage(message: Message): number {
  if (message.role !== "assistant") return PER_PIECE + estimateTokens(message.text);
  return PER_PIECE + message.parts.reduce((sum, part) => sum + partTokens(part), 0);
}

/** What every request of a conversation begins with: its tools and its system prompt. */
export function estimateFixed(system: string, tools: readonly ToolSpec[]): number {
  return tools.reduce((sum, tool) => sum + PER_PIECE + estimateTokens(JSON.stringify(tool)), estimateTokens(system));
}

function partTokens(part: Part): number {
  switch (part.kind) {
    case "text":
      return estimateTokens(part.text);
    case "reasoning": {
      const opaque = part.opaque === null ? 0 : JSON.stringify(part.opaque).length / OPAQUE_CHARACTERS_PER_TOKEN;
      return Math.max(estimateTokens(part.text), Math.ceil(opaque));
    }
    case "tool_call":
      return PER_PIECE + estimateTokens(part.name) + estimateTokens(part.rawArguments);
  }
}

/** Tokens that a character takes on average, by its code; what is not ASCII takes 0.8. */
const WEIGHTS: readonly number[] = Array.from({ length: 128 }, (_, code) => weightOf(String.fromCharCode(code)));

function weightOf(character: string): number {
  if (/[a-z]/.test(character)) return 0.22;
  if (/[A-Z]/.test(character)) return 0.35;
  if (/[0-9]/.test(character)) return 0.45;
  if (character === " ") return 0.1;
  return character === "\n" ? 0.4 : 0.5;
}
