import type { PermissionVerdict } from "../core/permission.ts";
import { policyOf } from "../core/permission-builtin.ts";
import { concerns, type Decision, decide } from "../core/permission-decision.ts";
import type { ToolGrant } from "../core/ports.ts";

/** May this call proceed? What decided is in the decision, part by part. */
export function gate(grant: ToolGrant, tool: string, subjects: readonly string[]): Decision {
  return decide(policyOf(grant), { tool, subjects });
}

/** True for a tool that is denied whatever it is called with: such a tool is not shown to the model. */
export function isDeniedOutright(grant: ToolGrant, tool: string): boolean {
  return grant.permissions.some((rule) => rule.effect === "deny" && rule.match === undefined && concerns(rule, tool));
}

/** What the model is told when nobody lets the call through. */
export function denialText(tool: string, verdict: PermissionVerdict): string {
  const why = verdict.reason ?? (verdict.effect === "ask" ? "a rule wants a person's consent" : "a rule forbids it");
  const asked = verdict.effect === "ask" ? " A person would have to agree, and nobody is here to be asked." : "";
  return `Denied: ${tool} was not run: ${why}.${asked} Do not try to get round this: go on in another way, or finish and say what is missing.`;
}
