import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { createMcpHandler } from "@modelcontextprotocol/server";
import { get_encoding } from "tiktoken";
import { describe, expect, onTestFinished, test } from "vitest";
import { type McpServer, type ServerListing, type StepServers, serverIndex } from "../../src/core/tool-servers.ts";
import { createToolServers } from "../../src/protocols/tool-servers.ts";
import { goodServer, mcpCommand } from "../support/mcp-server.ts";
import { plainWorkspace } from "../support/plain-workspace.ts";
import { tempDir } from "../support/temp.ts";

const NEVER = new AbortController().signal;

/** Long enough for a process to start on a busy machine, where the test does not wait for it to run out. */
const PATIENT_MS = 50_000;

function stdio(mode: string, change: Partial<Extract<McpServer, { kind: "stdio" }>> = {}): McpServer {
  const base = { kind: "stdio", name: "one", timeoutMs: PATIENT_MS, env: [], network: "none" } as const;
  return { ...base, command: mcpCommand(mode), ...change };
}

function open(servers: readonly McpServer[], variables: Record<string, string> = {}): StepServers {
  const workspace = plainWorkspace(tempDir());
  const opened = createToolServers().open(servers, { stepId: "build", conversation: 1, workspace, variables });
  onTestFinished(() => opened.end());
  return opened;
}

const call = (servers: StepServers, tool: string, args: Record<string, string | number> = {}, signal = NEVER) =>
  servers.call({ server: "one", tool, arguments: args }, signal);

async function listed(servers: StepServers): Promise<ServerListing> {
  const [listing] = await servers.list(NEVER);
  if (!listing) throw new Error("nothing is listed");
  return listing;
}

const namesOf = (listing: ServerListing) =>
  "tools" in listing ? listing.tools.map(({ name }) => name) : listing.unavailable;

describe("a server over its standard streams", () => {
  test("lists its tools, but none with a name that no rule could hold", async () => {
    const listing = await listed(open([stdio("good")]));
    expect(namesOf(listing)).toEqual(["add", "env", "fail", "die", "hang", "pid", "shout", "write"]);
  });

  test("answers, and says so when it fails", async () => {
    const servers = open([stdio("good")]);
    expect(await call(servers, "add", { a: 2, b: 3 })).toEqual({ ok: true, text: "5" });
    expect(await call(servers, "fail")).toEqual({ ok: false, text: "there is no such ticket" });
  });

  test("gets the variables that it names and no other", async () => {
    const variables = { TICKETS: "t-1", ANTHROPIC_AUTH_TOKEN: "key" };
    const servers = open([stdio("good", { env: ["TICKETS"] })], variables);
    expect(await call(servers, "env", { name: "TICKETS" })).toEqual({ ok: true, text: "t-1" });
    expect(await call(servers, "env", { name: "ANTHROPIC_AUTH_TOKEN" })).toEqual({ ok: true, text: "(not set)" });
  });

  test("that dies is an error with its last words, and is started again by the next call", async () => {
    const servers = open([stdio("good")]);
    const died = await call(servers, "die");
    expect(died.ok).toBe(false);
    expect(died.text).toMatch(/^one\/die gave no answer: the server is gone: .*exit code 9.*out of memory/s);
    expect(await call(servers, "add", { a: 1, b: 1 })).toEqual({ ok: true, text: "2" });
  });

  test("that hangs is an error when its time is up", async () => {
    const servers = open([stdio("good", { timeoutMs: 2_000 })]);
    const hung = await call(servers, "hang");
    expect(hung).toEqual({ ok: false, text: expect.stringMatching(/^one\/hang gave no answer: .*timed out/i) });
  });

  test("that hangs lets go when the call is stopped", async () => {
    const servers = open([stdio("good")]);
    await listed(servers);
    const stop = new AbortController();
    const hung = call(servers, "hang", {}, stop.signal);
    stop.abort();
    expect((await hung).ok).toBe(false);
  });

  test("prints its log between its messages and is understood all the same", async () => {
    expect(await call(open([stdio("chatty")]), "add", { a: 2, b: 2 })).toEqual({ ok: true, text: "4" });
  });

  test.each<[string, McpServer, RegExp]>([
    [
      "ends at once",
      stdio("dead"),
      /the server is gone: it ended with exit code 3; its last words: no database at \/var\/db/,
    ],
    ["is not there", stdio("good", { command: ["no-such-program"] }), /could not be started: .*no-such-program/],
    ["never says a word", stdio("silent", { timeoutMs: 1_500 }), /timed out/i],
    ["never ends its list", stdio("endless"), /exceeded/],
    ["sends a message without end", stdio("huge"), /the server is gone/],
  ])("that %s is not available, and the others are", async (_, broken, reason) => {
    const servers = open([broken, stdio("good", { name: "two" })]);
    const [first, second] = await servers.list(NEVER);
    expect(first).toEqual({ server: "one", unavailable: expect.stringMatching(reason) });
    expect(second && namesOf(second)).toContain("add");
  });

  test("is ended with the step", async () => {
    const servers = open([stdio("good")]);
    const pid = Number((await call(servers, "pid")).text);
    expect(() => process.kill(pid, 0)).not.toThrow();
    await servers.end();
    expect(() => process.kill(pid, 0)).toThrow();
  });
});

