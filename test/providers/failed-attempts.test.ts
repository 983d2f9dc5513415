import { describe, expect, it } from "vitest";
import { CcpError } from "../../src/core/errors.ts";
import { deafUrl, wireServer } from "../support/wire-server.ts";
import { STORIES } from "../support/wire-stories.ts";
import {
  contentTypeOf,
  endOf,
  framed,
  LANE_KEY,
  lane,
  memorySpool,
  REAL_WIRES,
  type RealWire,
  recording,
  request,
  SENDERS,
} from "../support/wires.ts";

function beginning(wire: RealWire, count: number): string {
  return framed(wire, STORIES[wire].slice(0, count)).replace("data: [DONE]\n\n", "");
}

describe.each(REAL_WIRES)("%s", (wire) => {
  const headers = { "content-type": contentTypeOf(wire) };
  const send = (baseUrl: string, transport = recording()) =>
    endOf(SENDERS[wire](lane(wire, { baseUrl }), request(), transport));

  it("a connection cut in the middle is no answer, and may be billed", async () => {
    const server = await wireServer({ headers, chunks: [beginning(wire, 5)], ending: "cut" });
    const end = await send(server.url);
    expect(end).toMatchObject({ type: "failed", failure: { class: "network", httpStatus: null, mayBeBilled: true } });
    expect(server.received).toHaveLength(1);
  });

  it("a stream that ends properly but too early is no answer", async () => {
    const server = await wireServer({ headers, chunks: [beginning(wire, STORIES[wire].length - 2)] });
    expect(await send(server.url)).toMatchObject({ type: "failed", failure: { class: "network", mayBeBilled: true } });
  });

  it("an empty stream is no answer", async () => {
    const server = await wireServer({ headers, chunks: [] });
    expect(await send(server.url)).toMatchObject({ type: "failed", failure: { class: "network" }, usage: null });
  });

  it("a provider that cannot be reached has billed nothing", async () => {
    const end = await send(await deafUrl());
    expect(end).toMatchObject({ type: "failed", failure: { class: "network", mayBeBilled: false } });
    expect(end.type === "failed" && end.failure.message).toContain("ECONNREFUSED");
  });

  it("an error status is told once, with what the provider asks for, and bills nothing", async () => {
    const server = await wireServer({
      status: 429,
      headers: { "content-type": "application/json", "retry-after": "7", "x-should-retry": "true" },
      chunks: [JSON.stringify({ error: { type: "rate_limit_error", message: `slow down, ${LANE_KEY}` } })],
    });
    expect(await send(server.url)).toEqual({
      type: "failed",
      failure: {
        class: "rate",
        message: `test answered 429 (rate_limit_error): slow down, ${wire === "ollama-chat" ? LANE_KEY : "[redacted by ccp]"}`,
        httpStatus: 429,
        retryAfterMs: 7000,
        mayBeBilled: false,
        shouldRetry: true,
      },
      usage: null,
      providerCostNanos: null,
    });
    expect(server.received).toHaveLength(1);
  });

  it.each([408, 409, 429, 500, 503, 529])(
    "the SDK asks once, also where it would ask again by itself: %i",
    async (status) => {
      const server = await wireServer({
        status,
        headers: { "content-type": "application/json", "retry-after-ms": "1", "x-should-retry": "true" },
        chunks: ["{}"],
      });
      expect(await send(server.url)).toMatchObject({
        type: "failed",
        failure: { httpStatus: status, shouldRetry: true },
      });
      expect(server.received).toHaveLength(1);
    },
  );

  it("a redirect is refused, and nobody else hears the key", async () => {
    const elsewhere = await wireServer({ chunks: [] });
    const server = await wireServer({ status: 307, headers: { location: `${elsewhere.url}/v1` }, chunks: [] });
    const end = await send(server.url);
    expect(end).toMatchObject({ type: "failed", failure: { class: "invalid", httpStatus: 307, mayBeBilled: false } });
    expect(elsewhere.received).toHaveLength(0);
  });

  it("a web page is no answer, whatever its status", async () => {
    const page = { headers: { "content-type": "text/html" }, chunks: ["<!DOCTYPE html><title>Welcome</title>"] };
    const server = await wireServer(page, { ...page, status: 503 });
    const first = await send(server.url);
    expect(first).toMatchObject({ type: "failed", failure: { class: "server", mayBeBilled: false } });
    const second = await send(server.url);
    expect(second).toMatchObject({ type: "failed", failure: { class: "overloaded", httpStatus: 503 } });
    expect(JSON.stringify([first, second])).not.toContain("Welcome");
  });

  it("a provider that says nothing at all times out", async () => {
    const server = await wireServer({ headers, chunks: [], ending: "silence" });
    const end = await send(server.url, recording({ firstEventTimeoutMs: 40 }));
    expect(end).toMatchObject({ type: "failed", failure: { class: "timeout", mayBeBilled: true } });
  });

  it("a provider that falls silent in the middle has stalled", async () => {
    const server = await wireServer({ headers, chunks: [beginning(wire, 4)], ending: "silence" });
    const end = await send(server.url, recording({ idleTimeoutMs: 40 }));
    expect(end).toMatchObject({ type: "failed", failure: { class: "stalled", mayBeBilled: true } });
  });

  it("the caller can stop a call at any time", async () => {
    const server = await wireServer({ headers, chunks: [beginning(wire, 4)], ending: "silence" });
    const stop = new AbortController();
    const events = SENDERS[wire](lane(wire, { baseUrl: server.url }), request(), recording({ signal: stop.signal }));
    const seen = [];
    for await (const event of events) {
      seen.push(event);
      stop.abort();
    }
    expect(seen.at(-1)).toMatchObject({
      type: "failed",
      failure: { class: "network", message: "aborted", mayBeBilled: true },
    });
  });

  it("a call that was stopped before it began sends nothing", async () => {
    const server = await wireServer({ headers, chunks: [] });
    const end = await send(server.url, recording({ signal: AbortSignal.abort() }));
    expect(end).toMatchObject({ type: "failed", failure: { message: "aborted", mayBeBilled: false } });
    expect(server.received).toHaveLength(0);
  });

  it("our own trouble is thrown, not taken for the provider's", async () => {
    const server = await wireServer({ headers, chunks: [framed(wire, STORIES[wire])] });
    const full = new CcpError("disk_full", 9, "no space left");
    const write = () => {
      throw full;
    };
    await expect(send(server.url, recording({ spool: { ...memorySpool(), write } }))).rejects.toBe(full);
  });
});

