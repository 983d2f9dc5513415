import type { FailureClass } from "../core/failure.ts";

/** How a class of failure is recognised, over all wires: gateways pass each other's errors on. */
export interface FailurePattern {
  readonly class: FailureClass;
  /** An error's `type` or `code`, exactly. */
  readonly codes?: readonly string[];
  readonly message?: RegExp;
  /** Bodies of responses that it is for. */
  readonly samples: readonly string[];
}

/** In order: the first that matches decides. What an error says counts more than its status. */
export const FAILURE_PATTERNS: readonly FailurePattern[] = [
  {
    class: "quota",
    codes: [
      "insufficient_quota",
      "billing_error",
      "billing_hard_limit_reached",
      "enforced_spend_limit_reached",
      "contract_spend_limit_reached",
      "linked_organization_spend_limit_reached",
      // Z.AI: no balance; daily calls, plan limit and plan itself used up.
      "1113",
      "1304",
      "1308",
      "1309",
    ],
    message:
      /credit balance is too low|insufficient (balance|credits|quota)|exceeded your current quota|usage limit reached/i,
    samples: [
      '{"error":{"message":"You exceeded your current quota, please check your plan and billing details.","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}',
      '{"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits."}}',
      '{"error":{"message":"Insufficient credits. Add more using https://openrouter.ai/settings/credits","code":402}}',
      '{"error":{"code":"1113","message":"Insufficient balance or no resource package. Please recharge."}}',
      '{"error":{"code":"1308","message":"Usage limit reached for 5 hour. Your limit will reset at 2026-11-20 18:00:00"}}',
      '{"type":"error","error":{"type":"rate_limit_error","message":"Spend limit reached","details":{"error_code":"enforced_spend_limit_reached"}}}',
    ],
  },
  {
    class: "overflow",
    codes: ["context_length_exceeded", "request_too_large", "model_context_window_exceeded", "1261"],
    message: new RegExp(
      [
        "prompt is too long",
        "exceeds? the (context window|available context size)",
        "maximum (context|prompt) length is \\d+",
        "reduce the length of the messages",
        "input token count.*exceeds the maximum",
        "(greater than|exceeds) the context length",
        "context window exceeds limit",
        "exceeded model token limit",
        "maximum context length",
        "request too large for",
      ].join("|"),
      "i",
    ),
    samples: [
      '{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 213462 tokens > 200000 maximum"}}',
      '{"error":{"message":"Your input exceeds the context window of this model. Please adjust your input and try again.","type":"invalid_request_error","param":"input","code":"context_length_exceeded"}}',
      '{"error":{"message":"This endpoint\'s maximum context length is 131072 tokens. However, you requested about 140210 tokens","code":400}}',
      '{"error":{"message":"This model\'s maximum prompt length is 131072 but the request contains 537812 tokens."}}',
      '{"error":{"message":"Please reduce the length of the messages or completion.","type":"invalid_request_error"}}',
      '{"error":{"message":"Request too large for gpt-4o in organization org-x on tokens per min (TPM): Limit 30000, Requested 41234.","type":"tokens","code":"rate_limit_exceeded"}}',
      '{"error":{"code":400,"message":"the request exceeds the available context size, try increasing it","type":"exceed_context_size_error"}}',
      '{"error":"the input length exceeds the context length"}',
    ],
  },
  {
    class: "auth",
    codes: ["authentication_error", "permission_error", "invalid_api_key", "1000", "1001", "1002", "1003", "1004"],
    message: /(incorrect|invalid) (x-)?api[- ]key|no auth credentials/i,
    samples: [
      '{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"}}',
      '{"error":{"message":"Incorrect API key provided: sk-abc***xyz.","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}',
      '{"error":{"message":"No auth credentials found","code":401}}',
      '{"error":{"code":"1002","message":"Authorization Token is invalid, please confirm that it is passed correctly."}}',
    ],
  },
  {
    class: "refusal",
    codes: ["content_policy_violation", "content_filter", "1301"],
    message: /input was flagged/i,
    samples: [
      '{"error":{"code":"1301","message":"The system detected potentially unsafe or sensitive content in input or generation."}}',
      '{"error":{"code":403,"message":"Your input was flagged by the moderation of the model\'s provider","metadata":{"reasons":["violence"]}}}',
    ],
  },
  {
    class: "overloaded",
    codes: ["overloaded_error", "engine_overloaded_error", "server_overloaded", "insufficient_system_resource", "1305"],
    message: /\boverloaded\b|at capacity/i,
    samples: [
      '{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}',
      '{"error":{"code":"1305","message":"The service may be temporarily overloaded, please try again later"}}',
    ],
  },
  {
    class: "rate",
    codes: ["rate_limit_error", "rate_limit_exceeded", "1302", "1303"],
    samples: [
      '{"type":"error","error":{"type":"rate_limit_error","message":"This request would exceed your organization\'s rate limit of 50 requests per minute."}}',
      '{"error":{"message":"Rate limit reached for gpt-4o on requests per min (RPM): Limit 3, Used 3, Requested 1.","type":"requests","code":"rate_limit_exceeded"}}',
      '{"error":{"code":"1302","message":"High concurrency usage of this API, please reduce concurrency or contact customer service."}}',
    ],
  },
  {
    class: "timeout",
    codes: ["timeout_error"],
    samples: ['{"type":"error","error":{"type":"timeout_error","message":"Request timed out"}}'],
  },
  {
    class: "server",
    codes: ["api_error", "server_error", "internal_server_error"],
    samples: [
      '{"type":"error","error":{"type":"api_error","message":"Internal server error"}}',
      '{"error":{"message":"The server had an error while processing your request. Sorry about that!","type":"server_error","param":null,"code":null}}',
    ],
  },
  {
    class: "invalid",
    codes: ["invalid_request_error", "not_found_error", "model_not_found", "unsupported_parameter", "1211"],
    message: /model .*not found|does not support tools/i,
    samples: [
      '{"error":{"message":"The model `gpt-4.1-nano-wrong` does not exist or you do not have access to it.","type":"invalid_request_error","param":null,"code":"model_not_found"}}',
      '{"type":"error","error":{"type":"not_found_error","message":"model: claude-nonesuch"}}',
      '{"error":"model \'qwen9\' not found"}',
      '{"error":"registry.ollama.ai/library/gemma:2b does not support tools"}',
      '{"error":{"code":"1211","message":"Unknown Model, please check the model code."}}',
    ],
  },
];

/** What a status means when the body says nothing that is known. */
export function classOfStatus(status: number): FailureClass {
  switch (status) {
    case 401:
    case 403:
      return "auth";
    case 402:
      return "quota";
    case 408:
    case 504:
    case 524:
      return "timeout";
    case 413:
      return "overflow";
    case 425:
    case 429:
      return "rate";
    case 503:
    case 529:
      return "overloaded";
    default:
      return status >= 500 ? "server" : "invalid";
  }
}
