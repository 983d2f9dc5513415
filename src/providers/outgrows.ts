import type { AnswerDraft } from "./answer-draft.ts";
import { leastTokens, MOST_CHARACTERS_PER_TOKEN } from "./least-tokens.ts";

/**
 * Watches one answer while it arrives: true once it cannot be within `maxTokens` any more, by the provider's own count
 * or because no tokenizer makes so few tokens of what was seen. A server that keeps to the ceiling is never found so.
 */
export function outgrows(maxTokens: number): (draft: AnswerDraft) => boolean {
  let harmless = maxTokens * MOST_CHARACTERS_PER_TOKEN;
  return (draft) => {
    // The report of a whole answer is the bill: there is nothing left to cut.
    const isRunning = !draft.ended && draft.stop === null;
    if (isRunning && draft.usage !== null && draft.usage.output > maxTokens) return true;
    if (draft.characters <= harmless) return false;
    const least = draft.parts.reduce((sum, part) => sum + leastTokens(part.text), 0);
    // Each further character is an eighth of a token at most: until then there is no need to look again.
    harmless = draft.characters + (maxTokens - least) * MOST_CHARACTERS_PER_TOKEN;
    return least > maxTokens;
  };
}
