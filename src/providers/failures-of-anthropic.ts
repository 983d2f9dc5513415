import type { FailurePattern } from "./failure-pattern.ts";

/** As Anthropic says it (docs: API errors, rate limits; its messages as users report them). */
export const ANTHROPIC_FAILURES: readonly FailurePattern[] = [
  {
    class: "quota",
    codes: [
      "billing_error",
      "enforced_spend_limit_reached",
      "contract_spend_limit_reached",
      "linked_organization_spend_limit_reached",
    ],
    message: /credit balance is too low/i,
    samples: [
      {
        status: 400,
        body: '{"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits."}}',
      },
      {
        status: 429,
        body: '{"type":"error","error":{"type":"rate_limit_error","message":"Spend limit reached","details":{"error_code":"enforced_spend_limit_reached"}}}',
      },
      {
        status: 402,
        body: '{"type":"error","error":{"type":"billing_error","message":"There is an issue with billing"}}',
      },
    ],
  },
  {
    class: "overflow",
    codes: ["request_too_large", "model_context_window_exceeded"],
    message: /prompt is too long|exceed context limit/i,
    samples: [
      {
        status: 400,
        body: '{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 213462 tokens > 200000 maximum"}}',
      },
      {
        status: 400,
        body: '{"type":"error","error":{"type":"invalid_request_error","message":"input length and `max_tokens` exceed context limit: 195000 + 20000 > 200000, decrease input length or `max_tokens` and try again"}}',
      },
      {
        status: 413,
        body: '{"type":"error","error":{"type":"request_too_large","message":"Request exceeds the maximum size"}}',
      },
    ],
  },
];
