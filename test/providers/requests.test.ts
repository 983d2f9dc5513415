import { describe, expect, it } from "vitest";
import type { Message, ModelRequest, ToolSpec } from "../../src/core/model.ts";
import { anthropicRequest } from "../../src/providers/anthropic-request.ts";
import { ollamaRequest } from "../../src/providers/ollama-request.ts";
import { openaiChatRequest } from "../../src/providers/openai-chat-request.ts";
import { openaiResponsesRequest } from "../../src/providers/openai-responses-request.ts";
import { lane, request } from "../support/wires.ts";

const TOOLS: readonly ToolSpec[] = [
  { name: "ls", description: "Lists.", parameters: { type: "object", properties: {} } },
  {
    name: "read",
    description: "Reads.",
    parameters: { type: "object", properties: { path: { type: "string" } }, required: ["path"] },
  },
];

/** A conversation with everything in it that a wire has to cope with. */
const TALK: readonly Message[] = [
  { role: "user", text: "Fix it." },
  {
    role: "assistant",
    parts: [
      { kind: "reasoning", text: "Mine.", opaque: null, source: "test/some-model" },
      {
        kind: "reasoning",
        text: "Another's.",
        opaque: { signature: "x", field: "reasoning_content" },
        source: "other/some-model",
      },
      { kind: "text", text: "Looking." },
      { kind: "text", text: " " },
      { kind: "tool_call", id: "functions.read:0", name: "read", rawArguments: '{ "path": "a.md" }' },
      { kind: "tool_call", id: "b", name: "ls", rawArguments: '{"path": "unfinis' },
    ],
  },
  { role: "tool", toolCallId: "functions.read:0", name: "read", text: "# A", isError: false },
  { role: "user", text: "Your answer was cut off." },
  { role: "assistant", parts: [{ kind: "reasoning", text: "Only this.", opaque: null, source: "test/some-model" }] },
  { role: "user", text: "Go on." },
];

function asking(own: unknown, change: Partial<ModelRequest> = {}): ModelRequest {
  const messages = TALK.map((message) =>
    message.role === "assistant"
      ? {
          ...message,
          parts: message.parts.map((part) =>
            part.kind === "reasoning" && part.source === "test/some-model" ? { ...part, opaque: own as never } : part,
          ),
        }
      : message,
  );
  return request({ messages, tools: TOOLS, maxTokens: 1000, ...change });
}

const CACHED = { cache_control: { type: "ephemeral" } };
const NOT_DONE = "No result: this call was not carried out.";

describe("a request to Anthropic", () => {
  it("says the whole conversation, and marks four blocks for the cache", () => {
    expect(anthropicRequest(lane("anthropic-messages"), asking({ signature: "sig" }))).toEqual({
      model: "some-model",
      max_tokens: 1000,
      stream: true,
      system: [{ type: "text", text: "You are a test.", ...CACHED }],
      tools: [
        { name: "ls", description: "Lists.", input_schema: { type: "object", properties: {} } },
        {
          name: "read",
          description: "Reads.",
          input_schema: { type: "object", properties: { path: { type: "string" } }, required: ["path"] },
          ...CACHED,
        },
      ],
      messages: [
        { role: "user", content: [{ type: "text", text: "Fix it." }] },
        {
          role: "assistant",
          content: [
            { type: "thinking", thinking: "Mine.", signature: "sig" },
            { type: "text", text: "Looking." },
            { type: "tool_use", id: "functions_read_0_cfz0mm", name: "read", input: { path: "a.md" } },
            { type: "tool_use", id: "b", name: "ls", input: {}, ...CACHED },
          ],
        },
        {
          role: "user",
          content: [
            { type: "tool_result", tool_use_id: "functions_read_0_cfz0mm", content: "# A" },
            { type: "tool_result", tool_use_id: "b", content: NOT_DONE, is_error: true },
            { type: "text", text: "Your answer was cut off." },
            { type: "text", text: "Go on.", ...CACHED },
          ],
        },
      ],
    });
  });

  it("gives redacted thinking back as it was, and leaves unsigned thinking out", () => {
    const redacted = anthropicRequest(lane("anthropic-messages"), asking({ redacted: "ZGF0YQ==" }));
    expect(redacted.messages[1]?.content).toContainEqual({ type: "redacted_thinking", data: "ZGF0YQ==" });
    const unsigned = anthropicRequest(lane("anthropic-messages"), asking(null));
    expect(JSON.stringify(unsigned)).not.toContain("Mine.");
  });

  it("has neither system nor tools where there are none", () => {
    const plain = anthropicRequest(lane("anthropic-messages"), request({ system: "" }));
    expect(Object.keys(plain)).toEqual(["model", "max_tokens", "stream", "messages"]);
  });
});

describe("a request to the Responses API", () => {
  it("says the whole conversation, and has nothing stored", () => {
    expect(openaiResponsesRequest(lane("openai-responses"), asking({ id: "rs_1", encrypted: "ZW5j" }))).toEqual({
      model: "some-model",
      stream: true,
      store: false,
      max_output_tokens: 1000,
      include: ["reasoning.encrypted_content"],
      instructions: "You are a test.",
      tools: TOOLS.map((tool) => ({ type: "function", ...tool, strict: false })),
      input: [
        { role: "user", content: "Fix it." },
        {
          type: "reasoning",
          id: "rs_1",
          summary: [{ type: "summary_text", text: "Mine." }],
          encrypted_content: "ZW5j",
        },
        { role: "assistant", content: "Looking." },
        { type: "function_call", call_id: "functions_read_0_cfz0mm", name: "read", arguments: '{ "path": "a.md" }' },
        { type: "function_call", call_id: "b", name: "ls", arguments: "{}" },
        { type: "function_call_output", call_id: "functions_read_0_cfz0mm", output: "# A" },
        { type: "function_call_output", call_id: "b", output: NOT_DONE },
        { role: "user", content: "Your answer was cut off." },
        { role: "user", content: "Go on." },
      ],
    });
  });

  it.each(["gpt-4o-mini", "gpt-4.1", "gpt-5-chat-latest", "chatgpt-4o-latest"])(
    "asks %s for no encrypted reasoning: it would refuse the request",
    (model) => {
      const asked = request({ model: { provider: "test", model } });
      expect(openaiResponsesRequest(lane("openai-responses"), asked)).not.toHaveProperty("include");
    },
  );
});

