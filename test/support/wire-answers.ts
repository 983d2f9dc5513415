import type { RealWire } from "./wires.ts";

/** What a server answers, in no dialect. */
export interface CannedAnswer {
  readonly texts?: readonly string[];
  readonly reasoning?: readonly string[];
  /** The pieces of a tool call's arguments. Ollama has no pieces: it gives them whole. */
  readonly call?: readonly string[];
  /** As it reports it in the end; missing: it reports none. */
  readonly usage?: { readonly input: number; readonly output: number };
  /** As it reports it while the answer is still coming, where the wire can say so: before each text. */
  readonly outputSoFar?: number;
}

/** Payloads of such an answer: those that come while it goes on, and those that end it. */
export interface CannedPayloads {
  readonly running: readonly object[];
  readonly ending: readonly object[];
}

/** An answer in the dialect of a wire. */
export function canned(wire: RealWire, answer: CannedAnswer): CannedPayloads {
  return DIALECTS[wire](answer);
}

const DIALECTS: Readonly<Record<RealWire, (answer: CannedAnswer) => CannedPayloads>> = {
  "anthropic-messages": ({ texts = [], reasoning = [], call, usage, outputSoFar }) => ({
    running: [
      {
        type: "message_start",
        message: { model: "m", ...(usage ? { usage: { input_tokens: usage.input, output_tokens: 1 } } : {}) },
      },
      { type: "content_block_start", index: 0, content_block: { type: "thinking", thinking: "" } },
      ...reasoning.map((thinking) => ({
        type: "content_block_delta",
        index: 0,
        delta: { type: "thinking_delta", thinking },
      })),
      { type: "content_block_start", index: 1, content_block: { type: "text", text: "" } },
      ...texts.flatMap((text) => [
        ...(outputSoFar === undefined
          ? []
          : [{ type: "message_start", message: { usage: { output_tokens: outputSoFar } } }]),
        { type: "content_block_delta", index: 1, delta: { type: "text_delta", text } },
      ]),
      ...(call
        ? [
            {
              type: "content_block_start",
              index: 2,
              content_block: { type: "tool_use", id: "c-1", name: "edit", input: {} },
            },
          ]
        : []),
      ...(call ?? []).map((piece) => ({
        type: "content_block_delta",
        index: 2,
        delta: { type: "input_json_delta", partial_json: piece },
      })),
    ].filter((payload) => reasoning.length > 0 || !("index" in payload) || payload.index !== 0),
    ending: [
      {
        type: "message_delta",
        delta: { stop_reason: "end_turn" },
        ...(usage ? { usage: { output_tokens: usage.output } } : {}),
      },
      { type: "message_stop" },
    ],
  }),

  "openai-responses": ({ texts = [], reasoning = [], call, usage }) => ({
    running: [
      { type: "response.created", response: { model: "m", usage: null } },
      ...reasoning.map((delta) => ({ type: "response.reasoning_summary_text.delta", output_index: 0, delta })),
      ...texts.map((delta) => ({ type: "response.output_text.delta", output_index: 1, delta })),
      ...(call
        ? [
            {
              type: "response.output_item.added",
              output_index: 2,
              item: { type: "function_call", call_id: "c-1", name: "edit" },
            },
          ]
        : []),
      ...(call ?? []).map((delta) => ({ type: "response.function_call_arguments.delta", output_index: 2, delta })),
    ],
    ending: [
      {
        type: "response.completed",
        response: {
          model: "m",
          output: [],
          ...(usage ? { usage: { input_tokens: usage.input, output_tokens: usage.output } } : {}),
        },
      },
    ],
  }),

  "openai-chat": ({ texts = [], reasoning = [], call, usage, outputSoFar }) => {
    const soFar = outputSoFar === undefined ? {} : { usage: { prompt_tokens: 1, completion_tokens: outputSoFar } };
    const chunk = (delta: object) => ({ model: "m", choices: [{ index: 0, delta }], ...soFar });
    const args = (piece: object) => chunk({ tool_calls: [{ index: 0, ...piece }] });
    return {
      running: [
        ...reasoning.map((text) => chunk({ reasoning_content: text })),
        ...texts.map((content) => chunk({ content })),
        ...(call ? [args({ id: "c-1", function: { name: "edit", arguments: "" } })] : []),
        ...(call ?? []).map((piece) => args({ function: { arguments: piece } })),
      ],
      ending: [
        { model: "m", choices: [{ index: 0, delta: {}, finish_reason: "stop" }] },
        ...(usage
          ? [{ model: "m", choices: [], usage: { prompt_tokens: usage.input, completion_tokens: usage.output } }]
          : []),
      ],
    };
  },

  "ollama-chat": ({ texts = [], reasoning = [], call, usage }) => ({
    running: [
      ...reasoning.map((thinking) => ({ model: "m", message: { content: "", thinking }, done: false })),
      ...texts.map((content) => ({ model: "m", message: { content }, done: false })),
      ...(call
        ? [
            {
              model: "m",
              message: { content: "", tool_calls: [{ function: { name: "edit", arguments: call.join("") } }] },
              done: false,
            },
          ]
        : []),
    ],
    ending: [
      {
        model: "m",
        message: { content: "" },
        done: true,
        done_reason: "stop",
        ...(usage ? { prompt_eval_count: usage.input, eval_count: usage.output } : {}),
      },
    ],
  }),
};
