import { CcpError } from "./errors.ts";
import { type ModelFacts, parseModelRef } from "./model.ts";
import type { Models } from "./ports.ts";

/** A route, resolved, less the candidates that cannot be asked here. Throws the first reason when none is left. */
export function candidatesOf(route: readonly string[], models: Pick<Models, "facts">): readonly ModelFacts[] {
  const reasons: CcpError[] = [];
  const candidates = route.flatMap((name) => {
    const ref = parseModelRef(name);
    if (!ref) return [];
    try {
      return [models.facts(ref)];
    } catch (reason) {
      if (!(reason instanceof CcpError)) throw reason;
      reasons.push(reason);
      return [];
    }
  });
  if (candidates.length > 0) return candidates;
  throw reasons[0] ?? new Error(`the route "${route.join(", ")}" names no model`);
}
