import type { FailureClass } from "../../../src/core/failure.ts";
import type { Wire } from "../agent/answers.ts";
import { WIRES } from "../agent/answers.ts";
import type { Act, Place } from "./act.ts";

/** Lanes of the proof, in the order of the route; `large` has the larger window and is on it where a scenario says so. */
export type LaneName = "first" | "second" | "large";

/** One thing that goes wrong with the first lane, and what is to come of it. */
export interface Scenario {
  /** That of failoverbench's catalogue (S01 …), or one of ours. */
  readonly id: string;
  readonly title: string;
  /** What the first lane's server does with its nth request, from 0; null: nothing listens there. `elsewhere`: a server that is no lane's. */
  readonly act: ((nth: number, wire: Wire, elsewhere: string) => Act) | null;
  /** The wires of the first lane on which it can be played. */
  readonly wires: readonly Wire[];
  readonly route: readonly LaneName[];
  /** The class of the first failure; null: there is none. */
  readonly class: FailureClass | null;
  /** A part of the answer had come. */
  readonly brokeOff: boolean;
  /** Who is asked the troubled question, in order. */
  readonly asked: readonly LaneName[];
  readonly end: "succeeded" | "failed" | "paused";
  /** Between the first two requests of the troubled question, at least so many milliseconds. */
  readonly gapMs?: number;
  /** At most so many requests at the first lane within so many milliseconds. */
  readonly pace?: { readonly most: number; readonly withinMs: number };
  /** Of all of it, at most. */
  readonly seconds: number;
}

/** The request that goes wrong first: the one before it was answered whole, so that there is something that could leak. */
const FROM = 1;
const WHOLE: Act = { kind: "whole" };
const BOTH: readonly LaneName[] = ["first", "second"];
const THRICE: readonly LaneName[] = ["first", "first", "first", "second"];
const AGAIN: readonly LaneName[] = ["first", "first"];

const once = (act: Act) => (nth: number) => (nth === FROM ? act : WHOLE);
const always = (act: Act) => (nth: number) => (nth >= FROM ? act : WHOLE);

const status = (code: number, type: string, headers: Readonly<Record<string, string>> = {}): Act => ({
  kind: "status",
  status: code,
  headers,
  body: JSON.stringify({ type: "error", error: { type, message: `the server says ${type}` } }),
});
const coded = (code: number, word: string, message: string): Act => ({
  kind: "status",
  status: code,
  body: JSON.stringify({ error: { message, type: "invalid_request_error", param: null, code: word } }),
});
const cut = (at: Place, how: "reset" | "fin"): Act => ({ kind: "cut", at, how });
const redirect = (to: string): Act => ({ kind: "status", status: 307, headers: { location: `${to}/v1/x` }, body: "" });
const silent = (at: Place): Act => ({ kind: "silence", at });

const USUAL = {
  wires: WIRES,
  route: BOTH,
  class: null,
  brokeOff: false,
  asked: ["first"],
  end: "succeeded",
  seconds: 40,
} as const satisfies Partial<Scenario>;

const scenario = (id: string, title: string, act: Scenario["act"], change: Partial<Scenario>): Scenario => ({
  ...USUAL,
  id,
  title,
  act,
  ...change,
});

const RATE = { class: "rate" } as const;
const BUSY = { class: "overloaded" } as const;
const SILENT = { class: "timeout", asked: BOTH } as const;
const BROKEN = { class: "network", brokeOff: true } as const;