describe("a server over HTTP", () => {
  test("is asked with its token, over the protocol's own transport", async () => {
    const seen: (string | undefined)[] = [];
    const url = await listen(overHttp((request) => seen.push(request.headers.authorization)));
    const server = { kind: "http", name: "one", timeoutMs: PATIENT_MS, url, tokenEnv: "TOKEN" } as const;
    const servers = open([server], { TOKEN: "t-secret" });
    expect(namesOf(await listed(servers))).toContain("add");
    expect(await call(servers, "add", { a: 20, b: 22 })).toEqual({ ok: true, text: "42" });
    expect(new Set(seen)).toEqual(new Set(["Bearer t-secret"]));
  });

  test("does not take its token elsewhere", async () => {
    const stolen: unknown[] = [];
    const thief = await listen((request, response) => {
      stolen.push(request.headers.authorization);
      response.writeHead(200).end();
    });
    const url = await listen((_, response) => response.writeHead(307, { location: thief }).end());
    const server = { kind: "http", name: "one", timeoutMs: PATIENT_MS, url, tokenEnv: "TOKEN" } as const;
    expect(await listed(open([server], { TOKEN: "t-secret" }))).toEqual({
      server: "one",
      unavailable: expect.any(String),
    });
    expect(stolen).toEqual([]);
  });

  test("that is not there is not available", async () => {
    const url = await listen(() => undefined).then(async (address) => address.replace(/:\d+/, ":9"));
    const server = { kind: "http", name: "one", timeoutMs: PATIENT_MS, url, tokenEnv: null } as const;
    expect(await listed(open([server]))).toEqual({ server: "one", unavailable: expect.any(String) });
  });
});

test("sixty tools with large schemas cost at most 1,500 tokens until they are used", async () => {
  const listing = await listed(open([stdio("sixty")]));
  const encoding = get_encoding("o200k_base");
  onTestFinished(() => encoding.free());
  const index = serverIndex([listing]);
  expect(index.match(/^one\/search_repository_issues_\d+/gm)).toHaveLength(60);
  expect(encoding.encode(index).length).toBeLessThanOrEqual(1_500);
  expect(encoding.encode(JSON.stringify(listing)).length).toBeGreaterThan(20_000);
});

/** The protocol's own server behind node's. */
function overHttp(look: (request: IncomingMessage) => void): RequestListener {
  const handler = createMcpHandler(goodServer);
  onTestFinished(() => handler.close());
  return async (request, response) => {
    look(request);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const headers = new Headers(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    const body = chunks.length > 0 ? Buffer.concat(chunks) : null;
    const asked = new Request(`http://127.0.0.1${request.url}`, { method: request.method ?? "GET", headers, body });
    const answer = await handler.fetch(asked);
    response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text());
  };
}

async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
}
