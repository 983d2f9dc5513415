import { canonicalJson } from "../core/json.ts";
import type { PolicyInForce } from "../core/policy.ts";
import type { Policies } from "../core/ports.ts";

/** The policies that a drive is held to. A replay has another, which takes what changed from the record. */
export interface PolicyWatch {
  /** What holds at this moment. */
  now(): PolicyInForce;
  /** What holds for a step now, where that is not what it was; null: it is. */
  since(stepId: string, then: PolicyInForce): Promise<PolicyInForce | null>;
}

/** The world's policies, which may change at any moment. */
export function livePolicy(policies: Policies): PolicyWatch {
  return {
    now: () => policies.now(),
    async since(_, then) {
      const now = policies.now();
      if (now.packs.length === 0 && then.packs.length === 0) return null;
      return canonicalJson(now) === canonicalJson(then) ? null : now;
    },
  };
}

/** A policy that does not change. */
export function standingPolicy(policy: PolicyInForce): PolicyWatch {
  return { now: () => policy, since: async () => null };
}
