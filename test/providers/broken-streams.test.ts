import { describe, expect, it } from "vitest";
import { LONGEST_LINE } from "../../src/providers/sse-lines.ts";
import { canned } from "../support/wire-answers.ts";
import { wireServer } from "../support/wire-server.ts";
import { STORIES } from "../support/wire-stories.ts";
import {
  contentTypeOf,
  endOf,
  framed,
  lane,
  pieces,
  REAL_WIRES,
  type RealWire,
  recording,
  request,
  SENDERS,
} from "../support/wires.ts";

const HOLE = { type: "failed", failure: { class: "network", mayBeBilled: true, brokeOff: true } };

function read(wire: RealWire, text: string) {
  return endOf(SENDERS[wire](lane(wire), request(), pieces([Buffer.from(text)], contentTypeOf(wire))));
}

/** The frames of a whole answer, without the last word of the chat wire. */
function frames(wire: RealWire): readonly string[] {
  return STORIES[wire].map((payload) => framed(wire, [payload]).replace("data: [DONE]\n\n", ""));
}

const DONE = (wire: RealWire) => (wire === "openai-chat" ? "data: [DONE]\n\n" : "");

/** Where the story has begun to speak, and has not called its tool yet. */
const MIDDLE: Readonly<Record<RealWire, number>> = {
  "anthropic-messages": 9,
  "openai-responses": 6,
  "openai-chat": 4,
  "ollama-chat": 3,
};

/** The story with one of its frames, in the middle, made into something else. */
function withMiddle(wire: RealWire, change: (frame: string) => string): string {
  return (
    frames(wire)
      .map((frame, index) => (index === MIDDLE[wire] ? change(frame) : frame))
      .join("") + DONE(wire)
  );
}

describe.each(REAL_WIRES)("%s: a hole in the middle of an answer is never passed over", (wire) => {
  const isNdjson = wire === "ollama-chat";

  it("the story without a hole is answered", async () => {
    expect(
      await read(
        wire,
        withMiddle(wire, (frame) => frame),
      ),
    ).toMatchObject({ type: "answered" });
  });

  it.each<[string, (frame: string) => string]>([
    ["JSON that broke off", (frame) => `${frame.trimEnd().slice(0, -6)}${isNdjson ? "\n" : "\n\n"}`],
    ["what is no JSON", (frame) => (isNdjson ? "<html>\n" : frame.replace(/data: .*/, "data: <html>"))],
    ["a line that lost its beginning", (frame) => (isNdjson ? frame.slice(3) : frame.replace("data: ", ""))],
    ["a field of another name", (frame) => (isNdjson ? `data: ${frame}` : frame.replace("data: ", "dat: "))],
    ["a line without an end", () => `${isNdjson ? "" : "data: "}"${"x".repeat(LONGEST_LINE)}`],
  ])("%s", async (_, change) => {
    const end = await read(wire, withMiddle(wire, change));
    expect(end).toMatchObject(HOLE);
    if (end.type === "failed") expect(end.failure.message).toContain("not JSON");
  });

  it.each([
    '{"error":{"type":"overloaded_error","message":"Overloaded"}}',
    'error: {"error":{"type":"overloaded_error","message":"Overloaded"}}',
    'error: {"code":503,"message":"Overloaded","type":"unavailable_error"}',
  ])("an error outside of any event is the provider's word: %s", async (line) => {
    if (isNdjson && line.startsWith("error:")) return;
    const end = await read(
      wire,
      withMiddle(wire, () => `${line}\n\n`),
    );
    expect(end).toMatchObject({ type: "failed", failure: { class: "overloaded", brokeOff: true } });
  });

  it("comments, empty lines and heartbeats are no holes", async () => {
    const between = isNdjson ? "\n \n" : ": PROCESSING\n\n  \n\nid: 7\nretry: 1000\n\n";
    expect(
      await read(
        wire,
        withMiddle(wire, (frame) => between + frame + between),
      ),
    ).toMatchObject({ type: "answered" });
  });

  it("silence after an announcement, before the first word, is a timeout; after it the answer broke off", async () => {
    const headers = { "content-type": contentTypeOf(wire) };
    const announced =
      wire === "openai-chat" || isNdjson ? canned(wire, { texts: [""] }).running : STORIES[wire].slice(0, 1);
    const begun = canned(wire, { texts: ["Yes"] }).running;
    const chunks = (payloads: readonly object[]) => [framed(wire, payloads).replace("data: [DONE]\n\n", "")];
    const server = await wireServer(
      { headers, chunks: chunks(announced), ending: "silence" },
      { headers, chunks: chunks(begun), ending: "silence" },
    );
    const send = () =>
      endOf(SENDERS[wire](lane(wire, { baseUrl: server.url }), request(), recording({ idleTimeoutMs: 40 })));
    const [before, after] = [await send(), await send()];
    expect(before).toMatchObject({ type: "failed", failure: { class: "timeout", mayBeBilled: true } });
    expect(before).not.toHaveProperty("failure.brokeOff");
    expect(after).toMatchObject({ type: "failed", failure: { class: "stalled", brokeOff: true } });
  });
});

