import { isOfMachine, messageOf } from "../core/errors.ts";
import type { ServerPlace, ToolServers } from "../core/ports.ts";
import type { McpServer, ServerAnswer, ServerListing, StepServers } from "../core/tool-servers.ts";
import type { McpSession } from "./mcp-session.ts";

/** Servers that speak the Model Context Protocol. A server that dies is started again by the next call. */
export function createToolServers(): ToolServers {
  return { open: openServers };
}

function openServers(servers: readonly McpServer[], place: ServerPlace): StepServers {
  const sessions = new Map<string, Promise<McpSession>>();
  const sessionOf = (server: McpServer): Promise<McpSession> => {
    const known = sessions.get(server.name);
    if (known) return known;
    const opened = connect(server, place);
    sessions.set(server.name, opened);
    const forget = () => void sessions.delete(server.name);
    opened.then((session) => session.closed.then(forget), forget);
    return opened;
  };
  const listing = async (server: McpServer, signal: AbortSignal): Promise<ServerListing> => {
    try {
      return { server: server.name, tools: await (await sessionOf(server)).tools(signal) };
    } catch (error) {
      if (isOfMachine(error)) throw error;
      return { server: server.name, unavailable: messageOf(error) };
    }
  };
  return {
    list: (signal) => Promise.all(servers.map((server) => listing(server, signal))),
    async call({ server: name, tool, arguments: args }, signal): Promise<ServerAnswer> {
      const server = servers.find((one) => one.name === name);
      if (!server) return { ok: false, text: `There is no server "${name}".` };
      try {
        return await (await sessionOf(server)).call(tool, args, signal);
      } catch (error) {
        if (isOfMachine(error)) throw error;
        return { ok: false, text: `${name}/${tool} gave no answer: ${messageOf(error)}` };
      }
    },
    async end() {
      const open = await Promise.allSettled(sessions.values());
      await Promise.all(open.map((one) => (one.status === "fulfilled" ? one.value.close() : undefined)));
    },
  };
}

async function connect(server: McpServer, place: ServerPlace): Promise<McpSession> {
  const { openSession } = await import("./mcp-session.ts");
  return openSession(server, place);
}
