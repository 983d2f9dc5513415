import { describe, expect, it } from "vitest";
import { FAILURE_PATTERNS } from "../../src/providers/failure-patterns.ts";
import { classifyConnection, classifyHttp, classifySaid } from "../../src/providers/failures.ts";
import { retryAfterMs } from "../../src/providers/retry-after.ts";
import { LANE_KEY, lane } from "../support/wires.ts";

const LANE = lane("openai-chat");

function classOf(status: number, body: string, headers: Record<string, string> = {}): string {
  return classifyHttp(LANE, { status, body, headers: new Headers(headers) }, 0).class;
}

describe("what an error says decides its class, whatever its status", () => {
  const samples = FAILURE_PATTERNS.flatMap((pattern) =>
    pattern.samples.map((sample) => [pattern.class, sample] as const),
  );

  it.each(samples)("%s: %s", (expected, sample) => {
    expect([400, 429, 500].map((status) => classOf(status, sample))).toEqual([expected, expected, expected]);
    expect(classifySaid(LANE, JSON.parse(sample), false).class).toBe(expected);
  });

  it("every pattern has a sample of what it is for", () => {
    expect(FAILURE_PATTERNS.filter((pattern) => pattern.samples.length === 0)).toEqual([]);
  });
});

it.each([
  [400, "invalid"],
  [401, "auth"],
  [402, "quota"],
  [403, "auth"],
  [404, "invalid"],
  [408, "timeout"],
  [413, "overflow"],
  [422, "invalid"],
  [429, "rate"],
  [500, "server"],
  [502, "server"],
  [503, "overloaded"],
  [504, "timeout"],
  [529, "overloaded"],
])("status %i without a word that is known is %s", (status, expected) => {
  for (const body of ["", "???", "{}", '{"error":null}', '{"error":{"message":"Something went wrong"}}', "[]"]) {
    expect(classOf(status, body)).toBe(expected);
  }
});

describe("what people are shown", () => {
  const messageOf = (status: number, body: string) =>
    classifyHttp(LANE, { status, body, headers: new Headers() }, 0).message;

  it.each([
    ['{"error":{"code":"1305","message":"busy"}}', "test answered 429 (1305): busy"],
    [
      '{"error":{"code":429,"message":"Provider returned error","metadata":{"raw":"try later"}}}',
      "test answered 429: Provider returned error: try later",
    ],
    ['{"error":"model not found"}', "test answered 429: model not found"],
    ['{"detail":"Not here"}', "test answered 429: Not here"],
    ['{"code":500,"msg":"404 NOT_FOUND","success":false}', "test answered 429 (500): 404 NOT_FOUND"],
    ["upstream   connect\nerror", "test answered 429: upstream connect error"],
    ["", "test answered 429: no message"],
  ])("%s", (body, expected) => {
    expect(messageOf(429, body)).toBe(expected);
  });

  it("is short, has no web page in it and never the key", () => {
    const long = messageOf(400, JSON.stringify({ error: { message: `${LANE_KEY} ${"long ".repeat(500)}` } }));
    expect(long.length).toBe(400);
    expect(long).toContain("[redacted by ccp] long");
    expect(messageOf(502, "\n<html><body>Bad gateway</body></html>")).not.toContain("<");
  });

  it("names the host that could not be reached, and the system's word for why", () => {
    const refused = Object.assign(new Error("x"), { code: "ENOTFOUND" });
    const wrapped = new TypeError("fetch failed", { cause: new AggregateError([refused]) });
    expect(classifyConnection(LANE, wrapped).message).toContain("ENOTFOUND");
  });
});

describe("how long to wait", () => {
  const NOW = Date.parse("2026-11-20T12:00:00Z");

  it.each([
    [{}, null],
    [{ "retry-after": "7" }, 7000],
    [{ "retry-after": "0.5" }, 500],
    [{ "retry-after": "Fri, 20 Nov 2026 12:00:30 GMT" }, 30_000],
    [{ "retry-after": "Fri, 20 Nov 2026 11:59:00 GMT" }, 0],
    [{ "retry-after": "soon" }, null],
    [{ "retry-after-ms": "1500", "retry-after": "7" }, 1500],
    [{ "retry-after-ms": "-1" }, null],
  ])("%j is %s ms", (headers, expected) => {
    expect(retryAfterMs(new Headers(headers), NOW)).toBe(expected);
  });
});
