import type { Lane } from "../core/lane.ts";
import type { Message, Part, ToolCall } from "../core/model.ts";
import { theirName } from "./their-name.ts";

type ToolMessage = Extract<Message, { role: "tool" }>;

/** What the model reads where a call was never carried out (its answer was cut off, say). */
const NO_RESULT = "No result: this call was not carried out.";

/**
 * A conversation as any wire can take it: every call has its result behind it, in call order; nothing is empty; ids are
 * as `wireId` makes them, each once, and names such as any wire takes; text is well-formed Unicode; reasoning is left only
 * where it came from `source`. The log itself is never changed. Contract: what a longer conversation begins with comes out
 * as it did before, for caches go by bytes.
 */
export function sendable(
  messages: readonly Message[],
  source: string,
  wireId: (id: string) => string,
): readonly Message[] {
  const whole = withResults(messages)
    .map((message) => cleaned(message, source))
    .filter((message) => message !== null);
  return withWireIds(whole, wireId);
}

/**
 * The lane and model that reasoning belongs to: the model that is really asked, whatever one calls it, and of several
 * credentials the one: it is of no use to another account.
 */
export function sourceOf(
  lane: Pick<Lane, "id" | "keys" | "credentialName" | "models">,
  request: { readonly model: { readonly model: string } },
): string {
  const account = lane.keys && lane.credentialName !== null ? ` ${lane.credentialName}` : "";
  return `${lane.id}${account}/${theirName(lane, request.model.model)}`;
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
      ...calls.map((call) => {
        const result = results.find(({ toolCallId }) => toolCallId === call.id);
        return result ? { ...result, name: call.name } : noResult(call);
      }),
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

/** Output that was cut in the middle of a character has half of one at its end, for which Anthropic refuses the request. */
function cleaned(message: Message, source: string): Message | null {
  switch (message.role) {
    case "user":
      return message.text.trim() === "" ? null : { ...message, text: message.text.toWellFormed() };
    case "tool": {
      const text = message.text.trim() === "" ? "(no output)" : message.text.toWellFormed();
      return { ...message, name: wireName(message.name), text };
    }
    case "assistant": {
      const parts = message.parts.flatMap((part) => cleanedPart(part, source));
      // Reasoning must lead to something: no wire takes it as the last word.
      const end = parts.findLastIndex((part) => part.kind !== "reasoning") + 1;
      return end === 0 ? null : { role: "assistant", parts: parts.slice(0, end) };
    }
  }
}

function cleanedPart(part: Part, source: string): readonly Part[] {
  switch (part.kind) {
    case "text":
      return part.text.trim() === "" ? [] : [{ ...part, text: part.text.toWellFormed() }];
    case "reasoning":
      return part.source === source ? [part] : [];
    case "tool_call":
      return [{ ...part, name: wireName(part.name), rawArguments: part.rawArguments.toWellFormed() }];
  }
}

/** Every wire refuses an id that comes twice. Results stand behind their calls, in call order. */
function withWireIds(messages: readonly Message[], wireId: (id: string) => string): readonly Message[] {
  const taken = new Set<string>();
  let due: readonly string[] = [];
  const renamed = (id: string) => {
    const free = freeId(id, taken, wireId);
    taken.add(free);
    due = [...due, free];
    return free;
  };
  return messages.map((message) => {
    if (message.role === "user") return message;
    if (message.role === "assistant") {
      const parts = message.parts.map((part) => (part.kind === "tool_call" ? { ...part, id: renamed(part.id) } : part));
      return { ...message, parts };
    }
    const [toolCallId = wireId(message.toolCallId), ...others] = due;
    due = others;
    return { ...message, toolCallId };
  });
}

function freeId(id: string, taken: ReadonlySet<string>, wireId: (id: string) => string): string {
  let free = wireId(id);
  for (let number = 2; taken.has(free); number++) free = wireId(`${id}_${number}`);
  return free;
}

/** A name that every wire takes, whatever the model made of it. */
function wireName(name: string): string {
  return inAlphabet(name).slice(0, 64) || "unknown";
}

function inAlphabet(text: string): string {
  return text.replaceAll(/[^a-zA-Z0-9_-]/g, "_");
}

/** FNV-1a: tells ids apart; nothing secret depends on it. */
export function checksum(text: string): string {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return (hash >>> 0).toString(36);
}
