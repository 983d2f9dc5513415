import { isAllowedHost } from "./allowed-hosts.ts";
import type { Budget, Scope, Window } from "./budget.ts";
import { commonHosts } from "./host-pattern.ts";
import { formatModelRef, type ModelRef } from "./model.ts";
import { JOB_TOOLS, type PermissionRule } from "./permission.ts";
import { decide } from "./permission-decision.ts";
import type { Pipeline, Role, SandboxMode } from "./pipeline.ts";
import type { NamedLimits, NameLimit, PolicyInForce, PolicyLimits } from "./policy.ts";
import type { McpServer, ServerNetwork } from "./tool-servers.ts";

/** Why a policy does not let a model be asked, with its name and rule; null: it does. */
export function modelRefusal({ limits, refusedProviders }: PolicyInForce, ref: ModelRef): string | null {
  const name = formatModelRef(ref);
  for (const { policy, limits: its } of limits) {
    const byModel = nameRefusal(its.models, name, matchesName);
    if (byModel !== null) return `${name} is refused by ${policy}: models.${byModel}`;
    const byProvider = nameRefusal(its.providers, ref.provider, matchesName);
    if (byProvider !== null) return `${name} is refused by ${policy}: providers.${byProvider}`;
  }
  const byHost = Object.hasOwn(refusedProviders, ref.provider) ? refusedProviders[ref.provider] : undefined;
  return byHost === undefined ? null : `${name} is refused by ${byHost}`;
}

/** Providers that are at a host that a policy does not name, and why: for `refusedProviders`. */
export function providersAtOtherHosts(
  limits: readonly NamedLimits[],
  providers: readonly { readonly id: string; readonly baseUrl: string }[],
): Readonly<Record<string, string>> {
  const refused = providers.flatMap(({ id, baseUrl }) => {
    const why = hostRefusal(limits, baseUrl);
    return why === null ? [] : [[id, why] as const];
  });
  return Object.fromEntries(refused);
}

/** Why an address may not be asked, as `policy acme 7 (machine): hosts does not name example.com`; null: it may. */
function hostRefusal(limits: readonly NamedLimits[], url: string): string | null {
  const at = addressOf(url);
  // What has no host is asked over no network: a transcript.
  if (at === null) return null;
  const by = limits.find(({ limits: { hosts } }) => hosts !== undefined && !isAllowedHost(hosts, at.host, at.port));
  return by === undefined
    ? null
    : `${by.policy}: hosts does not name ${at.host}${at.port === 443 ? "" : `:${at.port}`}`;
}

function addressOf(url: string): { readonly host: string; readonly port: number } | null {
  if (!/^https?:/i.test(url)) return null;
  // Read as whoever connects reads it; what cannot be read is no host that anybody has named.
  if (!URL.canParse(url)) return { host: url, port: 0 };
  const { hostname, port, protocol } = new URL(url);
  return { host: hostname, port: Number(port) || (protocol === "http:" ? 80 : 443) };
}

/** The tools that are left of these. */
export function permittedTools<Tool extends string>(policy: PolicyInForce, tools: readonly Tool[]): readonly Tool[] {
  return tools.filter((tool) => toolRefusal(policy, tool) === null);
}

/** The rules of a role, and those of every policy: of all that match, the strictest decides. */
export function permittedRules({ limits }: PolicyInForce, own: readonly PermissionRule[]): readonly PermissionRule[] {
  const added = limits.flatMap(({ policy, limits: { permissions = [] } }) =>
    permissions.map((rule) => ({ ...rule, reason: rule.reason === undefined ? policy : `${rule.reason} (${policy})` })),
  );
  return added.length === 0 ? own : [...own, ...added];
}

/** Why a policy denies a tool whatever it is called with; null: it does not. */
export function toolRefusal({ limits }: PolicyInForce, tool: string): string | null {
  for (const { policy, limits: its } of limits) {
    const why = nameRefusal(its.tools, nameOfTool(tool), isSame);
    if (why !== null && tool !== "finish") return `${policy}: tools.${why}`;
  }
  return null;
}

/** Jobs come and go with the shell that starts them. */
function nameOfTool(tool: string): string {
  return JOB_TOOLS.some((job) => job === tool) ? "bash" : tool;
}

/** Why a policy does not let a server of tools be asked; null: it does. */
export function serverRefusal({ limits }: PolicyInForce, server: McpServer): string | null {
  for (const { policy, limits: its } of limits) {
    const why = nameRefusal(its.servers, server.name, matchesName);
    if (why !== null) return `${policy}: servers.${why}`;
  }
  return server.kind === "http" ? hostRefusal(limits, server.url) : null;
}

/**
 * Why a command of the pipeline may not be run: rules over `bash` that deny bind it as they bind an agent. What they
 * ask about is not asked here: whoever starts a pipeline has chosen its commands. Null: it may.
 */
export function commandRefusal({ limits }: PolicyInForce, command: string): string | null {
  for (const { policy, limits: its } of limits) {
    const rules = (its.permissions ?? []).filter(({ effect }) => effect === "deny");
    if (rules.length === 0) continue;
    const verdict = decide({ builtin: [], rules, tools: ["bash"] }, { tool: "bash", subjects: [command] });
    if (verdict.effect === "deny") return `${policy} denies a command of the pipeline: ${verdict.reason ?? command}`;
  }
  return null;
}

/** What is left of what a process may reach. */
export function permittedNetwork({ limits }: PolicyInForce, network: ServerNetwork): ServerNetwork {
  return limits.reduce<ServerNetwork>((left, { limits: its }) => commonNetwork(left, its.network), network);
}

function commonNetwork(a: ServerNetwork, allowed: readonly string[] | undefined): ServerNetwork {
  if (allowed === undefined || a === "none") return a;
  const hosts = a === "open" ? allowed : commonHosts(a, allowed);
  return hosts.length === 0 ? "none" : hosts;
}

