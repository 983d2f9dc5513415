import type { Budget } from "./budget.ts";
import { CcpError, EXIT } from "./errors.ts";
import { formatUsd } from "./money.ts";
import { ruleName } from "./permission-decision.ts";
import { type NameLimit, type PackInForce, type PolicyInForce, type PolicyLimits, policyTitle } from "./policy.ts";
import { plural } from "./words.ts";

/** One restriction of a policy: what it is about, and what is left. */
export type Restriction = readonly [about: string, left: string];

/** Each restriction of a policy, in words for people. Empty: it restricts nothing. */
export function restrictionsOf(limits: PolicyLimits): readonly Restriction[] {
  const { models, providers, hosts, network, servers, tools, permissions = [], budget, sandbox } = limits;
  return [
    ...names("models", models),
    ...names("providers", providers),
    ...names("tools", tools),
    ...names("servers", servers),
    ...list("hosts", "models and servers only at ", hosts),
    ...list("network", "processes reach only ", network),
    ...permissions.map(
      (rule): Restriction => ["permissions", `${ruleName(rule)}${rule.reason === undefined ? "" : `: ${rule.reason}`}`],
    ),
    ...ceiling("budget", "of a run", budget?.run),
    ...Object.entries(budget?.roles ?? {}).flatMap(([role, its]) => ceiling("budget", `of the ${role}`, its)),
    ...Object.entries(budget?.windows ?? {}).flatMap(([window, its]) => ceiling("budget", `of a ${window}`, its)),
    ...(sandbox === "required" || network !== undefined ? [["sandbox", "required"] as const] : []),
  ];
}

function names(about: string, limit: NameLimit | undefined): readonly Restriction[] {
  const { allow, deny } = limit ?? {};
  const only = allow === undefined ? [] : [allow.length === 0 ? "none" : `only ${allow.join(", ")}`];
  const never = deny === undefined || deny.length === 0 ? [] : [`never ${deny.join(", ")}`];
  const left = [...only, ...never].join("; ");
  return left === "" ? [] : [[about, left]];
}

function list(about: string, words: string, hosts: readonly string[] | undefined): readonly Restriction[] {
  if (hosts === undefined) return [];
  return [[about, hosts.length === 0 ? "none" : `${words}${hosts.join(", ")}`]];
}

function ceiling(about: string, whose: string, budget: Budget | undefined): readonly Restriction[] {
  const text = budgetWords(budget ?? {});
  return text === "" ? [] : [[about, `at most ${text} ${whose}`]];
}

/** `$2.00, 500000 tokens, 30 minutes`; empty: there is no ceiling. */
export function budgetWords({ maxCostNanos, maxTokens, maxDurationMs }: Budget): string {
  const parts = [
    maxCostNanos === undefined ? "" : formatUsd(maxCostNanos),
    maxTokens === undefined ? "" : plural(maxTokens, "token"),
    maxDurationMs === undefined ? "" : plural(maxDurationMs / 60_000, "minute"),
  ];
  return parts.filter((part) => part !== "").join(", ");
}

/** Whatever a policy refuses, so that it is said once and in the same words. `why`: which policy, by which rule. */
export function policyDenied(why: string, policy: PolicyInForce): CcpError {
  return new CcpError("policy_denied", EXIT.credentials, why, { hint: policyHint(policy) });
}

/** Whom to ask, and how to see what is in force. */
export function policyHint({ packs }: PolicyInForce): string {
  const contacts = [...new Set(packs.flatMap(({ pack }) => pack?.contact ?? []))];
  const ask = contacts.length === 0 ? "" : `; to have it changed ask ${contacts.join(" or ")}`;
  return `see what is in force: ccp policy show${ask}`;
}

/** One line for each policy that does not hold as it should, and what follows from that. */
export function policyProblems({ packs }: PolicyInForce): readonly string[] {
  return packs.flatMap((one) => (one.problem === null ? [] : [problemText(one)]));
}

function problemText({ place, path, standing, pack, problem }: PackInForce): string {
  const title = policyTitle(place, pack);
  const contact = pack?.contact ? `; ask ${pack.contact}` : "";
  switch (standing) {
    case "valid":
      return `${title}: ${problem}`;
    case "kept":
      return `${path} was rejected: ${problem}; ${title}, the last good one, stays in force`;
    case "expired":
      return `${title} ${problem}: until there is a new one, nothing that costs money or writes is done${contact}`;
    case "rejected":
      return `${path} was rejected: ${problem}`;
  }
}
