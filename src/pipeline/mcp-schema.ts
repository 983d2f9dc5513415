import type { Infer, JsonSchema } from "../core/json.ts";
import { DURATION_PATTERN, ID_PATTERN, REACHED_HOST_PATTERN, URL_PATTERN, VARIABLE_PATTERN } from "./patterns.ts";

const text = { type: "string", minLength: 1 } as const satisfies JsonSchema;

/** What a process may reach, as files of ccp spell it. */
export const NETWORK = {
  description: "What its process may reach where a sandbox is active. Default: `none`.",
  anyOf: [
    { type: "string", enum: ["none", "open"] },
    { type: "array", items: { type: "string", pattern: REACHED_HOST_PATTERN }, minItems: 1, uniqueItems: true },
  ],
} as const satisfies JsonSchema;

const SERVER = {
  type: "object",
  additionalProperties: false,
  description: "A server that is started (`command`), or one that is there (`url`).",
  properties: {
    command: {
      type: "array",
      items: text,
      minItems: 1,
      description: "Program and arguments; it speaks over its standard streams. No shell reads them.",
    },
    env: {
      type: "array",
      items: { type: "string", pattern: VARIABLE_PATTERN },
      uniqueItems: true,
      description: "Variables of your environment that the process may see.",
    },
    network: NETWORK,
    url: { type: "string", pattern: URL_PATTERN, description: "Address of a server that speaks streamable HTTP." },
    token_env: {
      type: "string",
      pattern: VARIABLE_PATTERN,
      description: "The variable of your environment with the bearer token that the `url` gets.",
    },
    timeout: {
      type: "string",
      pattern: DURATION_PATTERN,
      description: "Longest time for one answer, and for its start. Default: `60s`.",
    },
  },
} as const satisfies JsonSchema;

/** The servers of a pipeline, by name. */
export const MCP_SERVERS = {
  type: "object",
  additionalProperties: SERVER,
  propertyNames: { pattern: ID_PATTERN },
  description: "Servers of tools (Model Context Protocol). A role may call those that its own `mcp` names.",
} as const satisfies JsonSchema;

/** What a file says of one server. */
export type RawServer = Infer<typeof SERVER>;