describe("the end of an answer", () => {
  const chat = (payloads: readonly object[]) => framed("openai-chat", payloads).replace("data: [DONE]\n\n", "");
  const text = { model: "m", choices: [{ delta: { content: "Whole." } }] };
  const stop = (finish_reason: string) => ({ model: "m", choices: [{ delta: {}, finish_reason }] });
  const usage = { model: "m", choices: [], usage: { prompt_tokens: 40, completion_tokens: 2 } };

  it.each([
    ["with a finish reason and usage, and no [DONE]", [text, stop("stop"), usage]],
    ["with a finish reason alone", [text, stop("stop")]],
    ["with a reason that nobody knows", [text, stop("a_reason_of_next_year"), usage]],
  ])("chat: a stream %s is whole", async (_, payloads) => {
    expect(await read("openai-chat", chat(payloads))).toMatchObject({ type: "answered", stop: "end" });
  });

  it.each([
    ["without a finish reason and without [DONE]", [text, usage]],
    [
      "with an error after the finish reason",
      [text, stop("stop"), { error: { code: 502, message: "no" }, choices: [] }],
    ],
    ["with an error for a finish reason", [text, stop("overloaded_error"), usage]],
    ["with a time-out for a finish reason", [text, stop("upstream_timeout"), usage]],
  ])("chat: a stream %s is not", async (_, payloads) => {
    expect(await read("openai-chat", chat(payloads))).toMatchObject({ type: "failed", failure: { brokeOff: true } });
  });

  it("chat: is there when it has been said, though the connection stays open and no [DONE] comes", async () => {
    const server = await wireServer({ chunks: [chat([text, stop("stop"), usage])], ending: "silence" });
    const end = await endOf(
      SENDERS["openai-chat"](lane("openai-chat", { baseUrl: server.url }), request(), recording({ idleTimeoutMs: 40 })),
    );
    expect(end).toMatchObject({ type: "answered", stop: "end", usage: { freshInput: 40, output: 2 } });
  });

  it.each<[string, object]>([
    ["response.incomplete", { incomplete_details: null }],
    ["response.incomplete", { incomplete_details: { reason: "max_output_tokens" } }],
    ["response.completed", { status: "incomplete" }],
  ])("responses: %s %j is no whole answer", async (type, body) => {
    const { running } = canned("openai-responses", { texts: ["Half"] });
    const end = { type, response: { model: "m", output: [], usage: { input_tokens: 40, output_tokens: 1 }, ...body } };
    expect(await read("openai-responses", framed("openai-responses", [...running, end]))).toMatchObject({
      type: "answered",
      stop: "length",
    });
  });

  const lostBeginning = [
    { type: "message_start", message: { model: "m", usage: { input_tokens: 40, output_tokens: 1 } } },
    { type: "content_block_delta", index: 0, delta: { type: "input_json_delta", partial_json: '{"path":"a"}' } },
    { type: "message_delta", delta: { stop_reason: "tool_use" }, usage: { output_tokens: 9 } },
    { type: "message_stop" },
  ];

  it("anthropic: arguments of a call that never began are a hole", async () => {
    const end = await read("anthropic-messages", framed("anthropic-messages", lostBeginning));
    expect(end).toMatchObject({ type: "failed", failure: { class: "server" } });
  });

  it("anthropic: what belongs to a block that is not for us is none", async () => {
    const start = {
      type: "content_block_start",
      index: 0,
      content_block: { type: "server_tool_use", name: "web_search" },
    };
    const [first = {}, ...rest] = lostBeginning;
    const end = await read("anthropic-messages", framed("anthropic-messages", [first, start, ...rest]));
    expect(end).toMatchObject({ type: "answered" });
  });

  it("anthropic: an error under another event's name is an error", async () => {
    const error =
      'event: message\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n';
    expect(await read("anthropic-messages", error)).toMatchObject({ type: "failed", failure: { class: "overloaded" } });
  });

  it("anthropic: an event without a name, which the SDK does not see, is a hole", async () => {
    const end = await read(
      "anthropic-messages",
      withMiddle("anthropic-messages", (frame) => frame.replace(/event: .*\n/, "")),
    );
    expect(end).toMatchObject(HOLE);
  });
});
