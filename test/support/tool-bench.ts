import { readFileSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { FINISH_SCHEMAS } from "../../src/core/contract.ts";
import { TOOL_NAMES } from "../../src/core/permission.ts";
import type { ToolCheck, ToolGrant, ToolResult, ToolSession } from "../../src/core/ports.ts";
import { withSeen } from "../../src/core/seen.ts";
import { NO_SERVERS } from "../../src/core/tool-servers.ts";
import type { BashSettings } from "../../src/tools/bash.ts";
import { seenAs } from "../../src/tools/sight.ts";
import { createTools } from "../../src/tools/tools.ts";
import { writeFiles } from "./git.ts";
import { plainWorkspace } from "./plain-workspace.ts";
import { tempDir } from "./temp.ts";

/** Nothing was seen yet, nothing was changed. */
export const NO_SESSION: ToolSession = { seen: {}, trees: { base: "", now: "" } };

/** All tools, no rules, a doer's finish. */
export const EVERYTHING: ToolGrant = { tools: TOOL_NAMES, permissions: [], finish: FINISH_SCHEMAS.doer };

/** A conversation that has read all that was there when it began, or nothing of it. */
export interface BenchManner {
  readonly hasRead?: boolean;
  readonly grant?: ToolGrant;
  readonly settings?: BashSettings;
}

/** A directory with files in it, and the tools at work there for one conversation, which remembers what it has seen. */
export function toolBench(
  files: Readonly<Record<string, string | Uint8Array>> = {},
  { hasRead = true, grant = EVERYTHING, settings = { backgroundAfterMs: 60_000 } }: BenchManner = {},
) {
  const root = tempDir("ccp-tools");
  writeFiles(root, files);
  const tools = createTools(settings);
  const workspace = plainWorkspace(root);
  const begun = Object.entries(files).map(([path, content]) => seenAs({ workspace }, path, Buffer.from(content)));
  let seen = withSeen({}, hasRead ? begun : []);
  const jobs = workspace.openJobs(0);
  onTestFinished(() => jobs.end());
  const check = (name: string, args: unknown): ToolCheck =>
    tools.check({ kind: "tool_call", id: "call-1", name, rawArguments: JSON.stringify(args) }, grant);
  const call = async (name: string, args: unknown, signal = new AbortController().signal): Promise<ToolResult> => {
    const ready = check(name, args);
    if (ready.type !== "ready") throw new Error(`not ready: ${ready.text}`);
    const session = { ...NO_SESSION, seen };
    const { seen: shown, ...result } = await tools.run(ready, {
      workspace,
      signal,
      servers: NO_SERVERS,
      jobs,
      session,
    });
    seen = withSeen(seen, shown);
    return result;
  };
  return {
    root,
    tools,
    workspace,
    jobs,
    check,
    call,
    /** What the conversation has seen, by path. */
    seen: () => seen,
    /** A file as it is now, one character a byte for `latin1`. */
    content: (path: string, encoding: "utf8" | "latin1" = "utf8") => readFileSync(join(root, path), encoding),
  };
}
