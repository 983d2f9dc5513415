import { randomBytes, timingSafeEqual } from "node:crypto";
import { lookup } from "node:dns/promises";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type ServerResponse,
  request as sendRequest,
} from "node:http";
import { type AddressInfo, connect, isIP, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream";
import { isAllowedHost } from "../core/allowed-hosts.ts";
import { isPublicAddress } from "./public-address.ts";

/** What a proxy lets through. */
export interface ProxySpec {
  /** See `isAllowedHost`. */
  readonly hosts: readonly string[];
  /** `socket`: a file, for a command whose network has no way out; it goes there through `relayed`. */
  readonly listen: "loopback" | "socket";
  /** Every address of a name; the system's answer where it is not given. */
  readonly resolve?: (host: string) => Promise<readonly string[]>;
  /** May an address be reached? `isPublicAddress` where it is not given. */
  readonly mayReach?: (address: string) => boolean;
}

/** What was not let through, and how often. */
export interface Refusal {
  readonly host: string;
  readonly port: number;
  readonly why: string;
  readonly count: number;
}

/** A way out for one command, to some hosts. */
export interface FilteringProxy {
  /** The socket; null: it listens on loopback. */
  readonly path: string | null;
  /** What whoever uses it has to name. */
  readonly token: string;
  /** For the environment of a command that reaches loopback of this machine; empty where it listens on a socket. */
  readonly env: Readonly<Record<string, string>>;
  /** For people: in the order in which they were met. */
  refusals(): readonly Refusal[];
  close(): Promise<void>;
}

const IDLE_MS = 5 * 60_000;
const CONNECT_MS = 30_000;
const MOST_CONNECTIONS = 128;
const MOST_REFUSALS = 100;

/**
 * Opens a proxy for one command. It speaks CONNECT and plain HTTP, and reaches the hosts on its list by name alone: no
 * addresses, and no name that leads to this machine or its network. A name is resolved once, all its addresses are
 * looked at, and the one that was looked at is the one that is connected to. What is said inside a tunnel it cannot see.
 */
export async function openProxy(spec: ProxySpec): Promise<FilteringProxy> {
  const token = randomBytes(24).toString("base64url");
  const refusals = new Map<string, Refusal>();
  const sockets = new Set<Socket>();
  const door: Door = { spec, token, refusals, sockets };
  const server = createServer(
    { requestTimeout: IDLE_MS },
    (request, response) => void forward(door, request, response),
  );
  server.maxConnections = MOST_CONNECTIONS;
  server.on("connect", (request, socket, head) => void tunnel(door, request, socket as Socket, head));
  server.on("upgrade", (_, socket) => socket.destroy());
  server.on("connection", (socket) => hold(sockets, socket));
  const directory = spec.listen === "socket" ? await mkdtemp(join(tmpdir(), "ccp-proxy-")) : null;
  const path = directory && join(directory, "proxy");
  if (path === null) server.listen(0, "127.0.0.1");
  else server.listen(path);
  await once(server, "listening");
  // It keeps no ccp alive.
  server.unref();
  return {
    path,
    token,
    env: path === null ? proxyVariables((server.address() as AddressInfo).port, token) : {},
    refusals: () => [...refusals.values()],
    async close() {
      server.close();
      for (const socket of sockets) socket.destroy();
      if (directory !== null) await rm(directory, { recursive: true, force: true });
    },
  };
}

/** What programs look at to find their proxy; what a command itself serves on loopback it reaches without. */
export function proxyVariables(port: number, token: string): Readonly<Record<string, string>> {
  const address = new URL(`http://127.0.0.1:${port}`);
  address.username = "ccp";
  address.password = token;
  // Some programs take a final slash for a part of the port.
  const url = address.href.replace(/\/$/, "");
  const own = "localhost,127.0.0.1,::1";
  return {
    HTTP_PROXY: url,
    HTTPS_PROXY: url,
    http_proxy: url,
    https_proxy: url,
    NO_PROXY: own,
    no_proxy: own,
    // Node looks at them only when it is told to.
    NODE_USE_ENV_PROXY: "1",
  };
}

interface Door {
  readonly spec: ProxySpec;
  readonly token: string;
  readonly refusals: Map<string, Refusal>;
  readonly sockets: Set<Socket>;
}

interface Target {
  readonly host: string;
  readonly port: number;
}

async function tunnel(door: Door, request: IncomingMessage, client: Socket, head: Buffer): Promise<void> {
  client.on("error", () => client.destroy());
  const way = hasToken(door, request) ? await wayTo(door, targetOf(`http://${request.url}`)) : NO_TOKEN;
  if (!way.ok) {
    client.end(
      `HTTP/1.1 ${way.status}\r\nProxy-Authenticate: Basic\r\nContent-Type: text/plain\r\n\r\n${way.reason}\n`,
    );
    return;
  }
  const server = hold(door.sockets, connect({ host: way.address, port: way.port, timeout: CONNECT_MS }));
  server.once("connect", () => {
    server.setTimeout(IDLE_MS);
    client.write("HTTP/1.1 200 Connection established\r\n\r\n");
    if (head.length > 0) server.write(head);
    pipeline(client, server, client, () => undefined);
  });
  server.once("error", () => client.destroy());
}

async function forward(door: Door, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const way = hasToken(door, request) ? await wayTo(door, targetOf(request.url ?? "")) : NO_TOKEN;
  if (!way.ok) {
    response.writeHead(Number(way.status.slice(0, 3)), { "Proxy-Authenticate": "Basic", "Content-Type": "text/plain" });
    response.end(`${way.reason}\n`);
    return;
  }
  const { pathname, search, host } = new URL(request.url ?? "");
  const sent = sendRequest({
    host: way.address,
    port: way.port,
    method: request.method,
    path: `${pathname}${search}`,
    headers: { ...passedOn(request.headers), host },
    timeout: IDLE_MS,
    agent: false,
  });
  sent.on("response", (answer) => {
    response.writeHead(answer.statusCode ?? 502, passedOn(answer.headers));
    pipeline(answer, response, () => undefined);
  });
  sent.on("timeout", () => sent.destroy());
  sent.on("error", () => (response.headersSent ? response.destroy() : response.writeHead(502).end()));
  pipeline(request, sent, () => undefined);
}

/** Between two neighbours only, and not for whom the message is for. */
const HOP_BY_HOP = /^(?:connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade)$/i;

function passedOn(headers: IncomingMessage["headers"]): OutgoingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP_BY_HOP.test(name)));
}

