import type { Message, Part, ToolCall } from "../core/model.ts";

type ToolMessage = Extract<Message, { role: "tool" }>;

/** What the model reads where a call was never carried out (its answer was cut off, say). */
const NO_RESULT = "No result: this call was not carried out.";

/**
 * A conversation as any wire can take it: every call has its result behind it, in call order; nothing is empty; ids are
 * as `wireId` makes them and names such as any wire takes; reasoning is left only where it came from `source`. The log itself is never changed.
 */
export function sendable(
  messages: readonly Message[],
  source: string,
  wireId: (id: string) => string,
): readonly Message[] {
  return withResults(messages)
    .map((message) => cleaned(message, source, wireId))
    .filter((message) => message !== null);
}

/** The lane and model that reasoning belongs to. */
export function sourceOf(
  lane: { readonly id: string },
  request: { readonly model: { readonly model: string } },
): string {
  return `${lane.id}/${request.model.model}`;
}

/**
 * A mapping of ids into what a wire takes: the same id always gives the same result, and different ids different ones.
 * Ids that are valid as they are stay (some models expect their own back).
 */
export function idMapper(longest: number, valid = /^[a-zA-Z0-9_-]+$/): (id: string) => string {
  return (id) => {
    if (valid.test(id) && id.length <= longest) return id;
    const mark = checksum(id);
    return `${inAlphabet(id).slice(0, longest - mark.length - 1)}_${mark}`;
  };
}

function withResults(messages: readonly Message[]): readonly Message[] {
  return messages.flatMap((message, index): readonly Message[] => {
    // Results are taken with their calls; one without a call answers nothing.
    if (message.role === "tool") return [];
    if (message.role === "user") return [message];
    const results = resultsAfter(messages, index);
    const calls = message.parts.filter((part) => part.kind === "tool_call");
    return [
      message,
      ...calls.map((call) => results.find(({ toolCallId }) => toolCallId === call.id) ?? noResult(call)),
    ];
  });
}

function resultsAfter(messages: readonly Message[], index: number): readonly ToolMessage[] {
  const next = messages.findIndex((message, at) => at > index && message.role === "assistant");
  return messages.slice(index + 1, next < 0 ? undefined : next).filter((message) => message.role === "tool");
}

function noResult(call: ToolCall): ToolMessage {
  return { role: "tool", toolCallId: call.id, name: call.name, text: NO_RESULT, isError: true };
}

function cleaned(message: Message, source: string, wireId: (id: string) => string): Message | null {
  switch (message.role) {
    case "user":
      return message.text.trim() === "" ? null : message;
    case "tool":
      return {
        ...message,
        toolCallId: wireId(message.toolCallId),
        name: wireName(message.name),
        text: message.text === "" ? "(no output)" : message.text,
      };
    case "assistant": {
      const parts = message.parts.flatMap((part) => cleanedPart(part, source, wireId));
      // Reasoning must lead to something: no wire takes it as the last word.
      const end = parts.findLastIndex((part) => part.kind !== "reasoning") + 1;
      return end === 0 ? null : { role: "assistant", parts: parts.slice(0, end) };
    }
  }
}

function cleanedPart(part: Part, source: string, wireId: (id: string) => string): readonly Part[] {
  switch (part.kind) {
    case "text":
      return part.text.trim() === "" ? [] : [part];
    case "reasoning":
      return part.source === source ? [part] : [];
    case "tool_call":
      return [{ ...part, id: wireId(part.id), name: wireName(part.name) }];
  }
}

/** A name that every wire takes, whatever the model made of it. */
function wireName(name: string): string {
  return inAlphabet(name).slice(0, 64) || "unknown";
}

function inAlphabet(text: string): string {
  return text.replaceAll(/[^a-zA-Z0-9_-]/g, "_");
}

/** FNV-1a: tells ids apart; nothing secret depends on it. */
function checksum(text: string): string {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return (hash >>> 0).toString(36);
}
