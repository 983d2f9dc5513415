import { CcpError } from "./errors.ts";
import { type ModelFacts, parseModelRef } from "./model.ts";
import { NO_POLICY, type PolicyInForce } from "./policy.ts";
import { modelRefusal } from "./policy-limits.ts";
import { policyDenied } from "./policy-words.ts";
import type { Models } from "./ports.ts";

/**
 * A route, resolved, less the candidates that cannot be asked here and those that a policy refuses. When none is left it
 * throws: what the policy says of all that it refuses (`policy_denied`), else the first reason.
 */
export function candidatesOf(
  route: readonly string[],
  models: Pick<Models, "facts">,
  policy: PolicyInForce = NO_POLICY,
): readonly ModelFacts[] {
  const reasons: CcpError[] = [];
  const refusals = refusalsOf(route, policy);
  const candidates = route.flatMap((name) => {
    const ref = parseModelRef(name);
    if (!ref || modelRefusal(policy, ref) !== null) return [];
    try {
      return [models.facts(ref)];
    } catch (reason) {
      if (!(reason instanceof CcpError)) throw reason;
      reasons.push(reason);
      return [];
    }
  });
  if (candidates.length > 0) return candidates;
  if (refusals.length > 0) throw policyDenied(refusals.join("; "), policy);
  throw reasons[0] ?? new Error(`the route "${route.join(", ")}" names no model`);
}

/** Why a policy passes candidates of a route over, one sentence each. */
export function refusalsOf(route: readonly string[], policy: PolicyInForce): readonly string[] {
  return route.flatMap((name) => {
    const ref = parseModelRef(name);
    return (ref && modelRefusal(policy, ref)) ?? [];
  });
}
