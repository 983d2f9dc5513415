import { describe, expect, it } from "vitest";
import type { Usage } from "../../src/core/usage.ts";
import { type ChatUsage, chatUsage } from "../../src/providers/openai-chat-reader.ts";
import { endOf, framed, lane, pieces, request, SENDERS } from "../support/wires.ts";

/** What comes of a chat stream of these deltas. */
function read(deltas: readonly object[], more: readonly object[] = [], finish: string | null = "tool_calls") {
  const chunks = [
    ...deltas.map((delta) => ({ choices: [{ delta }] })),
    { choices: [{ delta: {}, finish_reason: finish }] },
    ...more,
  ];
  return endOf(
    SENDERS["openai-chat"](lane("openai-chat"), request(), pieces([Buffer.from(framed("openai-chat", chunks))])),
  );
}

const calls = (...list: readonly object[]) => ({ tool_calls: list });
const call = (id: string, name: string, rawArguments: string) => ({ kind: "tool_call", id, name, rawArguments });

describe("tool calls, as servers differ", () => {
  it.each<readonly [string, readonly object[], readonly object[]]>([
    [
      "an id that comes late",
      [calls({ index: 0, function: { name: "read" } }), calls({ index: 0, id: "late", function: { arguments: "{}" } })],
      [call("late", "read", "{}")],
    ],
    [
      "a name repeated with every piece",
      [
        calls({ index: 0, id: "a", function: { name: "read", arguments: '{"p":' } }),
        calls({ index: 0, id: "a", function: { name: "read", arguments: "1}" } }),
      ],
      [call("a", "read", '{"p":1}')],
    ],
    [
      "two calls on one index",
      [
        calls({ index: 0, id: "a", function: { name: "read", arguments: '{"p":1}' } }),
        calls({ index: 0, id: "b", function: { name: "ls", arguments: '{"q":' } }),
        calls({ index: 0, function: { arguments: "2}" } }),
      ],
      [call("a", "read", '{"p":1}'), call("b", "ls", '{"q":2}')],
    ],
    [
      "calls without an index, and arguments as an object",
      [calls({ id: "a", function: { name: "read", arguments: { p: 1 } } }, { id: "b", function: { name: "ls" } })],
      [call("a", "read", '{"p":1}'), call("b", "ls", "{}")],
    ],
    [
      "one id for two calls, and none at all",
      [
        calls({ index: 0, id: "a", function: { name: "read" } }, { index: 1, id: "a", function: { name: "ls" } }),
        calls({ index: 2, function: { name: "glob" } }),
      ],
      [call("a", "read", "{}"), call("a_1_1_1", "ls", "{}"), call("call_1_1_1", "glob", "{}")],
    ],
  ])("%s", async (_, deltas, expected) => {
    expect(await read(deltas)).toMatchObject({ type: "answered", stop: "tool_calls", parts: expected });
  });

  it("count as the stop whatever the server says, unless their arguments break off", async () => {
    const whole = calls({ index: 0, id: "a", function: { name: "read", arguments: "{}" } });
    const cut = calls({ index: 0, id: "a", function: { name: "write", arguments: '{"content":"half a fi' } });
    expect(await read([whole], [], "stop")).toMatchObject({ stop: "tool_calls" });
    expect(await read([cut], [], "tool_calls")).toMatchObject({ stop: "length" });
    expect(await read([whole], [], "length")).toMatchObject({ stop: "length" });
  });
});

describe("how a stream ends", () => {
  it.each([
    ["stop", "end"],
    ["length", "length"],
    ["content_filter", "refusal"],
    ["sensitive", "refusal"],
    ["tool_calls", "end"],
    ["a_reason_of_next_year", "end"],
  ])("finish reason %s without a tool call is %s", async (finish, stop) => {
    expect(await read([{ content: "Hi" }], [], finish)).toMatchObject({ type: "answered", stop });
  });

  it.each([
    ["network_error", "server"],
    ["model_context_window_exceeded", "overflow"],
    ["insufficient_system_resource", "overloaded"],
  ])("finish reason %s is a failure: %s", async (finish, failure) => {
    expect(await read([{ content: "Hi" }], [], finish)).toMatchObject({ type: "failed", failure: { class: failure } });
  });

  it("[DONE] is an end even where no finish reason was given; nothing at all is none", async () => {
    const send = (text: string) =>
      endOf(
        SENDERS["openai-chat"](
          lane("openai-chat"),
          request(),
          pieces([...Buffer.from(text)].map((byte) => Uint8Array.of(byte))),
        ),
      );
    const chunk = 'data: {"choices":[{"delta":{"content":"say \\ndata: [DONE]"}}]}\n\n';
    expect(await send(`${chunk}data: [DONE]\n\n`)).toMatchObject({ type: "answered", stop: "end" });
    expect(await send(chunk)).toMatchObject({ type: "failed", failure: { class: "network" } });
  });
});

