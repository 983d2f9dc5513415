import type { FailurePattern } from "./failure-pattern.ts";

/** As OpenAI says it, on both of its wires (docs: error codes; its messages as users report them). */
export const OPENAI_FAILURES: readonly FailurePattern[] = [
  {
    class: "quota",
    codes: ["insufficient_quota", "billing_hard_limit_reached"],
    message: /exceeded your current quota/i,
    samples: [
      {
        status: 429,
        body: '{"error":{"message":"You exceeded your current quota, please check your plan and billing details.","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}',
      },
      {
        status: 400,
        body: '{"error":{"message":"Billing hard limit has been reached","type":"invalid_request_error","param":null,"code":"billing_hard_limit_reached"}}',
      },
    ],
  },
  {
    class: "overflow",
    codes: ["context_length_exceeded"],
    message: /model's maximum context length|exceeds the context window|request too large for/i,
    samples: [
      {
        status: 400,
        body: '{"error":{"message":"Your input exceeds the context window of this model. Please adjust your input and try again.","type":"invalid_request_error","param":"input","code":"context_length_exceeded"}}',
      },
      // vLLM says it in OpenAI's words, without the code.
      {
        status: 400,
        body: '{"object":"error","message":"This model\'s maximum context length is 4096 tokens. However, you requested 5120 tokens. Please reduce the length of the messages.","type":"BadRequestError","param":null,"code":400}',
      },
      {
        status: 429,
        body: '{"error":{"message":"Request too large for gpt-4o in organization org-x on tokens per min (TPM): Limit 30000, Requested 41234.","type":"tokens","code":"rate_limit_exceeded"}}',
      },
    ],
  },
  {
    class: "auth",
    codes: ["invalid_api_key", "account_deactivated"],
    message: /(incorrect|invalid) api key/i,
    samples: [
      {
        status: 401,
        body: '{"error":{"message":"Incorrect API key provided: sk-abc***xyz.","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}',
      },
    ],
  },
  {
    class: "refusal",
    codes: ["content_policy_violation", "content_filter", "invalid_prompt"],
    samples: [
      {
        status: 400,
        body: '{"error":{"message":"Your request was rejected as a result of our safety system.","type":"invalid_request_error","param":null,"code":"content_policy_violation"}}',
      },
      {
        status: 400,
        body: '{"error":{"message":"The response was filtered due to the prompt triggering content management policy.","type":null,"param":"prompt","code":"content_filter","status":400}}',
      },
      {
        status: 400,
        body: '{"error":{"message":"Invalid prompt: your prompt was flagged as potentially violating our usage policy.","type":"invalid_request_error","param":null,"code":"invalid_prompt"}}',
      },
    ],
  },
  {
    class: "overloaded",
    codes: ["server_is_overloaded", "slow_down", "engine_overloaded_error"],
    samples: [
      {
        status: 503,
        body: '{"error":{"type":"service_unavailable_error","code":"server_is_overloaded","message":"Our servers are currently overloaded. Please try again later."}}',
      },
      {
        status: 503,
        body: '{"error":{"type":"service_unavailable_error","code":"slow_down","message":"Please reduce your request rate."}}',
      },
    ],
  },
  {
    class: "invalid",
    codes: ["model_not_found", "unsupported_parameter", "unsupported_value"],
    samples: [
      {
        status: 404,
        body: '{"error":{"message":"The model `gpt-4.1-nano-wrong` does not exist or you do not have access to it.","type":"invalid_request_error","param":null,"code":"model_not_found"}}',
      },
      {
        status: 400,
        body: '{"error":{"message":"Unsupported parameter: \'max_tokens\' is not supported with this model.","type":"invalid_request_error","param":"max_tokens","code":"unsupported_parameter"}}',
      },
    ],
  },
];
