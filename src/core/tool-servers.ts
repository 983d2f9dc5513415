import type { Json, JsonSchema } from "./json.ts";
import { quoteData } from "./template.ts";

/** What a process of a server may reach: nothing, hosts by name (`*.example.com` for all below), or everything. */
export type ServerNetwork = "none" | "open" | readonly string[];

/** A server that speaks the Model Context Protocol, as a pipeline names it. */
export type McpServer = {
  /** Letters, digits, `-` and `_`: the part before the slash in `server/tool`. */
  readonly name: string;
  /** Milliseconds in which one request must be answered, its start among them. */
  readonly timeoutMs: number;
} & (
  | {
      readonly kind: "stdio";
      /** Program and arguments; no shell reads them. */
      readonly command: readonly string[];
      /** Names of variables of the user's environment that the process gets. */
      readonly env: readonly string[];
      readonly network: ServerNetwork;
    }
  | {
      readonly kind: "http";
      readonly url: string;
      /** The variable that holds the bearer token; null: none is sent. */
      readonly tokenEnv: string | null;
    }
);

/** One tool of a server, in the server's own words: hostile until shown otherwise. */
export interface ServerTool {
  readonly name: string;
  readonly description: string;
  readonly parameters: JsonSchema;
}

/** What a server offers, or why it cannot be asked. */
export type ServerListing =
  | { readonly server: string; readonly tools: readonly ServerTool[] }
  | { readonly server: string; readonly unavailable: string };

/** What came of a call. `ok` false: the tool or the server failed, and `text` says how. */
export interface ServerAnswer {
  readonly ok: boolean;
  readonly text: string;
}

/** The servers of one step: each is started when it is first needed, all are ended with the step. None throws for a server. */
export interface StepServers {
  /** In the pipeline's order; a server is asked once. */
  list(signal: AbortSignal): Promise<readonly ServerListing[]>;
  call(
    call: { readonly server: string; readonly tool: string; readonly arguments: Json },
    signal: AbortSignal,
  ): Promise<ServerAnswer>;
  end(): Promise<void>;
}

/** Servers of a step that has none. */
export const NO_SERVERS: StepServers = {
  list: async () => [],
  call: async ({ server }) => ({ ok: false, text: `There is no server "${server}".` }),
  end: async () => undefined,
};

/** Sixty tools stay under 1,500 tokens: some 3 characters of English a token, at the worst. */
const INDEX_CHARACTERS = 4_000;
const LONGEST_DESCRIPTION = 80;

/**
 * What a prompt says of the servers: one line a tool, its schema left out. The longer the list, the shorter the lines;
 * what still does not fit is counted. Descriptions are quoted as data.
 */
export function serverIndex(listings: readonly ServerListing[]): string {
  const lengths = [LONGEST_DESCRIPTION, 48, 24, 0];
  const texts = lengths.map((length) => linesOf(listings, length).join("\n"));
  const fitting = texts.find((text) => weight(text) <= INDEX_CHARACTERS);
  return quoteData("mcp", fitting ?? cut(linesOf(listings, 0)));
}

function linesOf(listings: readonly ServerListing[], longest: number): readonly string[] {
  return listings.flatMap((listing) => {
    if ("unavailable" in listing) return [`${listing.server}: not available: ${shortened(listing.unavailable, 200)}`];
    return listing.tools.map(({ name, description }) => {
      const words = shortened(description, longest);
      return words === "" ? `${listing.server}/${name}` : `${listing.server}/${name}: ${words}`;
    });
  });
}

function cut(lines: readonly string[]): string {
  let room = INDEX_CHARACTERS;
  const kept = lines.filter((line) => {
    room -= weight(line) + 1;
    return room > 0;
  });
  return [
    ...kept,
    `… and ${lines.length - kept.length} more: mcp_schema with the name of a server lists its tools`,
  ].join("\n");
}

/** The first sentence on one line, as much of it as fits. */
function shortened(text: string, longest: number): string {
  if (longest === 0) return "";
  const line = text
    .slice(0, 2_000)
    .replace(/[\p{C}\s]+/gu, " ")
    .trim();
  const sentence = /^.*?[.!?](?= |$)/u.exec(line)?.[0] ?? line;
  const short = sentence.replace(/\.$/, "");
  return short.length <= longest ? short : `${[...short.slice(0, longest - 1)].join("").trimEnd()}…`;
}

/** Letters beyond ASCII may be a token each. */
function weight(text: string): number {
  let sum = 0;
  for (const letter of text) sum += letter.charCodeAt(0) < 128 ? 1 : 3;
  return sum;
}
