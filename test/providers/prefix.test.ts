import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Message, Part } from "../../src/core/model.ts";
import { anthropicRequest } from "../../src/providers/anthropic-request.ts";
import { ollamaRequest } from "../../src/providers/ollama-request.ts";
import { truncationIn } from "../../src/providers/ollama-truncation.ts";
import { openaiChatRequest } from "../../src/providers/openai-chat-request.ts";
import { openaiResponsesRequest } from "../../src/providers/openai-responses-request.ts";
import { lane, request } from "../support/wires.ts";

const OPAQUES = [null, { signature: "s" }, { field: "reasoning_content" }, { id: "r", encrypted: "e" }];

/** One answer and what was said to it: any parts, results for some of its calls, perhaps a reminder. */
const turn = fc.record({
  texts: fc.array(fc.constantFrom("Look.", " ", "<b>"), { maxLength: 2 }),
  opaque: fc.option(fc.constantFrom(...OPAQUES), { nil: undefined }),
  calls: fc.integer({ min: 0, max: 3 }),
  results: fc.integer({ min: 0, max: 3 }),
  reminder: fc.boolean(),
});

/** The conversation, as it is sent before each answer. */
const requests = fc.array(turn, { minLength: 1, maxLength: 6 }).map((turns) => {
  const messages: Message[] = [{ role: "user", text: "Do it." }];
  const sent: (readonly Message[])[] = [[...messages]];
  for (const [at, { texts, opaque, calls, results, reminder }] of turns.entries()) {
    const ids = Array.from({ length: calls }, (_, call) => `c${at}.${call}`);
    const parts: readonly Part[] = [
      ...(opaque === undefined ? [] : [{ kind: "reasoning", text: "Hm.", opaque, source: "test/some-model" } as const]),
      ...texts.map((text) => ({ kind: "text", text }) as const),
      ...ids.map((id) => ({ kind: "tool_call", id, name: "read", rawArguments: "{}" }) as const),
    ];
    messages.push({ role: "assistant", parts });
    for (const id of ids.slice(0, results))
      messages.push({ role: "tool", toolCallId: id, name: "read", text: id, isError: false });
    if (reminder || calls === 0) messages.push({ role: "user", text: "Go on." });
    sent.push([...messages]);
  }
  return sent;
});

/** What a wire's request has in it, in the order in which a provider reads it, without the marks of its cache. */
const WIRES: readonly (readonly [string, (messages: readonly Message[]) => readonly unknown[]])[] = [
  [
    "anthropic-messages",
    (messages) =>
      anthropicRequest(lane("anthropic-messages"), request({ messages })).messages.flatMap(({ role, content }) =>
        (content as readonly object[]).map((block) => ({ role, ...block, cache_control: undefined })),
      ),
  ],
  [
    "openai-responses",
    (messages) => openaiResponsesRequest(lane("openai-responses"), request({ messages })).input as never,
  ],
  ["openai-chat", (messages) => openaiChatRequest(lane("openai-chat"), request({ messages })).messages],
  ["ollama-chat", (messages) => ollamaRequest(lane("ollama-chat"), request({ messages })).messages ?? []],
];

describe.each(WIRES)("what is sent over %s", (_, pieces) => {
  test("begins with all that was sent in the turn before, to the byte", () => {
    fc.assert(
      fc.property(requests, (sent) => {
        const wired = sent.map((messages) => pieces(messages).map((piece) => JSON.stringify(piece)));
        for (const [at, later] of wired.slice(1).entries()) {
          const before = wired[at] ?? [];
          expect(later.slice(0, before.length)).toEqual(before);
        }
      }),
      { numRuns: 300 },
    );
  });
});

test("Anthropic's cache is marked four times at most: after the tools, the system prompt and the last two messages", () => {
  const marks = (messages: readonly Message[]) => {
    const tools = [1, 2].map((name) => ({ name: `t${name}`, description: "", parameters: {} }));
    const sent = JSON.stringify(anthropicRequest(lane("anthropic-messages"), request({ messages, tools })));
    return sent.split("cache_control").length - 1;
  };
  fc.assert(
    fc.property(requests, (sent) => {
      for (const messages of sent) expect(marks(messages)).toBeLessThanOrEqual(4);
    }),
  );
  expect(marks([{ role: "user", text: "Do it." }])).toBe(3);
});

describe("an Ollama that reads only a part of what it was sent", () => {
  const ollama = lane("ollama-chat", { contextTokens: 4_096 });
  const asked = request({ messages: [{ role: "user", text: "word ".repeat(6_000) }] });
  const count = (prompt_eval_count: number) => truncationIn({ done: true, prompt_eval_count }, ollama, asked);

  test("is caught by its count, where what was sent should have filled its context", () => {
    expect(count(3_000)).toMatch(/read 3000 tokens of some \d+: the prompt exceeds the context length of 4096/);
    expect(count(6_000)).toBeNull();
  });

  test("is none where little was sent, however little it counts: what it had cached it may leave out", () => {
    const little = request({ messages: [{ role: "user", text: "word ".repeat(500) }] });
    expect(truncationIn({ done: true, prompt_eval_count: 5 }, ollama, little)).toBeNull();
    expect(truncationIn({ done: true, prompt_eval_count: 5 }, lane("ollama-chat"), asked)).toBeNull();
  });
});
