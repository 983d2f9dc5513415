import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Message } from "../../src/core/model.ts";
import type { Usage } from "../../src/core/usage.ts";
import type { ReportedUsage } from "../../src/providers/answer-draft.ts";
import { plausibleUsage } from "../../src/providers/plausible-usage.ts";
import { inputBound } from "../../src/providers/tokens.ts";
import { type CannedAnswer, canned } from "../support/wire-answers.ts";
import {
  contentTypeOf,
  endOf,
  framed,
  lane,
  pieces,
  REAL_WIRES,
  type RealWire,
  request,
  SENDERS,
} from "../support/wires.ts";

const BOUNDS = { leastInput: 100, mostInput: 400, leastOutput: 20, mostOutput: 90 };

describe("a report of usage", () => {
  const none = { freshInput: 0, cacheRead: 0, cacheWrite: 0, output: 0, reasoning: 0 };
  const honest = { ...none, freshInput: 150, output: 40 };

  it.each<[string, Partial<ReportedUsage>]>([
    ["as one would expect", {}],
    ["at the least that can be", { freshInput: 100, output: 20 }],
    ["of much that is not to be seen", { freshInput: 9_000, output: 70_000, reasoning: 69_000 }],
    ["of input that was cached", { freshInput: 1, cacheRead: 149 }],
    ["of input that went to the cache", { freshInput: 0, cacheWrite: 100 }],
  ])("%s is booked as it is", (_, change) => {
    const reported = { ...honest, ...change };
    expect(plausibleUsage(reported, BOUNDS)).toEqual({ ...reported, source: "provider" });
  });

  it.each<[string, Partial<ReportedUsage>, Partial<Usage>]>([
    ["too little output", { output: 19 }, { freshInput: 150, output: 90 }],
    ["no output", { output: 0 }, { freshInput: 150, output: 90 }],
    ["too little input", { freshInput: 99 }, { freshInput: 400, output: 40 }],
    [
      "too little input, most of it cached",
      { freshInput: 9, cacheRead: 80, cacheWrite: 10 },
      { freshInput: 310, cacheRead: 80, cacheWrite: 10 },
    ],
    ["too little of both", { freshInput: 1, output: 1 }, { freshInput: 400, output: 90 }],
  ])("of %s is not believed there", (_, change, expected) => {
    expect(plausibleUsage({ ...honest, ...change }, BOUNDS)).toEqual({
      ...honest,
      ...change,
      ...expected,
      source: "estimated",
    });
  });

  it.each<[string, ReportedUsage | null]>([
    ["none", null],
    ["nothing but zeros", none],
    ["less than nothing", { ...honest, freshInput: -5 }],
    ["money back", { ...honest, cacheRead: -200 }],
    ["a fraction", { ...honest, output: 40.5 }],
    ["what is no number", { ...honest, output: Number.NaN }],
    ["text", { ...honest, output: "40" as unknown as number }],
    ["what no ledger holds", { ...honest, output: 2 ** 60 }],
  ])("that is %s counts as the most that it can be", (_, reported) => {
    const most = { ...none, freshInput: 400, output: 90, source: "estimated" };
    expect(plausibleUsage(reported, BOUNDS)).toEqual(most);
  });

  it("is never booked lower than it is, nor lower than it can be", () => {
    const tokens = fc.nat(1_000);
    const reports = fc.record({
      freshInput: tokens,
      cacheRead: tokens,
      cacheWrite: tokens,
      output: tokens,
      reasoning: tokens,
    });
    const bounds = fc.tuple(tokens, tokens, tokens, tokens).map(([a, b, c, d]) => ({
      leastInput: Math.min(a, b),
      mostInput: Math.max(a, b),
      leastOutput: Math.min(c, d),
      mostOutput: Math.max(c, d),
    }));
    fc.assert(
      fc.property(reports, bounds, (reported, within) => {
        const booked = plausibleUsage(reported, within);
        const input = (usage: ReportedUsage) => usage.freshInput + usage.cacheRead + usage.cacheWrite;
        expect(input(booked)).toBeGreaterThanOrEqual(Math.max(input(reported), within.leastInput));
        expect(booked.output).toBeGreaterThanOrEqual(Math.max(reported.output, within.leastOutput));
        expect(booked.source === "provider").toBe(
          reported.output >= within.leastOutput &&
            input(reported) >= within.leastInput &&
            input(reported) + reported.output > 0,
        );
      }),
    );
  });
});

const SENTENCE = "The sum is wrong because the carry is dropped; mend it and run all the tests again. ";
/** Each a token: sentences that differ in them repeat nothing within sight. */
const WORDS = ["carry", "sign", "digit", "limit", "index", "width", "value"];
/** 951 tokens by OpenAI's count. */
const TEXT = Array.from({ length: 50 }, (_, index) => SENTENCE.replace("carry", WORDS[index % 7] ?? "")).join("");
const asked = request({ messages: [{ role: "user", text: TEXT }] satisfies readonly Message[], maxTokens: 4_000 });

function read(wire: RealWire, answer: CannedAnswer, change: Partial<typeof asked> = {}) {
  const { running, ending } = canned(wire, answer);
  const bytes = Buffer.from(framed(wire, [...running, ...ending]));
  return endOf(SENDERS[wire](lane(wire), { ...asked, ...change }, pieces([bytes], contentTypeOf(wire))));
}

