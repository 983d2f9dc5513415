import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Message, ModelRequest, Part } from "../../src/core/model.ts";
import { anthropicRequest } from "../../src/providers/anthropic-request.ts";
import { ollamaRequest } from "../../src/providers/ollama-request.ts";
import { openaiChatRequest } from "../../src/providers/openai-chat-request.ts";
import { openaiResponsesRequest } from "../../src/providers/openai-responses-request.ts";
import { lane, request } from "../support/wires.ts";

/** What a request holds, in the order in which it is sent, whatever the wire calls it. */
interface Item {
  readonly is: "user" | "assistant" | "thinking" | "call" | "result";
  readonly text: string;
  /** Of calls and results; null: the wire has none. */
  readonly id?: string | null;
  /** Of calls. */
  readonly name?: string;
}

/** Another provider's: it must not come back anywhere but there. */
const FOREIGN = "foreign-signature";
const OWN = { signature: "own", field: "reasoning", id: "rs_1", encrypted: "own" };

const id = fc.constantFrom("a", "b", "toolu_01", "functions.x:1", "call|1", "", "x".repeat(450), "ü");
const words = fc.oneof(fc.constantFrom("", " \n", "hi", "half a character \ud83d", "\u0000"), fc.string());
const part: fc.Arbitrary<Part> = fc.oneof(
  fc.record({ kind: fc.constant("text" as const), text: words }),
  fc.record({
    kind: fc.constant("tool_call" as const),
    id,
    name: fc.constantFrom("read", "no/name", "", "n".repeat(90)),
    rawArguments: fc.constantFrom("", "{}", '{"a":', '{"a":1}', "[1]", '"{}"', "null", '{"a":"\ud83d"}'),
  }),
  fc.constantFrom<Part>(
    { kind: "reasoning", text: "mine", opaque: OWN, source: "test/some-model" },
    { kind: "reasoning", text: "mine, unsigned", opaque: null, source: "test/some-model" },
    { kind: "reasoning", text: FOREIGN, opaque: { ...OWN, signature: FOREIGN, encrypted: FOREIGN }, source: "o/m" },
  ),
);
const message: fc.Arbitrary<Message> = fc.oneof(
  fc.record({ role: fc.constant("user" as const), text: words }),
  fc.record({ role: fc.constant("assistant" as const), parts: fc.array(part, { maxLength: 5 }) }),
  fc.record({ role: fc.constant("tool" as const), toolCallId: id, name: id, text: words, isError: fc.boolean() }),
);
/** A conversation begins with its task; after that, anything. */
const conversation = fc
  .array(message, { maxLength: 10 })
  .map((rest): readonly Message[] => [{ role: "user", text: "Do it." }, ...rest]);

interface WireView {
  items(asked: ModelRequest): readonly Item[];
  /** Null: the wire has none. */
  readonly idPattern: RegExp | null;
}

type Loose = Record<string, unknown> & { readonly content?: unknown; readonly tool_calls?: readonly Loose[] };
const textOf = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));

const WIRES: Readonly<Record<string, WireView>> = {
  "anthropic-messages": {
    idPattern: /^[a-zA-Z0-9_-]{1,64}$/,
    items: (asked) => {
      const { messages } = anthropicRequest(lane("anthropic-messages"), asked);
      const roles = messages.map(({ role }) => role);
      expect(roles).toEqual(roles.map((_, index) => (index % 2 === 0 ? "user" : "assistant")));
      return messages.flatMap(({ role, content }) => {
        const blocks = content as unknown as readonly Loose[];
        expect(blocks.length).toBeGreaterThan(0);
        const results = blocks.filter((block) => block.type === "tool_result").length;
        expect(blocks.slice(0, results).every((block) => block.type === "tool_result")).toBe(true);
        return blocks.map((block): Item => {
          if (block.type === "tool_use") return call(block.id, block.name, block.input);
          if (block.type === "tool_result") return result(block.tool_use_id, block.content);
          if (block.type === "text") return { is: role as "user" | "assistant", text: String(block.text) };
          return { is: "thinking", text: textOf(block) };
        });
      });
    },
  },
  "openai-chat": {
    idPattern: /^[\x21-\x7e]{1,40}$/,
    items: (asked) => chatItems(openaiChatRequest(lane("openai-chat"), asked).messages as unknown as readonly Loose[]),
  },
  "openai-chat at Mistral": {
    idPattern: /^[a-zA-Z0-9]{9}$/,
    items: (asked) => {
      const { messages } = openaiChatRequest(lane("openai-chat", { baseUrl: "https://api.mistral.ai/v1" }), asked);
      const roles = messages.map(({ role }) => role).join(" ");
      expect(roles).not.toContain("tool user");
      return chatItems(messages as unknown as readonly Loose[]);
    },
  },
  "openai-responses": {
    idPattern: /^[a-zA-Z0-9_-]{1,64}$/,
    items: (asked) => {
      const { input } = openaiResponsesRequest(lane("openai-responses"), asked);
      return (input as unknown as readonly Loose[]).map((item): Item => {
        if (item.type === "function_call") return call(item.call_id, item.name, item.arguments);
        if (item.type === "function_call_output") return result(item.call_id, item.output);
        if (item.type === "reasoning") return { is: "thinking", text: textOf(item) };
        return { is: item.role as "user" | "assistant", text: String(item.content) };
      });
    },
  },
  "ollama-chat": {
    idPattern: null,
    items: (asked) =>
      chatItems(ollamaRequest(lane("ollama-chat"), asked).messages as unknown as readonly Loose[]).map((item) =>
        item.is === "call" || item.is === "result" ? { ...item, id: null } : item,
      ),
  },
};

