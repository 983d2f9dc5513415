import { decide } from "../core/escalation.ts";
import type { EscalationAction, Means } from "../core/escalation-terms.ts";
import type { Action } from "../core/next.ts";
import { stepState } from "../core/run.ts";
import { routeNow } from "./candidates-now.ts";
import type { Context } from "./context.ts";
import { weigh } from "./weigh.ts";

/** Weighs what can be done for a step that is stuck, decides, and puts the decision on record with its reason. */
export async function decideNextTry(context: Context, action: Extract<Action, { type: "decide" }>): Promise<void> {
  const { log, pipeline, deps, halt } = context;
  const { step, trouble } = action;
  const role = pipeline.roles[step.role];
  if (!role) throw new Error(`role ${step.role} is not in the pipeline`);
  const means = deps.weighed?.(step.id) ?? (await weigh(context, step));
  const decision = decide(trouble, means);
  const { conversation, escalation } = stepState(log.run, step.id);
  const rung = rungAfter(decision.action, means, escalation.rung);
  const firstOn = (at: number) => routeNow(context, step, at)[0] ?? "";
  log.record({
    type: "escalation.decided",
    stepId: step.id,
    role: role.name,
    conversation,
    ...decision,
    rung,
    from: firstOn(escalation.rung),
    to: firstOn(rung),
    means,
  });
  const lacks = means.stronger?.lacks;
  if (decision.action === "ask" && typeof lacks === "object" && lacks !== null) {
    halt.request("budget", `step "${step.id}": ${decision.reason}`, { ...lacks, role: role.name });
  }
}

function rungAfter(action: EscalationAction, { stronger }: Means, now: number): number {
  if (action === "cheaper") return 0;
  return action === "stronger" && stronger ? stronger.rung : now;
}
