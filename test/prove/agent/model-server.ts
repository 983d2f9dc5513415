import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Place, Reaction, Trouble, Wire } from "./answers.ts";
import { type Heard, listen } from "./listen.ts";
import { errorFrame, garbageFrame, speak } from "./speak.ts";

/** A model: what it does with each request. */
export type Model = (heard: Heard) => Reaction;

/** What the server saw of one request. */
export interface Asked {
  readonly model: string;
  readonly tokens: number;
  readonly bytes: number;
  readonly faults: readonly string[];
  /** The trouble it was answered with, or null: a whole answer. */
  readonly trouble: Trouble["kind"] | null;
}

/** A server of one wire, with one model behind it. */
export interface ModelServer {
  /** `http://127.0.0.1:PORT`, without a path. */
  readonly url: string;
  readonly asked: readonly Asked[];
  close(): Promise<void>;
}

/** What a model behind the server can hold, and how strict the server is. */
export interface ServerOptions {
  readonly wire: Wire;
  readonly model: Model;
  /** Tokens; a request that has more is refused as too long. Null: any. */
  readonly windowTokens: number | null;
}

/** Starts it. A request that a strict provider would refuse is refused. */
export async function startModelServer(options: ServerOptions): Promise<ModelServer> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    response.on("error", () => undefined);
    answer(options, asked, request, response).catch(() => void response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function answer(
  { wire, model, windowTokens }: ServerOptions,
  asked: Asked[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = await bodyOf(request);
  // Whoever asks for a count of tokens is told that there is none: the wire's own bound is good enough.
  if (!/\/(messages|responses|chat\/completions|chat)$/.test(request.url ?? ""))
    return void response.writeHead(404, JSON_TYPE).end('{"error":{"message":"not here","type":"not_found_error"}}');
  const heard = listen(wire, body);
  const isTooLong = windowTokens !== null && heard.tokens + heard.maxTokens > windowTokens;
  const refusal = heard.faults.length > 0 ? invalid(heard.faults) : isTooLong ? tooLong(heard, windowTokens) : null;
  const reaction = refusal === null ? model(heard) : null;
  const trouble = refusal ?? reaction?.trouble ?? null;
  const { tokens, bytes, faults } = heard;
  const number = asked.push({ model: heard.model, tokens, bytes, faults, trouble: trouble?.kind ?? null });
  if (trouble?.kind === "status") {
    response.writeHead(trouble.status, { ...JSON_TYPE, ...trouble.headers }).end(trouble.body);
  } else if (reaction !== null) {
    const said = { answer: reaction.answer, model: heard.model, number, inputTokens: tokens };
    await say(wire, speak(wire, said), trouble, response);
  }
}

const JSON_TYPE = { "content-type": "application/json" };

async function bodyOf(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString();
}

function invalid(faults: readonly string[]): Trouble {
  const error = { type: "invalid_request_error", message: faults.join("; ") };
  return { kind: "status", status: 400, body: JSON.stringify({ type: "error", error }) };
}

/** In the words that every wire's reader knows. */
function tooLong({ tokens, maxTokens }: Heard, windowTokens: number): Trouble {
  return overflow(tokens + maxTokens, windowTokens);
}

/** A provider's word for a request that its model cannot hold. */
export function overflow(tokens: number, windowTokens: number): Trouble {
  const message = `prompt is too long: ${tokens} tokens > ${windowTokens} maximum`;
  const error = { type: "invalid_request_error", code: "context_length_exceeded", message };
  return { kind: "status", status: 400, body: JSON.stringify({ type: "error", error }) };
}

/** Frames up to the place of the trouble, then the trouble itself. */
async function say(
  wire: Wire,
  { contentType, frames }: ReturnType<typeof speak>,
  trouble: Exclude<Trouble, { kind: "status" }> | null,
  response: ServerResponse,
): Promise<void> {
  const place = trouble === null || trouble.kind === "drip" ? null : "at" in trouble ? trouble.at : "half";
  if (place === "start") return trouble?.kind === "death" ? void response.destroy() : undefined;
  response.socket?.setNoDelay(true);
  response.writeHead(200, { "content-type": contentType });
  response.flushHeaders();
  const shown = frames.slice(0, place === null ? undefined : lengthAt(place, frames.length));
  if (trouble?.kind === "drip")
    for (const byte of Buffer.from(shown.join(""))) await written(response, Buffer.of(byte));
  else if (shown.length > 0) await written(response, shown.join(""));
  switch (trouble?.kind) {
    case "silence":
      return;
    case "death":
      return void response.destroy();
    case "error-event":
      return void response.end(errorFrame(wire));
    case "garbage":
      return void response.end(garbageFrame(wire));
    default:
      response.end();
  }
}

function lengthAt(place: Exclude<Place, "start">, frames: number): number {
  switch (place) {
    case "head":
      return 0;
    case "half":
      return Math.max(1, Math.floor(frames / 2));
    case "end":
      return frames - 2;
  }
}

function written(response: ServerResponse, bytes: string | Buffer): Promise<void> {
  return new Promise((resolve, reject) => response.write(bytes, (error) => (error ? reject(error) : resolve())));
}
