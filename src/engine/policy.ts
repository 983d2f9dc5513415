import type { PolicyOnRecord } from "../core/event.ts";
import { canonicalJson } from "../core/json.ts";
import { SERVER_TOOLS } from "../core/permission.ts";
import type { AgentStep, Role } from "../core/pipeline.ts";
import { NO_POLICY, type PolicyInForce, policyNames } from "../core/policy.ts";
import {
  commandRefusal,
  permittedRules,
  permittedTools,
  sandboxRule,
  serverRefusal,
  toolRefusal,
} from "../core/policy-limits.ts";
import type { ToolCheck, ToolGrant, ToolUse } from "../core/ports.ts";
import type { Context } from "./context.ts";
import { grantOf } from "./role-grant.ts";
import type { RunLog } from "./run-log.ts";

const READ = new WeakMap<PolicyOnRecord, PolicyInForce>();

/** What holds for a step (null: for the run itself), as the log has it. */
export function policyOf({ log }: Pick<Context, "log">, stepId: string | null): PolicyInForce {
  const { policy, policies } = log.run;
  const recorded = (stepId === null ? undefined : policies[stepId]) ?? policy;
  if (recorded === null) return NO_POLICY;
  const known = READ.get(recorded) ?? log.readJson<PolicyInForce>(recorded.rules);
  READ.set(recorded, known);
  return known;
}

/** Puts a policy that has come into force on record, for one step: what another does side by side is not touched by it. */
export async function lookAtPolicy(context: Context, stepId: string): Promise<PolicyInForce> {
  const { log, deps } = context;
  const then = policyOf(context, stepId);
  const now = await deps.policy.since(stepId, then);
  if (now === null) return then;
  const policy = onRecord({ bytes: (bytes) => log.bytes(bytes) }, now);
  const known = log.run.policies[stepId] ?? log.run.policy;
  if (policy.rules.sha256 === known?.rules.sha256) return then;
  log.record({ type: "policy.changed", stepId, policy });
  haltWithoutSandbox(context, stepId);
  return policyOf(context, stepId);
}

/** A run that nothing holds does not go on under a policy that wants it held. */
export function haltWithoutSandbox(context: Context, stepId: string | null): void {
  const rule = sandboxRule(policyOf(context, stepId));
  if (rule === null || context.log.run.sandbox !== "none") return;
  context.halt.request("policy", `there is no sandbox here, and ${rule}`);
}

/** True: a policy does not let this command of the pipeline be run, and the drive ends for it. */
export function isRefusedCommand(context: Context, stepId: string | null, command: string): boolean {
  const why = commandRefusal(policyOf(context, stepId), command);
  if (why !== null) context.halt.request("policy", why);
  return why !== null || context.halt.reason?.why === "policy";
}

/**
 * A policy as a fact names it. To the byte, and nothing in it is replaced, whatever a secret's value happens to be: what
 * is on record is what decides. `keep` stores bytes.
 */
export function onRecord({ bytes: keep }: Pick<RunLog, "bytes">, policy: PolicyInForce): PolicyOnRecord {
  const bytes = new TextEncoder().encode(canonicalJson(policy));
  return { rules: keep(bytes), packs: policyNames(policy) };
}

/** What a step's role may do with tools by now. */
export function grantUnder(context: Context, step: AgentStep): ToolGrant {
  const policy = policyOf(context, step.id);
  const own = grantOf(context.log.run.sandbox, roleOf(context, step));
  return {
    ...own,
    tools: permittedTools(policy, own.tools),
    permissions: permittedRules(policy, own.permissions),
  };
}

function roleOf({ pipeline }: Context, step: AgentStep): Role {
  const role = pipeline.roles[step.role];
  if (!role) throw new Error(`role ${step.role} is not in the pipeline`);
  return role;
}

/** Calls that were let through before, held to the policy that is in force by now. It can only refuse more. */
export function heldToPolicy(context: Context, step: AgentStep, uses: readonly ToolUse[]): readonly ToolUse[] {
  const policy = policyOf(context, step.id);
  if (policy.limits.length === 0) return uses;
  const grant = grantUnder(context, step);
  return uses.map((use) => {
    const { call, check } = use;
    const ready = check.type === "denied" ? check.asks?.ready : check;
    if (ready?.type !== "ready") return use;
    const why = toolRefusal(policy, ready.tool) ?? refusedServer(context, step, ready);
    if (why !== null) return { call, check: denied(ready, why) };
    const again = context.deps.tools.check(call, grant);
    const isStricter = again.type === "denied" && (again.asks === undefined || check.type === "ready");
    return isStricter ? { call, check: again } : use;
  });
}

type Ready = Extract<ToolCheck, { type: "ready" }>;

function refusedServer(context: Context, step: AgentStep, { tool, subject }: Ready): string | null {
  if (!SERVER_TOOLS.some((name) => name === tool)) return null;
  const [name] = subject.split("/", 1);
  const server = roleOf(context, step).servers?.find((one) => one.name === name);
  return server === undefined ? null : serverRefusal(policyOf(context, step.id), server);
}

function denied({ tool, subject }: Ready, why: string): ToolCheck {
  const text = `Denied: ${tool} was not run: ${why}. Do not try to get round this: go on in another way, or finish and say what is missing.`;
  return { type: "denied", subject, text };
}