type Way =
  | { readonly ok: true; readonly address: string; readonly port: number }
  | { readonly ok: false; readonly status: string; readonly reason: string };

const NO_TOKEN: Way = { ok: false, status: "407 Proxy Authentication Required", reason: "this proxy is another's" };

function hasToken({ token }: Door, request: IncomingMessage): boolean {
  const expected = Buffer.from(`Basic ${Buffer.from(`ccp:${token}`).toString("base64")}`);
  const given = Buffer.from(request.headers["proxy-authorization"] ?? "");
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/** Null: what was asked for is no address of a page. */
function targetOf(url: string): Target | null {
  if (!URL.canParse(url)) return null;
  const { protocol, hostname, port } = new URL(url);
  if (protocol !== "http:" || hostname === "") return null;
  return { host: hostname.replace(/^\[|\]$/g, ""), port: Number(port || 80) };
}

async function wayTo(door: Door, target: Target | null): Promise<Way> {
  if (target === null) return { ok: false, status: "400 Bad Request", reason: "no address that this proxy can reach" };
  const { host, port } = target;
  if (isIP(host) !== 0) return refused(door, target, "an address where a name is wanted");
  if (!isAllowedHost(door.spec.hosts, host, port)) return refused(door, target, "not among the hosts that are allowed");
  const resolve = door.spec.resolve ?? systemAddresses;
  const addresses = await resolve(host).catch(() => []);
  const [address] = addresses;
  if (address === undefined) return { ok: false, status: "502 Bad Gateway", reason: `${host} is not known` };
  if (!addresses.every(door.spec.mayReach ?? isPublicAddress))
    return refused(door, target, "its name leads to this machine or its network");
  return { ok: true, address, port };
}

async function systemAddresses(host: string): Promise<readonly string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address);
}

function refused({ refusals }: Door, { host, port }: Target, why: string): Way {
  const key = `${host}:${port}`;
  const before = refusals.get(key);
  if (before || refusals.size < MOST_REFUSALS) refusals.set(key, { host, port, why, count: (before?.count ?? 0) + 1 });
  return { ok: false, status: "403 Forbidden", reason: `ccp: ${key} was not reached: ${why}` };
}

function hold(sockets: Set<Socket>, socket: Socket): Socket {
  sockets.add(socket);
  socket.on("close", () => sockets.delete(socket));
  socket.on("error", () => socket.destroy());
  socket.setTimeout(IDLE_MS, () => socket.destroy());
  return socket;
}
