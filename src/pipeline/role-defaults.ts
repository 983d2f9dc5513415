import { changesFiles, JOB_TOOLS, SERVER_TOOLS, TOOL_NAMES, type ToolName } from "../core/permission.ts";
import { isReadOnly, type RoleName } from "../core/pipeline.ts";
import type { RawRole } from "./schema.ts";

/** Model calls of one conversation: a backstop against going in circles, well above what real work takes. The budget is the limit that is meant to bind. */
export const DEFAULT_MAX_TURNS: Readonly<Record<RoleName, number>> = { planner: 40, doer: 150, reviewer: 40 };

/** A role's tools, in the order in which all are listed. `finish` is always there: without it no role could end. */
export function toolsOf(role: RoleName, raw: RawRole | undefined): readonly ToolName[] {
  const own = raw?.tools;
  return TOOL_NAMES.filter((tool) => {
    if (tool === "finish") return true;
    if (SERVER_TOOLS.includes(tool)) return (raw?.mcp ?? []).length > 0;
    if (JOB_TOOLS.includes(tool)) return own ? own.includes("bash") : !isReadOnly(role);
    return own ? own.includes(tool) : isUsual(role, tool);
  });
}

/** A planner comes before the work: a diff of nothing would only cost it words. */
function isUsual(role: RoleName, tool: ToolName): boolean {
  if (role === "planner" && tool === "diff") return false;
  return !(isReadOnly(role) && changesFiles(tool));
}
