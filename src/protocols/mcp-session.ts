import {
  Client,
  type ContentBlock,
  type jsonSchemaValidator,
  type RequestOptions,
  StreamableHTTPClientTransport,
  type Transport,
} from "@modelcontextprotocol/client";
import { isJsonObject, type Json, type JsonSchema } from "../core/json.ts";
import type { ServerPlace } from "../core/ports.ts";
import type { McpServer, ServerAnswer, ServerTool } from "../core/tool-servers.ts";
import { programTransport } from "./program-transport.ts";

/** A connection to one server. What a server does wrong is thrown, in words for a model. */
export interface McpSession {
  tools(signal: AbortSignal): Promise<readonly ServerTool[]>;
  call(tool: string, args: Json, signal: AbortSignal): Promise<ServerAnswer>;
  /** Resolves when the connection is gone, whoever ended it. */
  readonly closed: Promise<void>;
  close(): Promise<void>;
}

/** More tools than any model can use; what is beyond is not looked at. */
const MOST_TOOLS = 500;
/** A name that can stand in `server/tool` and in a rule. */
const PLAIN_NAME = /^[A-Za-z0-9_.-]{1,128}$/;

/** Connects and shakes hands. ccp offers a server nothing: no sampling, no files, no questions to a person. */
export async function openSession(server: McpServer, place: ServerPlace): Promise<McpSession> {
  const client = new Client({ name: "ccp", version: "1" }, { capabilities: {}, jsonSchemaValidator: ANY_OUTPUT });
  const { transport, lastWords } = await openTransport(server, place);
  let isClosed = false;
  const closed = new Promise<void>((resolve) => {
    client.onclose = () => {
      isClosed = true;
      resolve();
    };
  });
  const options = (signal?: AbortSignal): RequestOptions => ({
    timeout: server.timeoutMs,
    maxTotalTimeout: server.timeoutMs,
    ...(signal ? { signal } : {}),
  });
  /** "Connection closed" says nothing; what the server wrote before it ended does. */
  const inWords = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      if (!isClosed || lastWords === null) throw error;
      throw new Error(`the server is gone: ${await lastWords}`, { cause: error });
    }
  };
  try {
    await inWords(client.connect(transport, options()));
  } catch (error) {
    await client.close().catch(() => undefined);
    throw error;
  }
  return {
    tools: (signal) => inWords(listTools(client, options(signal))),
    async call(tool, args, signal) {
      const request = { name: tool, arguments: isJsonObject(args) ? { ...args } : {} };
      const { content, structuredContent, isError } = await inWords(client.callTool(request, options(signal)));
      return { ok: isError !== true, text: textOf(content ?? [], structuredContent) };
    },
    closed,
    close: () => client.close(),
  };
}

/** `lastWords`: how the server ended, once it has; null for one that is not ours to end. */
interface Opened {
  readonly transport: Transport;
  readonly lastWords: Promise<string> | null;
}

async function openTransport(server: McpServer, place: ServerPlace): Promise<Opened> {
  if (server.kind === "http") return { transport: httpTransport(server, place), lastWords: null };
  const named = server.env.flatMap((name) => {
    const value = place.variables[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  const { command, network } = server;
  const program = await place.workspace.open({ command, env: Object.fromEntries(named), network });
  return { transport: programTransport(program), lastWords: program.ended };
}

/** A token goes to the address that the pipeline names and follows no redirect. */
function httpTransport(server: Extract<McpServer, { kind: "http" }>, place: ServerPlace): Transport {
  const token = server.tokenEnv === null ? undefined : place.variables[server.tokenEnv];
  return new StreamableHTTPClientTransport(new URL(server.url), {
    requestInit: {
      redirect: "error",
      ...(token === undefined ? {} : { headers: { Authorization: `Bearer ${token}` } }),
    },
    reconnectionOptions: {
      maxRetries: 0,
      initialReconnectionDelay: 1_000,
      maxReconnectionDelay: 1_000,
      reconnectionDelayGrowFactor: 1,
    },
  });
}

/** The SDK asks for page after page, and gives up on a list that does not end. */
async function listTools(client: Client, options: RequestOptions): Promise<readonly ServerTool[]> {
  const { tools } = await client.listTools({}, options);
  return tools
    .filter(({ name }) => PLAIN_NAME.test(name))
    .slice(0, MOST_TOOLS)
    .map(({ name, description, inputSchema }) => ({
      name,
      description: description ?? "",
      parameters: inputSchema as JsonSchema,
    }));
}

/** What a model cannot be shown is named. */
function textOf(content: readonly ContentBlock[], structured: unknown): string {
  const parts = content.map((block) => {
    switch (block.type) {
      case "text":
        return block.text;
      case "resource":
        return "text" in block.resource ? block.resource.text : `(a file that is no text: ${block.resource.uri})`;
      case "resource_link":
        return `(a link: ${block.uri})`;
      default:
        return `(${block.type}: not shown)`;
    }
  });
  const text = parts.filter((part) => part !== "").join("\n");
  return text === "" && structured !== undefined ? JSON.stringify(structured) : text;
}

/** What a server promises of its own output is not held against it: its words are data either way. */
const ANY_OUTPUT: jsonSchemaValidator = {
  getValidator: () => (input) => ({ valid: true, data: input as never, errorMessage: undefined }),
};