describe.each(REAL_WIRES)("%s", (wire) => {
  it("a server that tells the truth is believed", async () => {
    const end = await read(wire, { texts: [TEXT], usage: { input: 980, output: 955 } });
    expect(end).toMatchObject({ usage: { freshInput: 980, output: 955, source: "provider" } });
  });

  it.each([0, 1, 60])("a server that reports an output of %i for a long answer is not", async (output) => {
    const end = await read(wire, { texts: [TEXT], usage: { input: 980, output } });
    expect(end).toMatchObject({ type: "answered", usage: { freshInput: 980, source: "estimated" } });
    expect(end.usage?.output).toBeGreaterThan(951 * 1.3);
  });

  it("a server that reports next to no input for a long request is not, unless it counts only what was not cached", async () => {
    const end = await read(wire, { texts: ["Yes."], usage: { input: 3, output: 2 } });
    if (wire === "ollama-chat") expect(end.usage).toMatchObject({ freshInput: 3, output: 2, source: "provider" });
    else expect(end.usage).toMatchObject({ freshInput: inputBound(asked), output: 2, source: "estimated" });
  });

  it("a server that reports nothing is booked with the most that it can have been", async () => {
    const end = await read(wire, { texts: [TEXT] });
    expect(end).toMatchObject({ type: "answered", usage: { freshInput: inputBound(asked), source: "estimated" } });
    expect(end.usage?.output).toBeGreaterThan(951 * 1.3);
  });

  it("an estimate ends at what was asked for", async () => {
    const end = await read(wire, { texts: [TEXT] }, { maxTokens: 1_000 });
    expect(end).toMatchObject({
      type: "answered",
      stop: "end",
      cut: false,
      usage: { output: 1_000, source: "estimated" },
    });
  });

  it("more than was asked for is the bill, if the server says so", async () => {
    const end = await read(wire, { texts: [TEXT], usage: { input: 1_000_000, output: 50_000 } });
    expect(end).toMatchObject({ usage: { freshInput: 1_000_000, output: 50_000, source: "provider" } });
  });

  it("a history of reasoning and of malformed calls is not held against a server that leaves it out", async () => {
    const history: readonly Message[] = [
      { role: "user", text: "Hello" },
      {
        role: "assistant",
        parts: [
          { kind: "reasoning", text: TEXT.repeat(9), opaque: null, source: "test/some-model" },
          { kind: "tool_call", id: "c-1", name: "edit", rawArguments: `{"text": "${TEXT.repeat(9)}` },
        ],
      },
      { role: "tool", toolCallId: "c-1", name: "edit", text: "malformed", isError: true },
    ];
    const end = await read(wire, { texts: ["Yes."], usage: { input: 60, output: 2 } }, { messages: history });
    expect(end).toMatchObject({ usage: { freshInput: 60, source: "provider" } });
  });
});

describe("a first report, which counts the output as next to nothing", () => {
  it("is not taken for the last word where there is no other", async () => {
    const { running } = canned("anthropic-messages", { texts: ["Yes, it does."], usage: { input: 980, output: 4 } });
    const ending = [{ type: "message_delta", delta: { stop_reason: "end_turn" } }, { type: "message_stop" }];
    const bytes = Buffer.from(framed("anthropic-messages", [...running, ...ending]));
    const end = await endOf(SENDERS["anthropic-messages"](lane("anthropic-messages"), asked, pieces([bytes])));
    expect(end).toMatchObject({ type: "answered", usage: { freshInput: 980, source: "estimated" } });
    expect(end.usage?.output).toBeGreaterThanOrEqual(4);
  });
});

describe("reasoning that is not to be seen", () => {
  const usage = { input: 980, output: 1 };

  const done = { type: "response.output_item.done", output_index: 0, item: { type: "reasoning", summary: [] } };
  const details = [{ type: "reasoning.encrypted", data: "ZW5j", index: 0 }];
  const unseen: readonly (readonly [RealWire, readonly object[]])[] = [
    ["anthropic-messages", canned("anthropic-messages", { reasoning: ["In short, mend it."] }).running],
    [
      "anthropic-messages",
      [{ type: "content_block_start", index: 9, content_block: { type: "redacted_thinking", data: "ZW5j" } }],
    ],
    ["openai-responses", [done]],
    ["openai-chat", [{ choices: [{ index: 0, delta: { reasoning_details: details } }] }]],
  ];

  it.each(unseen)("%s: counts as all that was asked for, where its count is not believed", async (wire, reasoning) => {
    const { running, ending } = canned(wire, { texts: [TEXT], usage });
    const bytes = Buffer.from(framed(wire, [...reasoning, ...running, ...ending]));
    const end = await endOf(SENDERS[wire](lane(wire), asked, pieces([bytes], contentTypeOf(wire))));
    expect(end).toMatchObject({ type: "answered", usage: { output: 4_000, source: "estimated" } });
  });

  it("counts as what it is, where it is to be seen", async () => {
    const end = await read("ollama-chat", { reasoning: ["In short, mend it."], texts: [TEXT], usage });
    expect(end.usage?.output).toBeLessThan(2_500);
  });
});
