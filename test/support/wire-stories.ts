import type { Part } from "../../src/core/model.ts";
import type { Usage } from "../../src/core/usage.ts";
import type { RealWire } from "./wires.ts";

/** One and the same answer in every dialect: it thinks, speaks (in more than ASCII) and calls a tool. */
export const STORIES: Readonly<Record<RealWire, readonly object[]>> = {
  "anthropic-messages": [
    {
      type: "message_start",
      message: {
        model: "served-model",
        content: [],
        usage: { input_tokens: 10, cache_read_input_tokens: 100, cache_creation_input_tokens: 20, output_tokens: 1 },
      },
    },
    { type: "content_block_start", index: 0, content_block: { type: "thinking", thinking: "", signature: "" } },
    { type: "content_block_delta", index: 0, delta: { type: "thinking_delta", thinking: "Hm, " } },
    { type: "content_block_delta", index: 0, delta: { type: "thinking_delta", thinking: "naïve?" } },
    { type: "content_block_delta", index: 0, delta: { type: "signature_delta", signature: "c2lnbmVk" } },
    { type: "content_block_stop", index: 0 },
    { type: "ping" },
    { type: "content_block_start", index: 1, content_block: { type: "text", text: "" } },
    { type: "content_block_delta", index: 1, delta: { type: "text_delta", text: "Grüße " } },
    { type: "content_block_delta", index: 1, delta: { type: "text_delta", text: "👋" } },
    { type: "content_block_stop", index: 1 },
    {
      type: "content_block_start",
      index: 2,
      content_block: { type: "tool_use", id: "call-a", name: "read", input: {} },
    },
    { type: "content_block_delta", index: 2, delta: { type: "input_json_delta", partial_json: "" } },
    { type: "content_block_delta", index: 2, delta: { type: "input_json_delta", partial_json: '{"path":"Prü' } },
    { type: "content_block_delta", index: 2, delta: { type: "input_json_delta", partial_json: 'fung.md"}' } },
    { type: "content_block_stop", index: 2 },
    { type: "an_event_of_next_year", index: 3 },
    {
      type: "message_delta",
      delta: { stop_reason: "tool_use", stop_sequence: null },
      usage: { output_tokens: 30, output_tokens_details: { thinking_tokens: 7 } },
    },
    { type: "message_stop" },
  ],
  "openai-responses": [
    { type: "response.created", response: { model: "served-model", error: null, output: [], usage: null } },
    { type: "response.output_item.added", output_index: 0, item: { type: "reasoning", id: "rs_1", summary: [] } },
    { type: "response.reasoning_summary_text.delta", output_index: 0, summary_index: 0, delta: "Hm, " },
    { type: "response.reasoning_summary_text.delta", output_index: 0, summary_index: 0, delta: "naïve?" },
    {
      type: "response.output_item.done",
      output_index: 0,
      item: { type: "reasoning", id: "rs_1", summary: [], encrypted_content: "ZW5j" },
    },
    { type: "response.output_item.added", output_index: 1, item: { type: "message", id: "msg_1", content: [] } },
    { type: "response.output_text.delta", output_index: 1, delta: "Grüße " },
    { type: "response.output_text.delta", output_index: 1, delta: "👋" },
    {
      type: "response.output_item.done",
      output_index: 1,
      item: { type: "message", content: [{ type: "output_text", text: "Grüße 👋" }] },
    },
    {
      type: "response.output_item.added",
      output_index: 2,
      item: { type: "function_call", id: "fc_1", call_id: "call-a", name: "read", arguments: "" },
    },
    { type: "response.function_call_arguments.delta", output_index: 2, delta: '{"path":"Prü' },
    { type: "response.function_call_arguments.delta", output_index: 2, delta: 'fung.md"}' },
    { type: "response.function_call_arguments.done", output_index: 2, arguments: '{"path":"Prüfung.md"}' },
    {
      type: "response.output_item.done",
      output_index: 2,
      item: { type: "function_call", call_id: "call-a", name: "read", arguments: '{"path":"Prüfung.md"}' },
    },
    { type: "response.event_of_next_year" },
    {
      type: "response.completed",
      response: {
        model: "served-model",
        error: null,
        output: [],
        usage: {
          input_tokens: 130,
          input_tokens_details: { cached_tokens: 100, cache_write_tokens: 20 },
          output_tokens: 30,
          output_tokens_details: { reasoning_tokens: 7 },
        },
      },
    },
  ],
  "openai-chat": [
    { model: "served-model", choices: [{ index: 0, delta: { role: "assistant", content: "" } }], usage: null },
    { model: "served-model", choices: [{ index: 0, delta: { reasoning_content: "Hm, " } }], usage: null },
    { model: "served-model", choices: [{ index: 0, delta: { role: "assistant", reasoning_content: "naïve?" } }] },
    { model: "served-model", choices: [{ index: 0, delta: { content: "Grüße " } }] },
    { model: "served-model", choices: [{ index: 0, delta: { content: "👋", reasoning_content: null } }] },
    {
      model: "served-model",
      choices: [
        { index: 0, delta: { tool_calls: [{ index: 0, id: "call-a", function: { name: "read", arguments: "" } }] } },
      ],
    },
    {
      model: "served-model",
      choices: [{ index: 0, delta: { tool_calls: [{ index: 0, function: { arguments: '{"path":"Prü' } }] } }],
    },
    {
      model: "served-model",
      choices: [{ index: 0, delta: { tool_calls: [{ index: 0, function: { arguments: 'fung.md"}' } }] } }],
    },
    { model: "served-model", choices: [{ index: 0, delta: {}, finish_reason: "tool_calls" }], usage: null },
    {
      model: "served-model",
      choices: [],
      usage: {
        prompt_tokens: 130,
        completion_tokens: 30,
        total_tokens: 160,
        prompt_tokens_details: { cached_tokens: 100, cache_write_tokens: 20 },
        completion_tokens_details: { reasoning_tokens: 7 },
      },
    },
  ],
  "ollama-chat": [
    { model: "served-model", message: { role: "assistant", content: "", thinking: "Hm, " }, done: false },
    { model: "served-model", message: { role: "assistant", content: "", thinking: "naïve?" }, done: false },
    { model: "served-model", message: { role: "assistant", content: "Grüße " }, done: false },
    { model: "served-model", message: { role: "assistant", content: "👋" }, done: false },
    {
      model: "served-model",
      message: {
        role: "assistant",
        content: "",
        tool_calls: [{ function: { name: "read", arguments: { path: "Prüfung.md" } } }],
      },
      done: false,
    },
    {
      model: "served-model",
      message: { role: "assistant", content: "" },
      done: true,
      done_reason: "stop",
      prompt_eval_count: 130,
      prompt_eval_cached_count: 100,
      eval_count: 30,
    },
  ],
};

const OPAQUE = {
  "anthropic-messages": { signature: "c2lnbmVk" },
  "openai-responses": { id: "rs_1", encrypted: "ZW5j" },
  "openai-chat": { field: "reasoning_content" },
  "ollama-chat": null,
} as const;

/** What the story says, in no dialect. */
export function storyParts(wire: RealWire): readonly Part[] {
  // Ollama gives no ids: the one made up names conversation, turn and place.
  const id = wire === "ollama-chat" ? "call_1_1_1" : "call-a";
  return [
    { kind: "reasoning", text: "Hm, naïve?", opaque: OPAQUE[wire], source: "test/some-model" },
    { kind: "text", text: "Grüße 👋" },
    { kind: "tool_call", id, name: "read", rawArguments: '{"path":"Prüfung.md"}' },
  ];
}

/** 130 tokens of input, 100 of them read from the cache; Ollama tells neither cache writes nor reasoning. */
export function storyUsage(wire: RealWire): Usage {
  const plain = wire === "ollama-chat";
  return {
    freshInput: plain ? 30 : 10,
    cacheRead: 100,
    cacheWrite: plain ? 0 : 20,
    output: 30,
    reasoning: plain ? 0 : 7,
    source: "provider",
  };
}
