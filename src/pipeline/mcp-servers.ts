import { ROLE_NAMES } from "../core/pipeline.ts";
import { didYouMean } from "../core/suggest.ts";
import type { McpServer } from "../core/tool-servers.ts";
import type { Rule } from "./draft.ts";
import type { RawServer } from "./mcp-schema.ts";
import { parseDuration } from "./patterns.ts";
import type { RawPipeline, RawRole } from "./schema.ts";
import { problem } from "./source.ts";

const DEFAULT_TIMEOUT_MS = 60_000;

/** The servers that a role names, in the order of the file. */
export function serversOf(raw: RawPipeline, role: RawRole | undefined): readonly McpServer[] {
  const names = role?.mcp ?? [];
  return Object.entries(raw.mcp ?? {}).flatMap(([name, server]) =>
    names.includes(name) ? [serverOf(name, server)] : [],
  );
}

function serverOf(name: string, raw: RawServer): McpServer {
  const timeoutMs = (raw.timeout ? parseDuration(raw.timeout) : null) ?? DEFAULT_TIMEOUT_MS;
  if (raw.url !== undefined) return { kind: "http", name, timeoutMs, url: raw.url, tokenEnv: raw.token_env ?? null };
  return {
    kind: "stdio",
    name,
    timeoutMs,
    command: raw.command ?? [],
    env: raw.env ?? [],
    network: raw.network ?? "none",
  };
}

/** A server is started or is there already, and has no key that goes with the other kind. */
export const checkServers: Rule = (draft) =>
  Object.entries(draft.raw.mcp ?? {}).flatMap(([name, server]) => {
    const path = ["mcp", name];
    if (server.command === undefined && server.url === undefined)
      return [problem(draft.source.at(path, "key"), `the server "${name}" has neither "command" nor "url"`)];
    const other = server.command === undefined ? ["env", "network"] : ["url", "token_env"];
    const kind = server.command === undefined ? "url" : "command";
    return other
      .filter((key) => key in server)
      .map((key) => problem(draft.source.at([...path, key], "key"), `"${key}" does not go with "${kind}"`));
  });

/** A role names servers that the file has. */
export const checkRoleServers: Rule = (draft) => {
  const known = Object.keys(draft.raw.mcp ?? {});
  return ROLE_NAMES.flatMap((role) =>
    (draft.raw.roles?.[role]?.mcp ?? []).flatMap((name, index) => {
      if (known.includes(name)) return [];
      const near = didYouMean(name, known);
      const hint = near ? `did you mean "${near}"?` : 'servers are declared under "mcp" of the file';
      return [problem(draft.source.at(["roles", role, "mcp", index]), `there is no server "${name}"`, hint)];
    }),
  );
};
