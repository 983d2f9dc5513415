import type { Price } from "../../../src/core/money.ts";
import type { RealWire } from "../../support/wires.ts";

/** Tokens fresh, read from the cache, written to it, of those for an hour; of output, of those reasoning; nano-dollars. */
export type Figures = readonly [number, number, number, number, number, number, number];

/** A stream as it was sent. */
export interface WrittenAnswer {
  readonly wire: RealWire;
  readonly payloads: readonly (string | object)[];
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | null;
}

interface OwnAccount extends WrittenAnswer {
  readonly name: string;
  /** The name of a model of Anthropic's in the price list, or a price. */
  readonly price: string | Price;
  readonly expected: Figures;
}

const text = (words: string) => [
  { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
  { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: words } },
];

function anthropic(usage: object, last: object = { output_tokens: 700 }): readonly object[] {
  return [
    { type: "message_start", message: { model: "m", usage: { output_tokens: 1, ...usage } } },
    ...text("Done."),
    { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: last },
    { type: "message_stop" },
  ];
}

function chat(usage: object): readonly object[] {
  return [
    { model: "m", choices: [{ delta: { content: "Done." } }] },
    { model: "m", choices: [{ delta: {}, finish_reason: "stop" }] },
    { model: "m", choices: [], usage },
  ];
}

function responses(usage: object): readonly object[] {
  return [
    { type: "response.output_text.delta", output_index: 0, delta: "Done." },
    { type: "response.completed", response: { model: "m", output: [], usage } },
  ];
}

const cached = (fresh: number, read: number, five: number, hour: number) => ({
  input_tokens: fresh,
  cache_read_input_tokens: read,
  cache_creation_input_tokens: five + hour,
  cache_creation: { ephemeral_5m_input_tokens: five, ephemeral_1h_input_tokens: hour },
});

/** Dollars per million: $3, reads $0.30, writes $3.75, for an hour $6, output $15; beyond 200,000 tokens twice, output $22.50. */
const SONNET = "claude-sonnet-4-5";
/** $2, reads $0.20, output $12. */
const CHAT_PRICE: Price = { input: 2e9, cacheRead: 2e8, cacheWrite: 2e9, output: 12e9, tiers: [] };
/** Half a nano-dollar in it: $0.0375 for a million. */
const ODD_PRICE: Price = { input: 75e6, cacheRead: 37.5e6, cacheWrite: 75e6, output: 300e6, tiers: [] };

