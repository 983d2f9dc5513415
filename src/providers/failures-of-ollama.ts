import type { FailurePattern } from "./failure-pattern.ts";

/** As Ollama says it: a text without a code (its source, and issues of its users). */
export const OLLAMA_FAILURES: readonly FailurePattern[] = [
  {
    class: "overflow",
    message: /exceeds the (context length|available context size)/i,
    samples: [
      { status: 400, body: '{"error":"the input length exceeds the context length"}' },
      { status: 400, body: '{"error":"the request exceeds the available context size, try increasing it"}' },
    ],
  },
  {
    class: "overloaded",
    message: /server busy|no slots available/i,
    samples: [
      { status: 503, body: '{"error":"server busy, please try again.  maximum pending requests exceeded"}' },
      { status: 500, body: '{"error":"unexpected server status: llm busy - no slots available"}' },
    ],
  },
  {
    class: "quota",
    message: /usage limit/i,
    samples: [{ status: 429, body: '{"error":"you\'ve reached your hourly usage limit, please upgrade to continue"}' }],
  },
  {
    class: "invalid",
    message: /model .*not found|does not support (tools|thinking)/i,
    samples: [
      { status: 404, body: '{"error":"model \'qwen9\' not found"}' },
      { status: 400, body: '{"error":"registry.ollama.ai/library/gemma:2b does not support tools"}' },
    ],
  },
];
