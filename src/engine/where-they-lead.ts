import type { AgentStep } from "../core/pipeline.ts";
import type { ToolUse } from "../core/ports.ts";
import { type Context, workspaceOf } from "./context.ts";
import { grantUnder } from "./policy.ts";

/** Holds calls of file tools to the rules once more, where their paths lead through symlinks to another place. */
export function whereTheyLead(
  context: Context,
  step: AgentStep,
  wanted: readonly ToolUse[],
): Promise<readonly ToolUse[]> {
  const grant = grantUnder(context, step);
  // Without rules every place is as good as the other.
  if (!grant.permissions.some(({ match }) => match !== undefined)) return Promise.resolve(wanted);
  const workspace = workspaceOf(context);
  return Promise.all(
    wanted.map(async (use): Promise<ToolUse> => {
      const { call, check } = use;
      const ready = check.type === "denied" ? check.asks?.ready : check;
      if (ready?.type !== "ready" || ready.paths === undefined) return use;
      const outcomes = await Promise.all(ready.paths.map((path) => workspace.whereIs(path)));
      const places = outcomes.flatMap((outcome) => (outcome.ok ? [outcome.value] : []));
      const there = context.deps.tools.checkPlaces(ready, places, grant);
      const isRefused = there.type === "denied" && (there.asks === undefined || check.type === "ready");
      return isRefused ? { call, check: there } : use;
    }),
  );
}