/** How each wire's vendor says that the account is used up. */
const USED_UP: Readonly<Record<Wire, Act>> = {
  "anthropic-messages": {
    kind: "status",
    status: 400,
    body: '{"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low to access the Anthropic API."}}',
  },
  "openai-responses": coded(429, "insufficient_quota", "You exceeded your current quota"),
  "openai-chat": { kind: "status", status: 402, body: '{"error":{"message":"Insufficient credits.","code":402}}' },
  "ollama-chat": { kind: "status", status: 429, body: '{"error":"you\'ve reached your hourly usage limit"}' },
};
const TOO_LONG: Readonly<Record<Wire, Act>> = {
  "anthropic-messages": coded(400, "", "prompt is too long: 213462 tokens > 200000 maximum"),
  "openai-responses": coded(400, "context_length_exceeded", "Your input exceeds the context window of this model."),
  "openai-chat": coded(400, "context_length_exceeded", "This model's maximum context length is 200000 tokens."),
  "ollama-chat": { kind: "status", status: 400, body: '{"error":"the input length exceeds the context length"}' },
};
const overloadedBody = '{"error":{"type":"overloaded_error","message":"Overloaded"}}';
const PAGE = "<!DOCTYPE html><title>Back soon</title>";
const ZAI: readonly Wire[] = ["openai-chat", "anthropic-messages"];

/** Before the first content event. */
export const BEFORE: readonly Scenario[] = [
  scenario("S01", "429 with Retry-After in seconds", once(status(429, "rate_limit_error", { "retry-after": "2" })), {
    ...RATE,
    asked: AGAIN,
    gapMs: 2_000,
    pace: { most: 2, withinMs: 1_500 },
  }),
  scenario("S01-ms", "429 with retry-after-ms", once(status(429, "rate_limit_error", { "retry-after-ms": "700" })), {
    ...RATE,
    asked: AGAIN,
    gapMs: 700,
  }),
  scenario("S01-date", "429 with a date", (nth) => once(status(429, "rate_limit_error", inSeconds(3)))(nth), {
    ...RATE,
    asked: AGAIN,
    gapMs: 1_900,
  }),
  scenario(
    "S01-long",
    "429 with a wait beyond the deadline",
    always(status(429, "rate_limit_error", { "retry-after": "3600" })),
    {
      ...RATE,
      asked: BOTH,
    },
  ),
  scenario("S02", "429 without Retry-After, persistent", always(status(429, "rate_limit_error")), {
    ...RATE,
    asked: THRICE,
    pace: { most: 4, withinMs: 3_000 },
  }),
  scenario("S03", "500 once, then healthy", once(status(500, "api_error")), { class: "server", asked: AGAIN }),
  scenario("S03-always", "500, persistent", always(status(500, "api_error")), { class: "server", asked: THRICE }),
  scenario("S04", "503, persistent", always(status(503, "overloaded_error")), { ...BUSY, asked: THRICE }),
  scenario(
    "should-not",
    "500 that says x-should-retry: false",
    always(status(500, "api_error", { "x-should-retry": "false" })),
    {
      class: "server",
      asked: BOTH,
    },
  ),
  scenario(
    "should",
    "400 once that says x-should-retry: true",
    once(status(400, "invalid_request_error", { "x-should-retry": "true" })),
    {
      class: "invalid",
      asked: AGAIN,
    },
  ),
  scenario("S05", "reset before headers, once", once({ kind: "reset" }), { class: "network", asked: AGAIN }),
  scenario("deaf", "nothing listens", null, { class: "network", asked: THRICE }),
  scenario("S06", "no response at all", always(silent("request")), SILENT),
  scenario("S06-headers", "headers, and then nothing", always(silent("headers")), SILENT),
  scenario("S06-announced", "an answer that is announced, and never begins", always(silent("announced")), SILENT),
  scenario(
    "heartbeats",
    "an answer that is announced, then heartbeats for ever",
    always({ kind: "heartbeats" }),
    SILENT,
  ),
  scenario("S07", "slow first token, within the limit", once({ kind: "whole", pauseMs: 900 }), {}),
  scenario("S07-late", "slow first token, beyond the limit", always({ kind: "whole", pauseMs: 15_000 }), SILENT),
  scenario("quota", "the account is used up", (nth, wire) => always(USED_UP[wire])(nth), {
    class: "quota",
    asked: BOTH,
  }),
  scenario(
    "quota-zai",
    "Z.AI's 1113 under status 429",
    always({
      kind: "status",
      status: 429,
      body: '{"error":{"code":"1113","message":"Insufficient balance or no resource package."}}',
    }),
    {
      class: "quota",
      asked: BOTH,
      wires: ZAI,
    },
  ),
  scenario("auth", "the key is refused", always(status(401, "authentication_error")), { class: "auth", asked: BOTH }),
  scenario("S12", "context length exceeded, a larger model on the route", (nth, wire) => always(TOO_LONG[wire])(nth), {
    class: "overflow",
    route: ["first", "second", "large"],
    asked: ["first", "large"],
  }),
  scenario("S12-none", "context length exceeded, no larger model", (nth, wire) => always(TOO_LONG[wire])(nth), {
    class: "overflow",
    end: "failed",
  }),
  scenario(
    "S13",
    "content-filter rejection",
    always(coded(400, "content_policy_violation", "rejected by the safety system")),
    {
      class: "refusal",
      end: "failed",
      wires: ["anthropic-messages", "openai-responses", "openai-chat"],
    },
  ),
  scenario("invalid", "an invalid request", always(status(400, "invalid_request_error")), {
    class: "invalid",
    end: "failed",
  }),
  scenario("redirect", "a redirect to another host", (nth, _, elsewhere) => always(redirect(elsewhere))(nth), {
    class: "invalid",
    end: "failed",
  }),
  scenario("error-200", "an error for the first event of a 200", always({ kind: "error", at: "headers" }), {
    ...BUSY,
    asked: THRICE,
  }),
  scenario("page-200", "a web page for the body of a 200", always({ kind: "body", type: "text/html", body: PAGE }), {
    class: "server",
    asked: THRICE,
  }),
  scenario(
    "json-200",
    "an error for the body of a 200",
    once({ kind: "body", type: "application/json", body: overloadedBody }),
    {
      ...BUSY,
      asked: AGAIN,
    },
  ),
];

