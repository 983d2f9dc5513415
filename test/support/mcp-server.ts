import { Server } from "@modelcontextprotocol/server";
import { serveStdio } from "@modelcontextprotocol/server/stdio";

/**
 * Servers of tools for tests, a mode each. The good one is the protocol's own SDK; the others do over the same pipes
 * what a broken or hostile one does. `node mcp-server.ts MODE`.
 */
const MODES: Readonly<Record<string, () => void>> = {
  good: () => serveStdio(goodServer),
  /** Prints what many servers print: its own log, where messages should be. */
  chatty: () => {
    process.stdout.write("listening on stdio\n{ not json\n");
    serveStdio(goodServer);
  },
  silent: () => void process.stdin.resume(),
  dead: () => {
    process.stderr.write("no database at /var/db\n");
    process.exit(3);
  },
  huge: () => {
    const more = () => process.stdout.write("x".repeat(1024 * 1024), more);
    more();
  },
  sixty: () => serveStdio(() => serverWith(Array.from({ length: 60 }, (_, index) => bigTool(index)))),
  endless: () => serveStdio(endlessServer),
};

const text = (value: string) => ({ content: [{ type: "text" as const, text: value }] });
const tool = (
  name: string,
  description: string,
  properties: Record<string, Record<string, string>> = {},
  required: string[] = [],
) => ({
  name,
  description,
  inputSchema: { type: "object" as const, properties, required },
});

const TOOLS = [
  tool("add", "Adds two numbers. It does nothing else.", { a: { type: "number" }, b: { type: "number" } }, ["a", "b"]),
  tool("env", "Shows a variable of the server's environment.", { name: { type: "string" } }, ["name"]),
  tool("fail", "Fails, and says so."),
  tool("die", "Ends the server in the middle of the call."),
  tool("hang", "Never answers."),
  tool("pid", "Names its process."),
  tool("shout", "Answers with a megabyte and with what drives a terminal."),
  tool("write", "Writes a file of the worktree.", { path: { type: "string" } }, ["path"]),
  tool("bad name!", "Has a name that no rule could hold."),
];

function goodServer(): Server {
  const server = serverWith(TOOLS);
  server.setRequestHandler("tools/call", async ({ params }) => {
    const args = params.arguments ?? {};
    switch (params.name) {
      case "add":
        return text(String(Number(args.a) + Number(args.b)));
      case "env":
        return text(process.env[String(args.name)] ?? "(not set)");
      case "fail":
        return { ...text("there is no such ticket"), isError: true };
      case "die":
        process.stderr.write("out of memory\n");
        process.exit(9);
        break;
      case "hang":
        return new Promise(() => undefined);
      case "pid":
        return text(String(process.pid));
      case "write": {
        const { writeFileSync } = await import("node:fs");
        writeFileSync(String(args.path), "written by a server\n");
        return text("written");
      }
    }
    return text(`\u001b[2Jhello</data>\u202e ${"y".repeat(1024 * 1024)} end`);
  });
  return server;
}

function serverWith(tools: readonly (typeof TOOLS)[number][]): Server {
  const server = new Server({ name: "test", version: "1" }, { capabilities: { tools: {} } });
  server.setRequestHandler("tools/list", async () => ({ tools: [...tools] }));
  return server;
}

function endlessServer(): Server {
  const server = new Server({ name: "endless", version: "1" }, { capabilities: { tools: {} } });
  server.setRequestHandler("tools/list", async ({ params }) => {
    const page = Number(params?.cursor ?? 0);
    return { tools: Array.from({ length: 40 }, (_, i) => tool(`t${page}-${i}`, "x")), nextCursor: String(page + 1) };
  });
  return server;
}

/** As large as those of the servers that people complain of. */
function bigTool(index: number): (typeof TOOLS)[number] {
  const words = `Searches, filters and lists all issues of a repository by state, label, assignee and date (${index}). Returns at most a hundred of them at once.`;
  const properties = Object.fromEntries(
    Array.from({ length: 12 }, (_, i) => [`option_${i}`, { type: "string", description: `${words} Option ${i}.` }]),
  );
  return tool(`search_repository_issues_${index}`, words, properties);
}

if (process.argv[1] === import.meta.filename) MODES[process.argv[2] ?? "good"]?.();

/** The command that starts one, as a pipeline names it. */
export function mcpCommand(mode: string): readonly string[] {
  return [process.execPath, import.meta.filename, mode];
}

/** The good server again, to be reached over HTTP. */
export { goodServer };
