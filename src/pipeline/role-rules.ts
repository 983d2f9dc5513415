import type { Budget } from "../core/budget.ts";
import type { Diagnostic } from "../core/diagnostic.ts";
import { formatUsd } from "../core/money.ts";
import { changesFiles, type ToolName } from "../core/permission.ts";
import { isReadOnly, ROLE_NAMES, type RoleName } from "../core/pipeline.ts";
import { budgetOf, roleCeilings } from "./budgets.ts";
import type { Draft, Rule } from "./draft.ts";
import { toolsOf } from "./role-defaults.ts";
import type { RawRole } from "./schema.ts";
import { type Path, problem } from "./source.ts";

/** A role that only reads has no tool that writes. A shell it may have: it gets it where a sandbox holds it to reading. */
export const checkTools: Rule = (draft) =>
  eachRole(draft, (name, raw, path) => {
    if (!isReadOnly(name)) return [];
    return (raw.tools ?? []).flatMap((tool, index) => {
      if (!changesFiles(tool) || (tool === "bash" && draft.raw.sandbox !== "off")) return [];
      const isShell = tool === "bash";
      const why = isShell ? 'it only reads, and with "sandbox: off" nothing could hold it to that' : "it only reads";
      const hint = isShell ? 'run the command in a "run" step, or let a doer do it' : "let a doer do it";
      const message = `the ${name} cannot have "${tool}": ${why}`;
      return [problem(draft.source.at([...path, "tools", index]), message, hint)];
    });
  });

/** A permission says something about a tool that the role has. */
export const checkPermissions: Rule = (draft) =>
  eachRole(draft, (name, raw, path) =>
    (raw.permissions ?? []).flatMap((rule, index) => {
      const place = draft.source.at([...path, "permissions", index]);
      if (rule.effect !== "allow" && rule.match === undefined && (rule.tool === "*" || rule.tool === "finish")) {
        const hint = `name the tools that are meant`;
        return [problem(place, `with this rule the ${name} could never finish`, hint)];
      }
      const isKnown = rule.tool === "*" || toolsOf(name, raw).includes(rule.tool as ToolName);
      if (isKnown || rule.effect === "deny") return [];
      const message = `the ${name} has no "${rule.tool}", so this rule would give it nothing`;
      return [problem(place, message, `its tools: ${toolsOf(name, raw).join(", ")}`)];
    }),
  );

/** What a role may spend is a part of what the run may. */
export const checkRoleBudgets: Rule = (draft) => {
  const run = budgetOf(draft.raw.budget);
  return eachRole(draft, (name, raw, path) => {
    const own = roleCeilings(raw.budget);
    const complaint = (key: "usd" | "tokens", show: (amount: number) => string, field: keyof Budget) => {
      const [mine, all] = [own[field] ?? null, run[field]];
      if (mine === null || all === undefined || mine <= all) return [];
      const source =
        draft.raw.budget?.[key] === undefined ? `the run's ${show(all)} (the default)` : `the run's ${show(all)}`;
      const message = `the ${name} may not spend ${show(mine)}: that is more than ${source}`;
      return [problem(draft.source.at([...path, "budget", key]), message, 'raise "budget" of the run, or lower this')];
    };
    return [
      ...complaint("usd", formatUsd, "maxCostNanos"),
      ...complaint("tokens", (amount) => `${amount} tokens`, "maxTokens"),
    ];
  });
};

function eachRole(
  { raw }: Draft,
  look: (name: RoleName, role: RawRole, path: Path) => readonly Diagnostic[],
): readonly Diagnostic[] {
  return ROLE_NAMES.flatMap((name) => {
    const role = raw.roles?.[name];
    return role ? look(name, role, ["roles", name]) : [];
  });
}