/** After it. */
export const AFTER: readonly Scenario[] = [
  scenario("S08", "stream cut in the middle, once", once(cut("middle", "reset")), { ...BROKEN, asked: AGAIN }),
  scenario("S08-always", "stream cut in the middle, every time", always(cut("middle", "reset")), {
    ...BROKEN,
    asked: THRICE,
  }),
  scenario("S08-fin", "stream that ends properly in the middle", once(cut("middle", "fin")), {
    ...BROKEN,
    asked: AGAIN,
  }),
  scenario("S08-end", "all of the content, and no terminal event", once(cut("end", "fin")), {
    ...BROKEN,
    asked: AGAIN,
  }),
  scenario("S09", "stream stalls", always(silent("middle")), { class: "stalled", brokeOff: true, asked: BOTH }),
  scenario("S10", "malformed chunk in the stream", once({ kind: "garbage", how: "json" }), { ...BROKEN, asked: AGAIN }),
  scenario("S10-prefix", "chunk that lost its beginning", once({ kind: "garbage", how: "prefix" }), {
    ...BROKEN,
    asked: AGAIN,
  }),
  scenario("S11", "complete stream without [DONE]", always({ kind: "whole", doneless: true }), {
    wires: ["openai-chat"],
  }),
  scenario(
    "S11-open",
    "complete stream, and the connection stays open",
    always({ kind: "whole", doneless: true, open: true }),
    {},
  ),
  scenario("error-mid", "an error in the middle of an answer", once({ kind: "error", at: "middle" }), {
    ...BUSY,
    brokeOff: true,
    asked: AGAIN,
  }),
  scenario("S14", "stream cut, and the next lane refuses a prefilled answer", always(cut("middle", "fin")), {
    ...BROKEN,
    asked: THRICE,
  }),
  scenario("stop", "stream cut, and the pipeline says on_lost_call: stop", once(cut("middle", "reset")), {
    ...BROKEN,
    asked: AGAIN,
    end: "paused",
  }),
  scenario("S16", "fail-over accounting", always(status(503, "overloaded_error")), { ...BUSY, asked: THRICE }),
];

function inSeconds(seconds: number): Readonly<Record<string, string>> {
  return { "retry-after": new Date(Date.now() + seconds * 1000).toUTCString() };
}
