import type { FailurePattern } from "./failure-pattern.ts";

/**
 * As the others say it that speak OpenAI's wires, or that a gateway asks: OpenRouter, Mistral, DeepSeek, xAI, Groq,
 * Google, Moonshot, MiniMax, llama.cpp, LM Studio.
 */
export const CHAT_SERVER_FAILURES: readonly FailurePattern[] = [
  {
    class: "quota",
    message: /insufficient (balance|credits|quota)|requires more credits|usage limit reached/i,
    samples: [
      {
        status: 402,
        body: '{"error":{"message":"Insufficient credits. Add more using https://openrouter.ai/settings/credits","code":402}}',
      },
      {
        status: 402,
        body: '{"error":{"message":"This request requires more credits, or fewer max_tokens. You requested up to 4096 tokens, but can only afford 222.","code":402}}',
      },
      {
        status: 402,
        body: '{"error":{"message":"Insufficient Balance","type":"unknown_error","param":null,"code":"invalid_request_error"}}',
      },
    ],
  },
  {
    class: "overflow",
    codes: ["exceed_context_size_error"],
    message: new RegExp(
      [
        // OpenRouter, xAI, Groq, Google, LM Studio, MiniMax, Moonshot, Mistral.
        "endpoint's maximum context length",
        "maximum prompt length is \\d+",
        "reduce the length of the messages or completion",
        "input token count.*exceeds the maximum",
        "greater than the context length",
        "context window exceeds limit",
        "exceeded model token limit",
        "too large for model with \\d+ maximum context length",
      ].join("|"),
      "i",
    ),
    samples: [
      {
        status: 400,
        body: '{"error":{"message":"This endpoint\'s maximum context length is 131072 tokens. However, you requested about 140210 tokens","code":400}}',
      },
      {
        status: 400,
        body: '{"error":{"message":"This model\'s maximum prompt length is 131072 but the request contains 537812 tokens."}}',
      },
      {
        status: 400,
        body: '{"error":{"message":"Please reduce the length of the messages or completion.","type":"invalid_request_error"}}',
      },
      {
        status: 400,
        body: '{"error":{"code":400,"message":"The input token count (1048577) exceeds the maximum number of tokens allowed (1048576).","status":"INVALID_ARGUMENT"}}',
      },
      {
        status: 400,
        body: '{"error":{"code":400,"message":"the request exceeds the available context size, try increasing it","type":"exceed_context_size_error"}}',
      },
      {
        status: 400,
        body: '{"object":"error","message":"Prompt contains 33254 tokens and 0 draft tokens, too large for model with 32768 maximum context length","type":"invalid_request_error","param":null,"code":"3051"}',
      },
    ],
  },
  {
    class: "auth",
    message: /no auth credentials|user not found/i,
    samples: [
      { status: 401, body: '{"error":{"message":"No auth credentials found","code":401}}' },
      { status: 401, body: '{"error":{"message":"User not found.","code":401}}' },
    ],
  },
  {
    class: "refusal",
    message: /input was flagged/i,
    samples: [
      {
        status: 403,
        body: '{"error":{"code":403,"message":"Your input was flagged by the moderation of the model\'s provider","metadata":{"reasons":["violence"]}}}',
      },
    ],
  },
  {
    class: "overloaded",
    codes: ["insufficient_system_resource", "server_overloaded"],
    message: /at capacity|capacity exceeded|no capacity available/i,
    samples: [
      {
        status: 429,
        body: '{"object":"error","message":"Service tier capacity exceeded for this model.","type":"invalid_request_error","param":null,"code":null}',
      },
      {
        status: 429,
        body: '{"error":{"code":429,"message":"No capacity available for model on the server","status":"RESOURCE_EXHAUSTED"}}',
      },
      {
        status: 503,
        body: '{"error":{"message":"The model is at capacity right now.","type":"server_error","code":"insufficient_system_resource"}}',
      },
    ],
  },
];
