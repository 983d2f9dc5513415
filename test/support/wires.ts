import type { Lane } from "../../src/core/lane.ts";
import type { Message, ModelEvent, ModelRequest } from "../../src/core/model.ts";
import type { Spool } from "../../src/core/ports.ts";
import { sendAnthropicMessages } from "../../src/providers/anthropic-messages.ts";
import { sendOllamaChat } from "../../src/providers/ollama-chat.ts";
import { sendOpenaiChat } from "../../src/providers/openai-chat.ts";
import { sendOpenaiResponses } from "../../src/providers/openai-responses.ts";
import { type RecordingOptions, recordingTransport, type Transport } from "../../src/providers/transport.ts";

export const SENDERS = {
  "anthropic-messages": sendAnthropicMessages,
  "openai-responses": sendOpenaiResponses,
  "openai-chat": sendOpenaiChat,
  "ollama-chat": sendOllamaChat,
} as const;

export type RealWire = keyof typeof SENDERS;
export const REAL_WIRES = Object.keys(SENDERS) as readonly RealWire[];
/** What the lanes of these tests authenticate with. */
export const LANE_KEY = "lane-key-0123456789";

export function lane(wire: RealWire, change: Partial<Lane> = {}): Lane {
  return {
    id: "test",
    wire,
    baseUrl: "http://127.0.0.1:9",
    auth: wire === "anthropic-messages" ? "x-api-key" : wire === "ollama-chat" ? "none" : "bearer",
    credential: wire === "ollama-chat" ? null : LANE_KEY,
    credentialName: null,
    free: false,
    local: false,
    contextTokens: null,
    models: {},
    ...change,
  };
}

export function request(change: Partial<ModelRequest> = {}): ModelRequest {
  return {
    model: { provider: "test", model: "some-model" },
    system: "You are a test.",
    messages: [{ role: "user", text: "Hello" }] satisfies readonly Message[],
    tools: [],
    maxTokens: 4096,
    asker: { role: "doer", stepId: "build", conversation: 1, turn: 1 },
    ...change,
  };
}

/** A spool in memory: what a file would hold. */
export function memorySpool(): Spool & { readonly text: (callId: string) => string } {
  const kept = new Map<string, Buffer>();
  return {
    write: (callId, bytes) => void kept.set(callId, Buffer.concat([kept.get(callId) ?? Buffer.alloc(0), bytes])),
    read: (callId) => kept.get(callId) ?? null,
    remove: (callId) => void kept.delete(callId),
    flush: () => undefined,
    list: () => [...kept.keys()],
    text: (callId) => kept.get(callId)?.toString() ?? "",
  };
}

export function recording(change: Partial<RecordingOptions> = {}): Transport {
  return recordingTransport({
    spool: memorySpool(),
    callId: "c-1",
    signal: new AbortController().signal,
    firstEventTimeoutMs: 30_000,
    idleTimeoutMs: 30_000,
    ...change,
  });
}

/** A transport whose response arrives in exactly these pieces. */
export function pieces(parts: readonly Uint8Array[], contentType = "text/event-stream"): Transport {
  return {
    signal: new AbortController().signal,
    stall: () => null,
    progress: () => {},
    ended: () => {},
    asked: (given) => given,
    close: () => {},
    fetch: async () =>
      new Response(ReadableStream.from(parts) as ReadableStream<Uint8Array>, {
        headers: { "content-type": contentType },
      }),
  };
}

export async function collect(events: AsyncIterable<ModelEvent>): Promise<readonly ModelEvent[]> {
  const all: ModelEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

export type End = Extract<ModelEvent, { type: "answered" | "failed" }>;

/** The end of an attempt, after checking that it is the only one and the last event. */
export async function endOf(events: AsyncIterable<ModelEvent>): Promise<End> {
  const all = await collect(events);
  const ends = all.filter((event): event is End => event.type === "answered" || event.type === "failed");
  if (ends.length !== 1 || all.at(-1) !== ends[0]) throw new Error(`expected one end, last: ${JSON.stringify(all)}`);
  return ends[0] as End;
}

/** Payloads framed as a wire frames them. */
export function framed(wire: RealWire, payloads: readonly (string | object)[], newline = "\n"): string {
  const texts = payloads.map((payload) => (typeof payload === "string" ? payload : JSON.stringify(payload)));
  if (wire === "ollama-chat") return texts.map((text) => `${text}${newline}`).join("");
  const events = texts.map((text) => {
    // Each payload begins with its type.
    const name = wire === "openai-chat" ? "" : `event: ${/"type":"([\w.]+)"/.exec(text)?.[1]}${newline}`;
    return `${name}data: ${text}${newline}${newline}`;
  });
  return events.join("") + (wire === "openai-chat" ? `data: [DONE]${newline}${newline}` : "");
}

/** The content type that a wire answers with. */
export function contentTypeOf(wire: RealWire): string {
  return wire === "ollama-chat" ? "application/x-ndjson" : "text/event-stream";
}
