import { describe, expect, it } from "vitest";
import type { ModelEvent } from "../../src/core/model.ts";
import { replayTransport } from "../../src/providers/transport.ts";
import { type Reply, type WireServer, wireServer } from "../support/wire-server.ts";
import { STORIES, storyParts, storyUsage } from "../support/wire-stories.ts";
import {
  collect,
  contentTypeOf,
  endOf,
  framed,
  lane,
  memorySpool,
  REAL_WIRES,
  type RealWire,
  recording,
  request,
  SENDERS,
} from "../support/wires.ts";

function serving(wire: RealWire, change: Partial<Reply> = {}): Promise<WireServer> {
  const body = framed(wire, STORIES[wire]);
  return wireServer({ headers: { "content-type": contentTypeOf(wire) }, chunks: [body], ...change });
}

/** Bytes cut every three, which is also in the middle of characters. */
function shredded(text: string): readonly Uint8Array[] {
  const bytes = Buffer.from(text);
  return Array.from({ length: Math.ceil(bytes.length / 3) }, (_, index) => bytes.subarray(index * 3, index * 3 + 3));
}

describe.each(REAL_WIRES)("%s, over a socket", (wire) => {
  it("an answer is read whole: parts, stop reason, usage, model", async () => {
    const server = await serving(wire);
    const end = await endOf(SENDERS[wire](lane(wire, { baseUrl: server.url }), request(), recording()));
    expect(end).toEqual({
      type: "answered",
      parts: storyParts(wire),
      stop: "tool_calls",
      usage: storyUsage(wire),
      providerCostNanos: null,
      servedBy: "served-model",
      cut: false,
    });
    expect(server.received).toHaveLength(1);
  });

  it("what arrives is told as it arrives", async () => {
    const server = await serving(wire);
    const events = await collect(SENDERS[wire](lane(wire, { baseUrl: server.url }), request(), recording()));
    const told = (type: ModelEvent["type"]) =>
      events.map((event) => (event.type === type && "text" in event ? event.text : "")).join("");
    expect(told("text")).toBe("Grüße 👋");
    expect(told("reasoning")).toBe("Hm, naïve?");
    expect(events.filter((event) => event.type === "tool_call")).toEqual([{ type: "tool_call", name: "read" }]);
  });

  it("chunks may end anywhere, and lines may end in CRLF", async () => {
    const server = await serving(wire, { chunks: shredded(framed(wire, STORIES[wire], "\r\n")) });
    const end = await endOf(SENDERS[wire](lane(wire, { baseUrl: server.url }), request(), recording()));
    expect(end).toMatchObject({ type: "answered", parts: storyParts(wire), usage: storyUsage(wire) });
  });

  it("the last event needs no line end", async () => {
    const server = await serving(wire, { chunks: [framed(wire, STORIES[wire]).trimEnd()] });
    const end = await endOf(SENDERS[wire](lane(wire, { baseUrl: server.url }), request(), recording()));
    expect(end).toMatchObject({ type: "answered", parts: storyParts(wire), usage: storyUsage(wire) });
  });

  it("a connection that stays open does not keep a finished answer waiting", async () => {
    const server = await serving(wire, { ending: "silence" });
    const end = await endOf(SENDERS[wire](lane(wire, { baseUrl: server.url }), request(), recording()));
    expect(end).toMatchObject({ type: "answered", stop: "tool_calls", usage: storyUsage(wire) });
  });

  it("the spool gives the same answer again, with no request at hand and no network", async () => {
    const server = await serving(wire);
    const spool = memorySpool();
    const asked = request({
      messages: [
        { role: "user", text: "Hello" },
        { role: "assistant", parts: [{ kind: "tool_call", id: "call-a", name: "ls", rawArguments: "{}" }] },
        { role: "tool", toolCallId: "call-a", name: "ls", text: "", isError: false },
      ],
      maxTokens: 31,
      asker: { role: "doer", stepId: "build", conversation: 2, turn: 5 },
    });
    const end = await endOf(SENDERS[wire](lane(wire, { baseUrl: server.url }), asked, recording({ spool })));

    const bytes = spool.read("c-1") ?? new Uint8Array();
    const again = await endOf(
      SENDERS[wire](lane(wire), request({ messages: [], maxTokens: 1 }), replayTransport(bytes)),
    );
    expect(again).toEqual(end);
    expect(end).toMatchObject({ type: "answered", stop: "tool_calls" });
    const id = wire === "ollama-chat" ? "call_2_5_1" : "call-a_2_5_1";
    expect(end).toMatchObject({ parts: [{}, {}, { kind: "tool_call", id }] });
  });

  it("a spool that breaks off is no answer", async () => {
    const server = await serving(wire);
    const spool = memorySpool();
    await endOf(SENDERS[wire](lane(wire, { baseUrl: server.url }), request(), recording({ spool })));
    const bytes = spool.read("c-1") ?? new Uint8Array();
    for (const length of [0, 5, bytes.indexOf(0x0a) + 1, Math.floor(bytes.length / 2)]) {
      const end = await endOf(SENDERS[wire](lane(wire), request(), replayTransport(bytes.subarray(0, length))));
      expect(end).toMatchObject({ type: "failed", failure: { class: "network" } });
    }
  });

  it("an answer that reaches its ceiling is truncated, whatever the provider calls it", async () => {
    const server = await serving(wire);
    const end = await endOf(
      SENDERS[wire](lane(wire, { baseUrl: server.url }), request({ maxTokens: 30 }), recording()),
    );
    expect(end).toMatchObject({ type: "answered", stop: "length" });
  });
});