describe("reasoning", () => {
  it("comes in either field, and its details are put together again", async () => {
    const end = await read([
      { reasoning: "Let ", reasoning_details: [{ type: "reasoning.text", text: "Let ", index: 0 }] },
      { reasoning: "me", reasoning_details: [{ type: "reasoning.text", text: "me", index: 0, signature: "sig" }] },
      { reasoning_details: [{ type: "reasoning.encrypted", data: "xyz", index: 1 }] },
      { content: "Hi" },
    ]);
    expect(end).toMatchObject({
      parts: [
        {
          kind: "reasoning",
          text: "Let me",
          opaque: {
            field: "reasoning",
            details: [
              { type: "reasoning.text", text: "Let me", index: 0, signature: "sig" },
              { type: "reasoning.encrypted", data: "xyz", index: 1 },
            ],
          },
        },
        { kind: "text", text: "Hi" },
      ],
    });
  });
});

describe("usage", () => {
  it.each<readonly [string, ChatUsage, object]>([
    ["plain", { prompt_tokens: 10, completion_tokens: 5 }, { freshInput: 10, cacheRead: 0, output: 5, reasoning: 0 }],
    [
      "the prompt includes the cache",
      {
        prompt_tokens: 100,
        completion_tokens: 5,
        prompt_tokens_details: { cached_tokens: 80, cache_write_tokens: 15 },
      },
      { freshInput: 5, cacheRead: 80, cacheWrite: 15 },
    ],
    [
      "unless a gateway left it out",
      { prompt_tokens: 25, completion_tokens: 5, prompt_tokens_details: { cached_tokens: 5000 } },
      { freshInput: 25, cacheRead: 5000 },
    ],
    [
      "the completion includes reasoning",
      {
        prompt_tokens: 10,
        completion_tokens: 50,
        total_tokens: 60,
        completion_tokens_details: { reasoning_tokens: 40 },
      },
      { output: 50, reasoning: 40 },
    ],
    [
      "unless the total says otherwise",
      {
        prompt_tokens: 10,
        completion_tokens: 50,
        total_tokens: 100,
        completion_tokens_details: { reasoning_tokens: 40 },
      },
      { output: 90, reasoning: 40 },
    ],
  ])("%s", (_, usage, expected) => {
    expect(chatUsage(usage)).toMatchObject(expected);
  });

  it.each<readonly [string, object, number | null]>([
    ["the provider's own figure", { cost: 0.00125 }, 1_250_000],
    [
      "the fee and the upstream's own bill, where the key is the user's",
      { cost: 0.0001, is_byok: true, cost_details: { upstream_inference_cost: 0.002 } },
      2_100_000,
    ],
    ["a free model's", { cost: 0 }, 0],
    ["xAI's ticks", { cost_in_usd_ticks: 1_497_500 }, 149_750],
    ["none", {}, null],
    ["one below nothing is nobody's figure: it would be money given back", { cost: -0.5 }, null],
  ])("cost: %s", async (_, figures, expected) => {
    const usage = { prompt_tokens: 1, completion_tokens: 1, ...figures };
    expect(await read([{ content: "Hi" }], [{ choices: [], usage }])).toMatchObject({ providerCostNanos: expected });
  });

  it.each([
    ["text", { prompt_tokens: "12", completion_tokens: "5" }],
    ["fractions", { prompt_tokens: 12.5, completion_tokens: 5 }],
    ["less than nothing", { prompt_tokens: 12, completion_tokens: -5 }],
  ])("counts that the ledger cannot hold are not taken over: %s", async (_, usage) => {
    const { usage: read_ } = (await read([{ content: "Hi there" }], [{ choices: [], usage }])) as { usage: Usage };
    expect(read_.source).toBe("estimated");
    for (const count of [read_.freshInput, read_.output]) expect(Number.isSafeInteger(count) && count >= 0).toBe(true);
  });
});