function chatItems(messages: readonly Loose[]): readonly Item[] {
  return messages
    .filter(({ role }) => role !== "system")
    .flatMap((said): readonly Item[] => {
      if (said.role === "tool") return [result(said.tool_call_id, said.content)];
      if (said.role === "user") return [{ is: "user", text: String(said.content) }];
      const thought = said.thinking ?? said.reasoning ?? said.reasoning_content;
      const calls = (said.tool_calls ?? []).map((one): Item => {
        const made = one.function as Loose;
        return call(one.id, made.name, made.arguments);
      });
      const text = said.content === null || said.content === "" ? [] : [String(said.content)];
      expect(text.length + calls.length).toBeGreaterThan(0);
      return [
        ...(thought === undefined ? [] : [{ is: "thinking" as const, text: textOf(thought) }]),
        ...text.map((words) => ({ is: "assistant" as const, text: words })),
        ...calls,
      ];
    });
}

const call = (callId: unknown, name: unknown, args: unknown): Item => ({
  is: "call",
  id: String(callId),
  name: String(name),
  text: textOf(args),
});
const result = (callId: unknown, text: unknown): Item => ({ is: "result", id: String(callId), text: String(text) });

describe.each(Object.entries(WIRES))("whatever a conversation holds, as %s is sent it", (_, wire) => {
  const holds = (law: (items: readonly Item[], said: readonly Message[]) => void) =>
    fc.assert(fc.property(conversation, (messages) => law(wire.items(request({ messages })), messages)));

  it("every call has exactly one result, behind the calls of its answer, in their order", () => {
    holds((items) => {
      const due: (string | null)[] = [];
      for (const [index, item] of items.entries()) {
        if (item.is === "call") due.push(item.id ?? null);
        if (item.is === "result") expect(item.id ?? null).toBe(due.shift() ?? null);
        if (item.is === "user") expect(due, `before item ${index}`).toEqual([]);
        if (item.is === "result" && items[index + 1]?.is === "call") expect(due).toEqual([]);
      }
      expect(due).toEqual([]);
      expect(items.filter(({ is }) => is === "call").length).toBe(items.filter(({ is }) => is === "result").length);
    });
  });

  it("ids are such as the wire takes, each once, and names are names", () => {
    holds((items) => {
      const calls = items.filter((item) => item.is === "call");
      for (const { name } of calls) expect(name).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
      if (wire.idPattern === null) return;
      for (const one of calls) expect(one.id).toMatch(wire.idPattern);
      expect(new Set(calls.map((one) => one.id)).size).toBe(calls.length);
    });
  });

  it("nothing is empty, and no text is half a character", () => {
    holds((items) => {
      for (const item of items) {
        expect(item.text.trim()).not.toBe("");
        expect(item.text.isWellFormed()).toBe(true);
      }
    });
  });

  it("arguments are an object", () => {
    holds((items) => {
      for (const item of items) if (item.is === "call") expect(JSON.parse(item.text)).toBeTypeOf("object");
    });
  });

  it("no other model's reasoning is in it, and no reasoning is the last word", () => {
    holds((items) => {
      expect(JSON.stringify(items)).not.toContain(FOREIGN);
      expect(items.at(-1)?.is).not.toBe("thinking");
    });
  });

  it("what was said stays said, in its order", () => {
    holds((items, messages) => {
      const said = messages.flatMap((one) => (one.role === "user" && one.text.trim() ? [one.text.toWellFormed()] : []));
      expect(items.filter(({ is }) => is === "user").map(({ text }) => text)).toEqual(said);
    });
  });

  it("a conversation that goes on begins as it did before: the cache holds", () => {
    const isWhole = (messages: readonly Message[]) => messages.at(-1)?.role === "user";
    const more = fc.array(message, { maxLength: 3 }).filter((all) => all.every(({ role }) => role !== "tool"));
    fc.assert(
      fc.property(conversation.filter(isWhole), more, (messages, added) => {
        const before = wire.items(request({ messages }));
        expect(wire.items(request({ messages: [...messages, ...added] })).slice(0, before.length)).toEqual(before);
      }),
    );
  });
});
