import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

/** What the server answers to one request. */
export interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Written one by one, each flushed before the next. */
  readonly chunks: readonly (string | Uint8Array)[];
  /** After the chunks: end properly, cut the connection, or say nothing more. */
  readonly ending?: "proper" | "cut" | "silence";
}

export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface WireServer {
  /** `http://127.0.0.1:PORT`, without a trailing slash. */
  readonly url: string;
  readonly received: readonly Received[];
}

/** A real HTTP server on this machine that answers the given replies in turn (the last one again and again). */
export async function wireServer(...replies: readonly Reply[]): Promise<WireServer> {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece);
    received.push({ path: request.url ?? "", headers: request.headers, body: Buffer.concat(pieces).toString() });
    await answer(response, replies[Math.min(received.length, replies.length) - 1] ?? { chunks: [] });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received };
}

/** A port of this machine on which nothing listens. */
export async function deafUrl(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}

async function answer(response: ServerResponse, reply: Reply): Promise<void> {
  response.socket?.setNoDelay(true);
  response.writeHead(reply.status ?? 200, { "content-type": "text/event-stream", ...reply.headers });
  response.flushHeaders();
  for (const chunk of reply.chunks) {
    await new Promise((resolve) => response.write(chunk, resolve));
    await new Promise((resolve) => setImmediate(resolve));
  }
  if (reply.ending === "cut") response.destroy();
  else if (reply.ending !== "silence") response.end();
}
