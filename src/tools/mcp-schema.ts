import type { Infer, JsonSchema } from "../core/json.ts";
import { didYouMean } from "../core/suggest.ts";
import { quoteData } from "../core/template.ts";
import type { ServerListing, ServerTool } from "../core/tool-servers.ts";
import { cutTo, plainText } from "./text.ts";
import { done, failed, type Tool } from "./tool.ts";

const MOST_NAMES = 10;
const LONGEST_SCHEMA = 16_000;
/** Of a server's tools by name, as many characters. */
const LONGEST_LIST = 12_000;

const PARAMETERS = {
  type: "object",
  additionalProperties: false,
  required: ["tools"],
  properties: {
    tools: {
      type: "array",
      minItems: 1,
      maxItems: MOST_NAMES,
      items: { type: "string", minLength: 1 },
      description: "`server/tool`, or `server` for the names of all of its tools.",
    },
  },
} as const satisfies JsonSchema;

/** Shows the schemas of chosen tools of servers: until then a prompt holds only a line of each. */
export const mcpSchema: Tool<Infer<typeof PARAMETERS>> = {
  name: "mcp_schema",
  description: "Shows what tools on MCP servers do and the JSON Schema of their arguments.",
  parameters: PARAMETERS,
  subject: (args) => args.tools.join(" "),
  subjects: (args) => args.tools,
  async run(args, { servers, signal }) {
    const listings = await servers.list(signal);
    const texts = args.tools.map((name) => described(name, listings));
    const isKnown = texts.some(({ found }) => found);
    const text = texts.map((one) => one.text).join("\n\n");
    return isKnown ? done(text, args.tools.join(", ")) : failed(text, "no such tool");
  },
};

/** `server/tool` in the listings of its servers; else what is wrong with the name, for the model. */
export function findServerTool(
  name: string,
  listings: readonly ServerListing[],
): { readonly server: string; readonly tool: ServerTool } | { readonly problem: string } {
  const [server = "", ...rest] = name.split("/");
  const listing = listings.find((one) => one.server === server);
  if (!listing)
    return { problem: `There is no server "${server}". There are: ${listings.map((one) => one.server).join(", ")}.` };
  if ("unavailable" in listing)
    return { problem: `The server "${server}" is not available: ${plainText(listing.unavailable)}` };
  const tool = listing.tools.find((one) => one.name === rest.join("/"));
  if (tool) return { server, tool };
  const near = didYouMean(
    rest.join("/"),
    listing.tools.map((one) => one.name),
  );
  const hint = near === null ? `mcp_schema with "${server}" lists its tools.` : `Did you mean "${server}/${near}"?`;
  return { problem: `The server "${server}" has no tool ${JSON.stringify(rest.join("/").slice(0, 80))}. ${hint}` };
}

function described(
  name: string,
  listings: readonly ServerListing[],
): { readonly found: boolean; readonly text: string } {
  const whole = listings.find((one) => one.server === name);
  if (whole && "tools" in whole) {
    const names = whole.tools.map((tool) => `${whole.server}/${tool.name}`).join("\n");
    return { found: true, text: quoteData(name, cutTo(names, LONGEST_LIST)) };
  }
  const found = findServerTool(name, listings);
  if ("problem" in found) return { found: false, text: found.problem };
  const { description, parameters } = found.tool;
  const schema = JSON.stringify(parameters);
  const text = `${plainText(description)}\nArguments: ${schema}`;
  const cut = text.length > LONGEST_SCHEMA ? `${cutTo(text, LONGEST_SCHEMA)}… (cut)` : text;
  return { found: true, text: quoteData(name, cut) };
}
