import type { FailureClass } from "../core/failure.ts";
import type { Lane } from "../core/lane.ts";
import type { FailurePattern } from "./failure-pattern.ts";
import { ANTHROPIC_FAILURES } from "./failures-of-anthropic.ts";
import { CHAT_SERVER_FAILURES } from "./failures-of-chat-servers.ts";
import { OLLAMA_FAILURES } from "./failures-of-ollama.ts";
import { OPENAI_FAILURES } from "./failures-of-openai.ts";
import { ZAI_FAILURES } from "./failures-of-zai.ts";

/** What an error says of itself, whichever provider's shape it has. */
export interface Said {
  /** `code` and `type`, as text. */
  readonly words: readonly string[];
  readonly message: string;
}

/** Types that vendors have taken over from each other. */
const COMMON_FAILURES: readonly FailurePattern[] = [
  {
    class: "auth",
    types: ["authentication_error", "permission_error"],
    samples: [
      { status: 401, body: '{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"}}' },
      {
        status: 403,
        body: '{"type":"error","error":{"type":"permission_error","message":"Your API key does not have permission to use the specified resource."}}',
      },
    ],
  },
  {
    class: "rate",
    types: ["rate_limit_error", "rate_limit_exceeded", "rate_limited"],
    samples: [
      {
        status: 429,
        body: '{"type":"error","error":{"type":"rate_limit_error","message":"This request would exceed your organization\'s rate limit of 50 requests per minute."}}',
      },
      {
        status: 429,
        body: '{"error":{"message":"Rate limit reached for gpt-4o on requests per min (RPM): Limit 3, Used 3, Requested 1.","type":"requests","code":"rate_limit_exceeded"}}',
      },
      // Mistral. Its code 1300 is another thing with Z.AI.
      {
        status: 429,
        body: '{"object":"error","message":"Rate limit exceeded","type":"rate_limited","param":null,"code":"1300"}',
      },
    ],
  },
  {
    class: "overloaded",
    message: /\boverloaded\b/i,
    types: ["overloaded_error"],
    samples: [
      { status: 529, body: '{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}' },
      { status: 500, body: '{"type":"error","error":{"type":"api_error","message":"Overloaded"}}' },
      {
        status: 503,
        body: '{"error":{"code":503,"message":"The model is overloaded. Please try again later.","status":"UNAVAILABLE"}}',
      },
      {
        status: 503,
        body: '{"error":{"message":"The engine is currently overloaded, please try again later","type":"server_error"}}',
      },
    ],
  },
  {
    class: "timeout",
    types: ["timeout_error"],
    samples: [{ status: 504, body: '{"type":"error","error":{"type":"timeout_error","message":"Request timed out"}}' }],
  },
  {
    class: "server",
    types: ["api_error", "server_error", "internal_server_error"],
    samples: [
      { status: 500, body: '{"type":"error","error":{"type":"api_error","message":"Internal server error"}}' },
      {
        status: 500,
        body: '{"error":{"message":"The server had an error while processing your request. Sorry about that!","type":"server_error","param":null,"code":null}}',
      },
    ],
  },
  {
    class: "invalid",
    types: ["invalid_request_error", "not_found_error"],
    samples: [
      { status: 404, body: '{"type":"error","error":{"type":"not_found_error","message":"model: claude-nonesuch"}}' },
      {
        status: 400,
        body: '{"type":"error","error":{"type":"invalid_request_error","message":"messages: roles must alternate between \\"user\\" and \\"assistant\\""}}',
      },
    ],
  },
];

/**
 * By wire: whose errors are seen on it. A gateway speaks one wire and passes on the errors of vendors of another;
 * Z.AI's numbers are read only where Z.AI is spoken to.
 */
export const FAILURES: Readonly<Record<Exclude<Lane["wire"], "scripted">, readonly FailurePattern[]>> = {
  "anthropic-messages": [
    ...ANTHROPIC_FAILURES,
    ...ZAI_FAILURES,
    ...OPENAI_FAILURES,
    ...CHAT_SERVER_FAILURES,
    ...COMMON_FAILURES,
  ],
  "openai-responses": [...OPENAI_FAILURES, ...CHAT_SERVER_FAILURES, ...ANTHROPIC_FAILURES, ...COMMON_FAILURES],
  "openai-chat": [
    ...OPENAI_FAILURES,
    ...CHAT_SERVER_FAILURES,
    ...ZAI_FAILURES,
    ...ANTHROPIC_FAILURES,
    ...COMMON_FAILURES,
  ],
  "ollama-chat": [...OLLAMA_FAILURES, ...COMMON_FAILURES],
};

/** The rows that know an error: by its code, else by its wording, else by its general type. Empty: none does. */
export function rowsFor(wire: Lane["wire"], said: Said): readonly FailurePattern[] {
  const rows = wire === "scripted" ? [] : FAILURES[wire];
  const has = (words: readonly string[] | undefined) => words?.some((word) => said.words.includes(word)) ?? false;
  const byCode = rows.filter(({ codes }) => has(codes));
  if (byCode.length > 0) return byCode;
  const byWording = rows.filter(({ message }) => message?.test(said.message));
  return byWording.length > 0 ? byWording : rows.filter(({ types }) => has(types));
}

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
    // A conflict with a request that is still being dealt with: it passes.
    case 409:
      return "server";
    case 413:
      return "overflow";
    case 425:
    case 429:
      return "rate";
    // 498: Groq, whose flexible tier has no room.
    case 498:
    case 503:
    case 529:
      return "overloaded";
    default:
      return status >= 500 ? "server" : "invalid";
  }
}
