import { readFileSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { FINISH_SCHEMAS } from "../../src/core/contract.ts";
import { TOOL_NAMES } from "../../src/core/permission.ts";
import type { ToolCheck, ToolGrant, ToolResult, ToolSession } from "../../src/core/ports.ts";
import { NO_SERVERS } from "../../src/core/tool-servers.ts";
import { createTools } from "../../src/tools/tools.ts";
import { writeFiles } from "./git.ts";
import { plainWorkspace } from "./plain-workspace.ts";
import { tempDir } from "./temp.ts";

/** Nothing was seen yet, nothing was changed. */
export const NO_SESSION: ToolSession = { seen: {}, trees: { base: "", now: "" } };

/** All tools, no rules, a doer's finish. */
export const EVERYTHING: ToolGrant = { tools: TOOL_NAMES, permissions: [], finish: FINISH_SCHEMAS.doer };

/** A directory with files in it, and the tools at work there. */
export function toolBench(
  files: Readonly<Record<string, string | Uint8Array>> = {},
  grant = EVERYTHING,
  settings = { backgroundAfterMs: 60_000 },
) {
  const root = tempDir("ccp-tools");
  writeFiles(root, files);
  const tools = createTools(settings);
  const workspace = plainWorkspace(root);
  const jobs = workspace.openJobs(0);
  onTestFinished(() => jobs.end());
  const check = (name: string, args: unknown): ToolCheck =>
    tools.check({ kind: "tool_call", id: "call-1", name, rawArguments: JSON.stringify(args) }, grant);
  const call = async (name: string, args: unknown, signal = new AbortController().signal): Promise<ToolResult> => {
    const ready = check(name, args);
    if (ready.type !== "ready") throw new Error(`not ready: ${ready.text}`);
    return tools.run(ready, { workspace, signal, servers: NO_SERVERS, jobs, session: NO_SESSION });
  };
  return {
    root,
    tools,
    workspace,
    jobs,
    check,
    call,
    /** A file as it is now, one character a byte for `latin1`. */
    content: (path: string, encoding: "utf8" | "latin1" = "utf8") => readFileSync(join(root, path), encoding),
  };
}
