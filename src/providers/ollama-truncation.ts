import type { Lane } from "../core/lane.ts";
import type { ModelRequest } from "../core/model.ts";
import { estimateFixed, estimateMessage } from "../core/token-estimate.ts";
import type { OllamaLine } from "./ollama-reader.ts";

/** Parts of a context that an estimate has to reach before a low count means anything, and of the estimate, to be low. */
const NEARLY_FULL = 0.9;
const MUCH_LESS = 0.75;

/**
 * What an older server does not say (it does not know `truncate`): that it has read only a part of what it was sent. Seen
 * by its count, where what was sent should fill the context. Null: it has read all of it, as far as that can be told.
 */
export function truncationIn(line: OllamaLine, lane: Lane, request: ModelRequest): string | null {
  const { contextTokens } = lane;
  const counted = line.prompt_eval_count;
  if (!line.done || contextTokens === null || counted === undefined) return null;
  const sent = request.messages.reduce((sum, message) => sum + estimateMessage(message), 0);
  const estimated = sent + estimateFixed(request.system, request.tools);
  if (estimated < contextTokens * NEARLY_FULL || counted >= estimated * MUCH_LESS) return null;
  return `the server read ${counted} tokens of some ${estimated}: the prompt exceeds the context length of ${contextTokens}`;
}
