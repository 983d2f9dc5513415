import { CHANT_STRIDE, chantsAtEnd } from "../core/chant.ts";
import type { AnswerDraft } from "./answer-draft.ts";

/** Looks at an answer while it arrives: true once it only repeats itself. What a call carries may well repeat itself. */
export function chantWatch(): (draft: AnswerDraft) => boolean {
  let next = CHANT_STRIDE;
  return (draft) => {
    if (draft.characters < next) return false;
    next = draft.characters + CHANT_STRIDE;
    const last = draft.parts.at(-1);
    return last !== undefined && last.kind !== "tool_call" && chantsAtEnd(last.text);
  };
}
