import { refusalsOf } from "../core/candidates.ts";
import { CcpError } from "../core/errors.ts";
import { parseModelRef } from "../core/model.ts";
import type { PolicyInForce } from "../core/policy.ts";
import type { Models } from "../core/ports.ts";
import type { Candidate, RouteDecision, RouteRequest, RouteRule, TaskKind } from "../core/route-rules.ts";
import { routerOf } from "../core/routing.ts";

/** Which conversation a decision is about, and what for. */
export interface RouteQuestion {
  readonly stepId: string;
  readonly conversation: number;
  readonly task: TaskKind;
}

/** What there is to put on record of a decision; `rule` null: none matched, and the role's own route holds. */
export interface Decided {
  readonly rule: string | null;
  /** Empty where no rule matched. */
  readonly candidates: readonly string[];
}

/** Says whom a conversation is to ask. */
export interface Router {
  /** Null: there is nothing to say, and nothing goes on record. `request` is only called where it is needed. */
  decide(question: RouteQuestion, request: () => RouteRequest, policy: PolicyInForce): Decided | null;
}

/** Decides by rules; what is known of the models that they name is looked up once. */
export function ruledRouter(rules: readonly RouteRule[], models: Pick<Models, "facts">): Router {
  if (rules.length === 0) return { decide: () => null };
  const decide = ruling(rules, models);
  return {
    decide(_, request, policy) {
      const { rule, candidates } = decide(request(), policy);
      return { rule: rule?.name ?? null, candidates };
    },
  };
}

/** The rules as a function of the request alone, with its reasons. */
export function ruling(
  rules: readonly RouteRule[],
  models: Pick<Models, "facts">,
): (request: RouteRequest, policy: PolicyInForce) => RouteDecision {
  const decide = routerOf(rules);
  let known: ReadonlyMap<string, Candidate> | null = null;
  return (request, policy) => {
    known ??= new Map(rules.flatMap(({ use }) => use).map((name) => [name, candidateOf(name, models)]));
    return decide(request, permitted(known, policy));
  };
}

/** Less those that a policy refuses. */
function permitted(known: ReadonlyMap<string, Candidate>, policy: PolicyInForce): ReadonlyMap<string, Candidate> {
  if (policy.packs.length === 0) return known;
  const all = [...known].map(([name, candidate]): readonly [string, Candidate] => {
    const [says] = refusalsOf([name], policy);
    return [name, says === undefined ? candidate : { kind: "cannot-ask", passedOver: { why: "policy", says } }];
  });
  return new Map(all);
}

function candidateOf(name: string, models: Pick<Models, "facts">): Candidate {
  const ref = parseModelRef(name);
  if (ref === null) return { kind: "cannot-ask", passedOver: { why: "unknown", says: "it names no model" } };
  try {
    return { kind: "askable", facts: models.facts(ref) };
  } catch (reason) {
    if (!(reason instanceof CcpError)) throw reason;
    const why = reason.code === "missing_key" ? "no-key" : "unknown";
    return { kind: "cannot-ask", passedOver: { why, says: reason.message } };
  }
}
