import { applyUtterance, type Conversation, EMPTY_CONVERSATION } from "../core/conversation.ts";
import type { StepPort } from "../core/ports.ts";

/** Reads a conversation as it grows. Each look folds only what has been added since the last one. */
export function followTalk(port: Pick<StepPort, "utterances">): () => Conversation {
  let talk = EMPTY_CONVERSATION;
  let folded = 0;
  return () => {
    const utterances = port.utterances();
    talk = utterances.slice(folded).reduce(applyUtterance, talk);
    folded = utterances.length;
    return talk;
  };
}