/** How strictly a sandbox is asked for, in the end. */
export function permittedSandbox(policy: PolicyInForce, asked: SandboxMode): SandboxMode {
  return sandboxRule(policy) === null ? asked : "required";
}

/** The policy that requires a sandbox, with its rule; null: none does. */
export function sandboxRule({ limits }: PolicyInForce): string | null {
  const by = limits.find(({ limits: its }) => its.sandbox === "required" || its.network !== undefined);
  if (by === undefined) return null;
  return `${by.policy}: ${by.limits.sandbox === "required" ? "sandbox: required" : "network, which only a sandbox holds"}`;
}

/** Why one or another ceiling of these is more than a policy gives; null: none is. */
export function budgetRefusal(policy: PolicyInForce, asked: Budget): string | null {
  const by = policy.limits.find(({ limits }) => !isWithin(asked, limits.budget?.run));
  return by === undefined ? null : `more than ${by.policy} gives a run`;
}

function isWithin(asked: Budget, ceiling: Budget = {}): boolean {
  return BUDGET_UNITS.every((unit) => (asked[unit] ?? 0) <= (ceiling[unit] ?? Number.POSITIVE_INFINITY));
}

/** A scope's ceilings under a policy: the lower of each. */
export function permittedBudget({ limits }: PolicyInForce, scope: Scope, own: Budget): Budget {
  return limits.flatMap(({ limits: its }) => ceilingsOf(its, scope)).reduce(lower, own);
}

/** A policy that gives a scope no more than this, in one unit; null: none does. */
export function budgetRule({ limits }: PolicyInForce, scope: Scope, most: Budget): string | null {
  const by = limits.find(({ limits: its }) =>
    ceilingsOf(its, scope).some((ceiling) =>
      BUDGET_UNITS.some(
        (unit) => most[unit] !== undefined && (ceiling[unit] ?? Number.POSITIVE_INFINITY) <= most[unit],
      ),
    ),
  );
  return by?.policy ?? null;
}

function ceilingsOf({ budget }: PolicyLimits, scope: Scope): readonly Budget[] {
  if (scope === "run") return budget?.run ? [budget.run] : [];
  return Object.entries(budget?.roles ?? {}).flatMap(([role, ceiling]) => (scope === `role:${role}` ? [ceiling] : []));
}

/** The same for what all runs of a user may take in a day or a week. */
export function permittedWindow(
  { limits }: PolicyInForce,
  window: Window,
  own: Budget | undefined,
): Budget | undefined {
  const ceilings = limits.flatMap(({ limits: { budget } }) => budget?.windows?.[window] ?? []);
  return ceilings.length === 0 ? own : ceilings.reduce(lower, own ?? {});
}

/** The lower ceiling of each unit. */
function lower(a: Budget, b: Budget): Budget {
  const ceilings = BUDGET_UNITS.flatMap((unit) => {
    const both = [a[unit], b[unit]].filter((amount) => amount !== undefined);
    return both.length === 0 ? [] : [[unit, Math.min(...both)] as const];
  });
  return Object.fromEntries(ceilings);
}

const BUDGET_UNITS = ["maxCostNanos", "maxTokens", "maxDurationMs"] as const satisfies readonly (keyof Budget)[];

/** A pipeline with the ceilings and the sandbox that a policy leaves it. What changes from call to call is seen to there. */
export function underPolicy(pipeline: Pipeline, policy: PolicyInForce): Pipeline {
  if (policy.limits.length === 0) return pipeline;
  const budget = permittedBudget(policy, "run", pipeline.budget);
  const role = (one: Role): Role => {
    const { maxCostNanos, maxTokens } = lower(permittedBudget(policy, `role:${one.name}`, one.budget), budget);
    const has = { maxCostNanos, maxTokens };
    return { ...one, budget: Object.fromEntries(Object.entries(has).filter(([, amount]) => amount !== undefined)) };
  };
  const roles = Object.fromEntries(Object.entries(pipeline.roles).map(([name, one]) => [name, role(one)]));
  return { ...pipeline, budget, roles, sandbox: permittedSandbox(policy, pipeline.sandbox) };
}

/** The rule that refuses a name, in the words of the policy; null: none does. */
function nameRefusal(
  limit: NameLimit | undefined,
  name: string,
  matches: (pattern: string, name: string, isDeny: boolean) => boolean,
): string | null {
  const denied = limit?.deny?.find((pattern) => matches(pattern, name, true));
  if (denied !== undefined) return `deny has ${denied}`;
  const isAllowed = limit?.allow === undefined || limit.allow.some((pattern) => matches(pattern, name, false));
  return isAllowed ? null : "allow does not have it";
}

/** `*` is any text: a model's name may have slashes in it. What denies is read widely, in any case of its letters. */
function matchesName(pattern: string, name: string, isDeny: boolean): boolean {
  return isDeny ? matchesText(pattern.toLowerCase(), name.toLowerCase()) : matchesText(pattern, name);
}

/** Takes the first place where each piece between two `*` fits: time in proportion to the text, whatever the pattern. */
function matchesText(pattern: string, text: string): boolean {
  const [first = "", ...pieces] = pattern.split("*");
  if (pieces.length === 0) return text === pattern;
  const last = pieces.pop() ?? "";
  if (!text.startsWith(first) || text.length < first.length + last.length || !text.endsWith(last)) return false;
  let at = first.length;
  for (const piece of pieces) {
    const found = text.indexOf(piece, at);
    if (found === -1) return false;
    at = found + piece.length;
  }
  return at <= text.length - last.length;
}

function isSame(pattern: string, name: string): boolean {
  return pattern === name || pattern === "*";
}