/** Each sum is written out in nano-dollars. */
export const OWN: readonly OwnAccount[] = [
  {
    name: "cache written for five minutes",
    wire: "anthropic-messages",
    payloads: anthropic(cached(1_000, 20_000, 5_000, 0)),
    price: SONNET,
    // 3,000,000 + 6,000,000 + 18,750,000 + 10,500,000
    expected: [1_000, 20_000, 5_000, 0, 700, 0, 38_250_000],
  },
  {
    name: "cache written for an hour",
    wire: "anthropic-messages",
    payloads: anthropic(cached(1_000, 20_000, 0, 5_000)),
    price: SONNET,
    // 3,000,000 + 6,000,000 + 30,000,000 + 10,500,000
    expected: [1_000, 20_000, 5_000, 5_000, 700, 0, 49_500_000],
  },
  {
    name: "cache written for both",
    wire: "anthropic-messages",
    payloads: anthropic(cached(1_000, 20_000, 2_000, 3_000)),
    price: SONNET,
    // 3,000,000 + 6,000,000 + 7,500,000 + 18,000,000 + 10,500,000
    expected: [1_000, 20_000, 5_000, 3_000, 700, 0, 45_000_000],
  },
  {
    name: "a prompt of exactly 200,000 tokens, at the price of short ones",
    wire: "anthropic-messages",
    payloads: anthropic(cached(1_000, 198_000, 1_000, 0)),
    price: SONNET,
    // 3,000,000 + 59,400,000 + 3,750,000 + 10,500,000
    expected: [1_000, 198_000, 1_000, 0, 700, 0, 76_650_000],
  },
  {
    name: "a prompt of one token more, all of it at the price of long ones",
    wire: "anthropic-messages",
    payloads: anthropic(cached(1_000, 198_000, 1_001, 0)),
    price: SONNET,
    // 6,000,000 + 118,800,000 + 7,507,500 + 15,750,000
    expected: [1_000, 198_000, 1_001, 0, 700, 0, 148_057_500],
  },
  {
    name: "a long prompt whose cache is kept for an hour",
    wire: "anthropic-messages",
    payloads: anthropic(cached(1_000, 198_000, 0, 2_000)),
    price: SONNET,
    // 6,000,000 + 118,800,000 + 24,000,000 + 15,750,000
    expected: [1_000, 198_000, 2_000, 2_000, 700, 0, 164_550_000],
  },
  {
    name: "figures of the last event, which replace those of the first",
    wire: "anthropic-messages",
    payloads: anthropic({ input_tokens: 0 }, { input_tokens: 1_000, output_tokens: 700, cache_read_input_tokens: 10 }),
    price: SONNET,
    // 3,000,000 + 3,000 + 10,500,000
    expected: [1_000, 10, 0, 0, 700, 0, 13_503_000],
  },
  {
    name: "thinking within the output",
    wire: "anthropic-messages",
    payloads: anthropic(cached(1_000, 0, 0, 0), {
      output_tokens: 700,
      output_tokens_details: { thinking_tokens: 650 },
    }),
    price: SONNET,
    expected: [1_000, 0, 0, 0, 700, 650, 13_500_000],
  },
  {
    name: "reasoning within the output, a part of the prompt cached",
    wire: "openai-responses",
    payloads: responses({
      input_tokens: 130,
      input_tokens_details: { cached_tokens: 100 },
      output_tokens: 530,
      output_tokens_details: { reasoning_tokens: 500 },
    }),
    price: CHAT_PRICE,
    // 60,000 + 20,000 + 6,360,000
    expected: [30, 100, 0, 0, 530, 500, 6_440_000],
  },
  {
    name: "the same on the chat wire",
    wire: "openai-chat",
    payloads: chat({
      prompt_tokens: 130,
      completion_tokens: 530,
      total_tokens: 660,
      prompt_tokens_details: { cached_tokens: 100 },
      completion_tokens_details: { reasoning_tokens: 500 },
    }),
    price: CHAT_PRICE,
    expected: [30, 100, 0, 0, 530, 500, 6_440_000],
  },
  {
    name: "reasoning beside the completion, and ticks for money",
    wire: "openai-chat",
    payloads: chat({
      prompt_tokens: 130,
      completion_tokens: 30,
      total_tokens: 660,
      completion_tokens_details: { reasoning_tokens: 500 },
      cost_in_usd_ticks: 12_345_678,
    }),
    price: CHAT_PRICE,
    expected: [130, 0, 0, 0, 530, 500, 1_234_568],
  },
  {
    name: "OpenRouter's own cost",
    wire: "openai-chat",
    payloads: chat({ prompt_tokens: 130, completion_tokens: 30, cost: 0.00125, is_byok: false }),
    price: CHAT_PRICE,
    expected: [130, 0, 0, 0, 30, 0, 1_250_000],
  },
  {
    name: "OpenRouter's fee, and what the user's own key is billed upstream",
    wire: "openai-chat",
    payloads: chat({
      prompt_tokens: 130,
      completion_tokens: 30,
      cost: 0.0000625,
      is_byok: true,
      cost_details: { upstream_inference_cost: 0.00125 },
    }),
    price: CHAT_PRICE,
    expected: [130, 0, 0, 0, 30, 0, 1_312_500],
  },
  {
    name: "OpenRouter's cache, written and read",
    wire: "openai-chat",
    payloads: chat({
      prompt_tokens: 130,
      completion_tokens: 30,
      prompt_tokens_details: { cached_tokens: 60, cache_write_tokens: 50 },
    }),
    price: { ...CHAT_PRICE, cacheWrite: 25e8 },
    // 40,000 + 12,000 + 125,000 + 360,000
    expected: [20, 60, 50, 0, 30, 0, 537_000],
  },
  {
    name: "Ollama's counts, which have the cached in them",
    wire: "ollama-chat",
    payloads: [
      { model: "m", message: { content: "Done." }, done: false },
      {
        model: "m",
        message: { content: "" },
        done: true,
        done_reason: "stop",
        prompt_eval_count: 130,
        prompt_eval_cached_count: 100,
        eval_count: 30,
      },
    ],
    price: { input: 1e9, cacheRead: 1e8, cacheWrite: 1e9, output: 2e9, tiers: [] },
    // 30,000 + 10,000 + 60,000
    expected: [30, 100, 0, 0, 30, 0, 100_000],
  },
  {
    name: "half a nano-dollar, rounded up once for all of the call",
    wire: "openai-chat",
    payloads: chat({ prompt_tokens: 30, completion_tokens: 3, prompt_tokens_details: { cached_tokens: 5 } }),
    price: ODD_PRICE,
    // 25 × 75 + 5 × 37.5 + 3 × 300 = 2,962.5
    expected: [25, 5, 0, 0, 3, 0, 2_963],
  },
];

/**
 * Read off the recordings by eye, and reckoned at 1,000 nano-dollars a fresh token, 100 a cached one, 5,000 one of
 * output. Those that are not here reported nothing, or no whole figures.
 */
export const RECORDED: Readonly<Record<string, Figures>> = {
  "anthropic-messages--anthropic-clear-thinking.1": [69, 0, 0, 0, 53, 0, 334_000],
  "anthropic-messages--anthropic-json-tool.1": [849, 0, 0, 0, 47, 0, 1_084_000],
  // The first event said 43.
  "anthropic-messages--anthropic-message-delta-input-tokens": [61, 0, 0, 0, 2, 0, 71_000],
  "anthropic-messages--anthropic-refusal": [18, 0, 0, 0, 5, 0, 43_000],
  "anthropic-messages--anthropic-text": [12, 0, 0, 0, 30, 0, 162_000],
  "anthropic-messages--anthropic-tool-no-args": [565, 0, 0, 0, 48, 0, 805_000],
  "anthropic-messages--duplicate-message-start": [17, 0, 0, 0, 227, 0, 1_152_000],
  "ollama-chat--test_ollama_streaming_chat_with_events_with_content": [17, 0, 0, 0, 50, 0, 267_000],
  "openai-chat--chat-parallel-tools": [162, 0, 0, 0, 219, 192, 1_257_000],
  "openai-chat--chat-streaming-detailed-usage": [12, 0, 0, 0, 100, 100, 512_000],
  "openai-chat--deepseek-tool-call": [19, 320, 0, 0, 83, 39, 466_000],
  // Its own cost: nothing. It has one token of reasoning more than of output.
  "openai-chat--test_openrouter_stream_error": [43, 0, 0, 0, 10, 10, 0],
  "openai-chat--test_zai_thinking_stream": [13, 0, 0, 0, 564, 561, 2_833_000],
  // Reasoning beside the completion; its own cost in ticks: 1,497,500.
  "openai-chat--xai-tool-call": [1, 306, 0, 0, 253, 227, 149_750],
  "openai-responses--test_openai_responses_stream-1": [255, 0, 0, 0, 16, 0, 335_000],
  "openai-responses--test_openai_responses_stream-2": [278, 0, 0, 0, 9, 0, 323_000],
};