describe("a request to the chat completions API", () => {
  it("says the whole conversation, and echoes reasoning_content on every answer once it was used", () => {
    const messages: readonly Message[] = [
      ...asking({ field: "reasoning_content" }).messages,
      { role: "assistant", parts: [{ kind: "text", text: "Done." }] },
    ];
    expect(openaiChatRequest(lane("openai-chat"), request({ messages, tools: TOOLS, maxTokens: 1000 }))).toEqual({
      model: "some-model",
      stream: true,
      stream_options: { include_usage: true },
      max_tokens: 1000,
      tools: TOOLS.map((tool) => ({ type: "function", function: tool })),
      messages: [
        { role: "system", content: "You are a test." },
        { role: "user", content: "Fix it." },
        {
          role: "assistant",
          content: "Looking.",
          reasoning_content: "Mine.",
          tool_calls: [
            { id: "functions.read:0", type: "function", function: { name: "read", arguments: '{ "path": "a.md" }' } },
            { id: "b", type: "function", function: { name: "ls", arguments: "{}" } },
          ],
        },
        { role: "tool", tool_call_id: "functions.read:0", content: "# A" },
        { role: "tool", tool_call_id: "b", content: NOT_DONE },
        { role: "user", content: "Your answer was cut off." },
        { role: "user", content: "Go on." },
        { role: "assistant", content: "Done.", reasoning_content: "" },
      ],
    });
  });

  it("gives OpenRouter its reasoning details back untouched", () => {
    const details = [{ type: "reasoning.text", text: "Mine.", signature: "sig", index: 0 }];
    const asked = openaiChatRequest(lane("openai-chat"), asking({ field: "reasoning", details }));
    expect(asked.messages[2]).toMatchObject({ reasoning: "Mine.", reasoning_details: details });
    expect(asked.messages[2]).not.toHaveProperty("reasoning_content");
  });

  it("says nothing of reasoning to a server that never did", () => {
    expect(
      JSON.stringify(openaiChatRequest(lane("openai-chat"), request({ messages: TALK.slice(0, 1) }))),
    ).not.toContain("reasoning");
  });

  it("names the ceiling as the host wants it: OpenAI in its own way, everyone else in the old one", () => {
    const openai = openaiChatRequest(lane("openai-chat", { baseUrl: "https://api.openai.com/v1" }), request());
    expect(openai).toMatchObject({ max_completion_tokens: 4096 });
    expect(openai).not.toHaveProperty("max_tokens");
  });

  it("names its conversation to OpenAI's cache, by what it begins with, and to nobody else's", () => {
    const openai = { baseUrl: "https://api.openai.com/v1" };
    const keys = [TALK.slice(0, 1), TALK].map((messages) => [
      openaiChatRequest(lane("openai-chat", openai), request({ messages })).prompt_cache_key,
      openaiResponsesRequest(lane("openai-responses", openai), request({ messages })).prompt_cache_key,
    ]);
    expect(keys[0]).toEqual(keys[1]);
    expect(keys[0]?.[0]).toMatch(/^ccp-[0-9a-f]{32}$/);
    const other = openaiChatRequest(lane("openai-chat", openai), request({ system: "Another." }));
    expect(other.prompt_cache_key).not.toBe(keys[0]?.[0]);
    expect(openaiChatRequest(lane("openai-chat"), request())).not.toHaveProperty("prompt_cache_key");
  });
});

describe("a request to Ollama", () => {
  it("says the whole conversation, and how much context to allocate", () => {
    expect(ollamaRequest(lane("ollama-chat", { contextTokens: 32_768 }), asking(null))).toEqual({
      model: "some-model",
      stream: true,
      truncate: false,
      options: { num_ctx: 32_768, num_predict: 1000 },
      tools: TOOLS.map((tool) => ({ type: "function", function: tool })),
      messages: [
        { role: "system", content: "You are a test." },
        { role: "user", content: "Fix it." },
        {
          role: "assistant",
          content: "Looking.",
          thinking: "Mine.",
          tool_calls: [
            { function: { name: "read", arguments: { path: "a.md" } } },
            { function: { name: "ls", arguments: {} } },
          ],
        },
        { role: "tool", content: "# A", tool_name: "read" },
        { role: "tool", content: NOT_DONE, tool_name: "ls" },
        { role: "user", content: "Your answer was cut off." },
        { role: "user", content: "Go on." },
      ],
    });
  });

  it("leaves the context size to the server where the lane says nothing", () => {
    expect(ollamaRequest(lane("ollama-chat"), request()).options).toEqual({ num_predict: 4096 });
  });
});

describe("every wire", () => {
  it("reads nothing of who asks", () => {
    const asker = { role: "secret-role", stepId: "secret-step", conversation: 7, turn: 9 };
    const all = [
      anthropicRequest(lane("anthropic-messages"), request({ asker })),
      openaiResponsesRequest(lane("openai-responses"), request({ asker })),
      openaiChatRequest(lane("openai-chat"), request({ asker })),
      ollamaRequest(lane("ollama-chat"), request({ asker })),
    ];
    expect(JSON.stringify(all)).not.toContain("secret");
  });
});
