import { describe, expect, it } from "vitest";
import { FAILURES, rowsFor } from "../../src/providers/failure-patterns.ts";
import { classifyConnection, classifyHttp, classifySaid, readError } from "../../src/providers/failures.ts";
import { retryAfterMs } from "../../src/providers/retry-after.ts";
import { LANE_KEY, lane, REAL_WIRES, type RealWire } from "../support/wires.ts";

const LANE = lane("openai-chat");

function classOf(status: number, body: string, wire: RealWire = "openai-chat"): string {
  return classifyHttp(lane(wire), { status, body, headers: new Headers() }, 0).class;
}

describe.each(REAL_WIRES)("%s: what an error says decides its class, whatever its status", (wire) => {
  const samples = FAILURES[wire].flatMap((row) => row.samples.map((sample) => ({ row, ...sample })));

  it.each(samples)("$row.class: $status $body", ({ row, status, body }) => {
    expect(rowsFor(wire, readError(JSON.parse(body)))).toEqual([row]);
    expect([status, 400, 429, 500].map((other) => classOf(other, body, wire))).toEqual(Array(4).fill(row.class));
    expect(classifySaid(lane(wire), JSON.parse(body), false).class).toBe(row.class);
  });

  it("every row has a sample of each way in which it is recognised", () => {
    for (const row of FAILURES[wire]) {
      const said = row.samples.map(({ body }) => readError(JSON.parse(body)));
      const has = (words: readonly string[] = []) => said.some((one) => one.words.some((word) => words.includes(word)));
      expect(row.samples.length, row.class).toBeGreaterThan(0);
      if (row.codes) expect(has(row.codes), `${row.class} ${row.codes}`).toBe(true);
      if (row.types) expect(has(row.types), `${row.class} ${row.types}`).toBe(true);
      if (row.message)
        expect(
          said.some(({ message }) => row.message?.test(message)),
          String(row.message),
        ).toBe(true);
    }
  });
});

it("Z.AI's numbers mean nothing where Z.AI is not spoken to", () => {
  const body = '{"error":{"code":"1113","message":"teapot"}}';
  expect(REAL_WIRES.map((wire) => classOf(418, body, wire))).toEqual(["quota", "invalid", "quota", "invalid"]);
});

it.each([
  ['{"error":{"message":"Provider returned error","code":502}}', "server"],
  ['{"error":{"message":"Provider returned error","code":429}}', "rate"],
  ['{"error":{"message":"no more than that"}}', "server"],
  ['{"choices":[{"message":{"content":"cut sho', "server"],
])("status 200 with an error in it has the class that the error names, else the server's: %s", (body, expected) => {
  expect(classOf(200, body)).toBe(expected);
});

it.each([
  ["true", true],
  [" False ", false],
  ["maybe", undefined],
  [null, undefined],
])("x-should-retry: %s is kept as %s", (header, expected) => {
  const headers = new Headers(header === null ? {} : { "x-should-retry": header });
  expect(classifyHttp(LANE, { status: 500, body: "", headers }, 0).shouldRetry).toBe(expected);
});

it.each([
  [400, "invalid"],
  [401, "auth"],
  [402, "quota"],
  [403, "auth"],
  [404, "invalid"],
  [409, "server"],
  [408, "timeout"],
  [413, "overflow"],
  [422, "invalid"],
  [429, "rate"],
  [498, "overloaded"],
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