describe("an error inside a response that began well", () => {
  const errors: readonly (readonly [RealWire, string, string])[] = [
    [
      "anthropic-messages",
      'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n',
      "overloaded",
    ],
    [
      "openai-responses",
      'event: error\ndata: {"type":"error","code":"rate_limit_exceeded","message":"Rate limit reached","param":null}\n\n',
      "rate",
    ],
    ["openai-chat", 'data: {"error":{"code":502,"message":"Provider returned error"},"choices":[]}\n\n', "server"],
    ["ollama-chat", '{"error":"an error was encountered while running the model: CUDA error"}\n', "server"],
  ];

  it.each(errors)("%s: fails the attempt, with the provider's word for it", async (wire, error, expected) => {
    const headers = { "content-type": contentTypeOf(wire) };
    const server = await wireServer({ headers, chunks: [beginning(wire, 5), error, framed(wire, STORIES[wire])] });
    const end = await endOf(SENDERS[wire](lane(wire, { baseUrl: server.url }), request(), recording()));
    expect(end).toMatchObject({ type: "failed", failure: { class: expected, httpStatus: 200, mayBeBilled: true } });
  });

  it.each(errors)(
    "%s: as the very first event, bills nothing where the provider refused before it began",
    async (wire, error, expected) => {
      const server = await wireServer({ headers: { "content-type": contentTypeOf(wire) }, chunks: [error] });
      const end = await endOf(SENDERS[wire](lane(wire, { baseUrl: server.url }), request(), recording()));
      expect(end).toMatchObject({ type: "failed", failure: { class: expected, mayBeBilled: expected === "server" } });
    },
  );

  it("after the mere name of a tool may be billed, whatever its class", async () => {
    const begun = { choices: [{ delta: { tool_calls: [{ index: 0, id: "c-1", function: { name: "ls" } }] } }] };
    const error = { error: { code: 429, message: "slow down" }, choices: [] };
    const server = await wireServer({ chunks: [framed("openai-chat", [begun, error])] });
    const end = await endOf(
      SENDERS["openai-chat"](lane("openai-chat", { baseUrl: server.url }), request(), recording()),
    );
    expect(end).toMatchObject({ type: "failed", failure: { class: "rate", mayBeBilled: true } });
  });

  it("a JSON body with an error in it, at status 200, is an error", async () => {
    const headers = { "content-type": "application/json; charset=utf-8" };
    const server = await wireServer(
      { headers, chunks: ['{"error":{"code":"1113","message":"Insufficient balance or no resource package."}}'] },
      { headers, chunks: ['{"code":500,"msg":"404 NOT_FOUND","success":false}'] },
    );
    const end = await endOf(
      SENDERS["openai-chat"](lane("openai-chat", { baseUrl: server.url }), request(), recording()),
    );
    expect(end).toMatchObject({ type: "failed", failure: { class: "quota", mayBeBilled: false } });
    const next = await endOf(
      SENDERS["openai-chat"](lane("openai-chat", { baseUrl: server.url }), request(), recording()),
    );
    expect(next).toMatchObject({ type: "failed", failure: { httpStatus: 200, mayBeBilled: false } });
  });

  it("what a broken answer cost is counted: as reported in the end, else the most that what was received can be", async () => {
    const text = "Mend the sum and run the tests. ".repeat(10);
    const payloads = [
      { type: "message_start", message: { model: "m", usage: { input_tokens: 50, output_tokens: 1 } } },
      { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
      { type: "content_block_delta", index: 0, delta: { type: "text_delta", text } },
    ];
    const last = { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 90 } };
    const server = await wireServer(
      { chunks: [framed("anthropic-messages", payloads)], ending: "cut" },
      { chunks: [framed("anthropic-messages", [...payloads, last])], ending: "cut" },
    );
    const send = () =>
      endOf(SENDERS["anthropic-messages"](lane("anthropic-messages", { baseUrl: server.url }), request(), recording()));
    // 82 tokens by OpenAI's count.
    const broken = await send();
    expect(broken).toMatchObject({ type: "failed", usage: { freshInput: 50, source: "estimated" } });
    expect(broken.usage?.output).toBeGreaterThan(82 * 1.3);
    expect(broken.usage?.output).toBeLessThan(82 * 2.5);
    expect(await send()).toMatchObject({ type: "failed", usage: { freshInput: 50, output: 90, source: "provider" } });
  });

  it("OpenRouter's figures of a broken answer are kept", async () => {
    const payloads = [
      { model: "m", choices: [{ delta: { content: "Hi" } }] },
      {
        model: "m",
        error: { code: 502, message: "Upstream failed" },
        choices: [{ delta: { content: "" }, finish_reason: "error" }],
        usage: { prompt_tokens: 43, completion_tokens: 10, cost: 0.00125, is_byok: false },
      },
    ];
    const server = await wireServer({ chunks: [": OPENROUTER PROCESSING\n\n", framed("openai-chat", payloads)] });
    const end = await endOf(
      SENDERS["openai-chat"](lane("openai-chat", { baseUrl: server.url }), request(), recording()),
    );
    expect(end).toMatchObject({
      type: "failed",
      failure: { class: "server", message: "test broke off with an error (502): Upstream failed" },
      usage: { freshInput: 43, output: 10, source: "provider" },
      providerCostNanos: 1_250_000,
    });
  });
});
