import type { FailurePattern } from "./failure-pattern.ts";

/** Z.AI's numbers (docs.z.ai: API code). Most come with status 429 or 400, whatever they mean, and without a Retry-After. */
export const ZAI_FAILURES: readonly FailurePattern[] = [
  {
    class: "quota",
    // In arrears; the day's calls, the plan's window, the plan itself, the week or the month used up.
    codes: ["1113", "1304", "1308", "1309", "1310"],
    samples: [
      {
        status: 429,
        body: '{"error":{"code":"1113","message":"Insufficient balance or no resource package. Please recharge."}}',
      },
      {
        status: 429,
        body: '{"error":{"code":"1308","message":"Usage limit reached for 5 hour. Your limit will reset at 2026-11-20 18:00:00"}}',
      },
    ],
  },
  {
    class: "overflow",
    codes: ["1261"],
    samples: [{ status: 400, body: '{"error":{"code":"1261","message":"Prompt exceeds max length"}}' }],
  },
  {
    class: "auth",
    // No, a wrong or an expired token; an account that is inactive, unknown or locked; no right to this API.
    codes: ["1000", "1001", "1002", "1003", "1004", "1110", "1111", "1112", "1121", "1220"],
    samples: [
      {
        status: 401,
        body: '{"error":{"code":"1002","message":"Authorization Token is invalid, please confirm that it is passed correctly."}}',
      },
    ],
  },
  {
    class: "refusal",
    codes: ["1301"],
    samples: [
      {
        status: 400,
        body: '{"error":{"code":"1301","message":"The system detected potentially unsafe or sensitive content in input or generation."}}',
      },
    ],
  },
  {
    class: "rate",
    codes: ["1302", "1303"],
    samples: [
      {
        status: 429,
        body: '{"error":{"code":"1302","message":"High concurrency usage of this API, please reduce concurrency or contact customer service."}}',
      },
    ],
  },
  {
    class: "overloaded",
    codes: ["1305"],
    samples: [
      {
        status: 429,
        body: '{"error":{"code":"1305","message":"The service may be temporarily overloaded, please try again later"}}',
      },
    ],
  },
  {
    class: "server",
    // An account that cannot be read just now, trouble in a call, the network behind it.
    codes: ["1120", "1230", "1234"],
    samples: [
      {
        status: 500,
        body: '{"error":{"code":"1234","message":"Network error, error id: 20261120, please contact customer service"}}',
      },
    ],
  },
  {
    class: "invalid",
    codes: ["1210", "1211", "1212", "1213", "1214", "1215", "1221", "1222"],
    // A wrong path is answered at status 200, with "code":500 in it.
    message: /^404 NOT_FOUND$/,
    samples: [
      { status: 400, body: '{"error":{"code":"1211","message":"Unknown Model, please check the model code."}}' },
      { status: 200, body: '{"code":500,"msg":"404 NOT_FOUND","success":false}' },
    ],
  },
];
