import { patienceWith, standoff, type TurnedAway } from "../core/entering.ts";
import type { ModelFacts } from "../core/model.ts";
import type { AgentOutcome, CallIntent } from "../core/ports.ts";
import { type Question, routeOf } from "./question.ts";
import { isRerouted } from "./rerouted.ts";

/** The model that may be asked now, and with which of its credentials. */
export interface Entrance {
  readonly type: "go";
  readonly credential: string | null;
}

/**
 * Waits until a model of the route may be asked, by its lane and by the policies of this moment, and goes on to the first
 * that may. What stands before it on the route is passed over then. Where others are to be asked meanwhile, the route
 * starts over with them. `intentOf`: what is to be asked of a model. `tooSmall`: a window in tokens that does not hold it;
 * null: none is known.
 */
export async function enterLane(
  question: Question,
  intentOf: (model: ModelFacts) => CallIntent,
  tooSmall: number | null,
): Promise<Entrance | { readonly type: "rerouted" } | Extract<AgentOutcome, { type: "stopped" }>> {
  const { assignment, port } = question;
  const route = routeOf(question);
  let waitedMs = 0;
  let told = "";
  for (;;) {
    await port.heedPolicies();
    if (await isRerouted(question)) return { type: "rerouted" };
    const turnedAway: TurnedAway[] = [];
    const refusals: string[] = [];
    let next: ReturnType<typeof patienceWith | typeof standoff> = { type: "pass-over" };
    for (const [index, model] of [route.current(), ...route.ahead()].entries()) {
      if (index > 0 && tooSmall !== null && (model.contextWindow ?? 0) <= tooSmall) continue;
      const refusal = port.refusalOf(model);
      if (refusal !== null) {
        refusals.push(refusal);
        continue;
      }
      const admission = port.admit(intentOf(model));
      if (admission.type === "go") {
        if (index > 0) route.advance(index - 1);
        return admission;
      }
      const away = { model: model.ref, admission };
      turnedAway.push(away);
      next = patienceWith(away, waitedMs, port.chance.now());
      if (next.type === "wait") break;
    }
    if (turnedAway.length === 0) return { type: "stopped", why: "policy", reason: refusals.join("; ") };
    if (next.type === "pass-over") next = standoff(turnedAway, port.chance.now());
    if (next.type === "stop" && port.lastResort(turnedAway.map(({ model }) => model))) continue;
    if (next.type === "stop") return { type: "stopped", why: next.why, reason: next.reason };
    const { waitMs, reason } = next;
    if (reason !== told) port.tell({ type: "delta.waiting", stepId: assignment.stepId, reason, waitMs });
    told = reason;
    await port.chance.sleep(waitMs, port.signal);
    waitedMs += waitMs;
    const stop = port.stopRequested();
    if (stop) return { type: "stopped", why: stop, reason };
  }
}

/** Another credential of the model that has just been asked, where this one's failure says nothing of the others. */
export async function anotherKey(
  { port }: Question,
  intent: CallIntent,
  failed: readonly string[],
): Promise<Entrance | null> {
  await port.heedPolicies();
  if (port.refusalOf(intent.model) !== null) return null;
  const admission = port.admit(intent, failed);
  return admission.type === "go" ? admission : null;
}
