/** The tools of the built-in agent. */
export const TOOL_NAMES = [
  ...(["read", "ls", "glob", "grep", "edit", "apply_patch", "write", "bash", "job_output", "job_kill"] as const),
  ...(["diff", "todo", "mcp_schema", "mcp_call", "finish"] as const),
] as const;
/** One of `TOOL_NAMES`. */
export type ToolName = (typeof TOOL_NAMES)[number];

/** What a tool may do to the world: the engine brackets `write` and `execute` with snapshots. */
export type ToolEffect = "none" | "read" | "write" | "execute";

/** What each tool may do. */
export const TOOL_EFFECTS: Readonly<Record<ToolName, ToolEffect>> = {
  read: "read",
  ls: "read",
  glob: "read",
  grep: "read",
  edit: "write",
  apply_patch: "write",
  write: "write",
  bash: "execute",
  // What a job has changed by now goes on record with what the model is told of it.
  job_output: "execute",
  job_kill: "execute",
  diff: "read",
  todo: "none",
  mcp_schema: "execute",
  mcp_call: "execute",
  finish: "none",
};

/** Servers of tools: asked outside of the tree, which they are given to read only. */
export const SERVER_TOOLS: readonly ToolName[] = ["mcp_schema", "mcp_call"];

/** They come with `bash`, which starts the jobs. */
export const JOB_TOOLS: readonly ToolName[] = ["job_output", "job_kill"];

/** True for a tool that may change files: a role that only reads has none such. */
export function changesFiles(tool: ToolName): boolean {
  if (SERVER_TOOLS.includes(tool)) return false;
  return TOOL_EFFECTS[tool] === "write" || TOOL_EFFECTS[tool] === "execute";
}

/** From the mildest to the strictest. */
export const EFFECTS = ["allow", "ask", "deny"] as const;
/** What a rule does with a call that it matches. */
export type PermissionEffect = (typeof EFFECTS)[number];

/** A rule over tool calls. Of all rules that match, the strictest decides: deny before ask before allow. */
export interface PermissionRule {
  /** A tool's name, or `*` for all. */
  readonly tool: string;
  /** A glob over the call's subject: the path of a file tool, a command of `bash`, `server/tool`. Missing: every call. */
  readonly match?: string;
  readonly effect: PermissionEffect;
  /** Shown to the model when the rule denies, and to the person who is asked. */
  readonly reason?: string;
}

/** What the rules say of one call; `reason` is that of the rule that decided. */
export interface PermissionVerdict {
  readonly effect: PermissionEffect;
  readonly reason: string | null;
}
