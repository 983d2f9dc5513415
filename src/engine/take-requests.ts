import { CcpError } from "../core/errors.ts";
import { parseModelRef } from "../core/model.ts";
import type { AgentStep } from "../core/pipeline.ts";
import { modelRefusal } from "../core/policy-limits.ts";
import type { LeftRequest } from "../core/store.ts";
import type { Context } from "./context.ts";
import { headroom } from "./intend.ts";
import { policyOf } from "./policy.ts";

/** Takes up what a person has left for whoever drives the run: it goes on record before this step's next call. */
export function takeRequests(context: Context, step: AgentStep): void {
  const { deps, log } = context;
  for (const { id, role, models } of deps.requests?.(step.id) ?? deps.store.requests(log.rid)) {
    // What a replay brings was followed then.
    const reason = deps.requests ? null : whyNot(context, step, { role, models });
    if (reason === null) log.record({ type: "route.changed", role, models, stepId: step.id, request: id });
    else {
      deps.store.drop(log.rid, id);
      deps.tell({
        type: "delta.notice",
        stepId: step.id,
        text: `${role} does not ask ${models.join(", ")}: ${reason}`,
      });
    }
  }
}

/** It was looked at when it was left, but by another process, whose keys and files may be others. Null: it can be followed. */
function whyNot(context: Context, step: AgentStep, { role, models }: LeftRequest): string | null {
  const { pipeline, deps } = context;
  if (!pipeline.roles[role]) return "the pipeline has no such role";
  const { nanos, tokens } = headroom(context, { ...step, role });
  for (const name of models) {
    const ref = parseModelRef(name);
    if (ref === null) return `${name} names no model`;
    const refusal = modelRefusal(policyOf(context, step.id), ref);
    if (refusal !== null) return refusal;
    try {
      const { price } = deps.models.facts(ref);
      if (price === null && nanos !== null && tokens === null) return `the price of ${name} is unknown`;
    } catch (reason) {
      if (reason instanceof CcpError) return reason.message;
      throw reason;
    }
  }
  return models.length === 0 ? "it names no model" : null;
}
