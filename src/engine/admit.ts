import { type ModelFacts, type ModelRequest, parseModelRef } from "../core/model.ts";
import type { CallIntent, StepPort } from "../core/ports.ts";
import { nextCallId, userKey } from "./calls.ts";
import type { Context } from "./context.ts";
import type { RunLog } from "./run-log.ts";

/** The way into the lanes for the calls of one conversation. */
export interface Admissions {
  readonly admit: (wanted: CallIntent, inputTokens: number, except: readonly string[]) => ReturnType<StepPort["admit"]>;
  readonly lastResort: StepPort["lastResort"];
  /** The call that was let in last is not made after all. */
  readonly withdraw: () => void;
}

/** A conversation keeps to the credential that it has used: a provider's cache belongs to its account. */
export function openAdmissions({ log, deps }: Context, stepId: string, begunAt: number): Admissions {
  const used = new Map<string, string>();
  for (const event of log.eventsAfter(begunAt)) {
    if (event.type !== "call.reserved" || event.stepId !== stepId || event.credential === undefined) continue;
    const ref = parseModelRef(event.model);
    const lane = ref && deps.models.standing(ref)?.lane;
    if (lane) used.set(lane, event.credential);
  }
  const key = () => userKey(log, nextCallId(log, stepId));

  return {
    admit({ model: { ref }, wantedOutputTokens }, inputTokens, except) {
      const standing = deps.models.standing(ref);
      if (standing === null) return except.length === 0 ? { type: "go", credential: null } : { type: "none" };
      const call = { callId: key(), model: ref.model, inputTokens, outputTokens: wantedOutputTokens, isForced: false };
      const asked = { standing, call, preferred: used.get(standing.lane) ?? null, except };
      const admission = deps.health.admit(asked, deps.chance.now());
      if (admission.type === "go" && admission.credential !== null) used.set(standing.lane, admission.credential);
      const trouble = deps.health.trouble();
      if (trouble !== null) deps.tell({ type: "delta.notice", stepId, text: trouble });
      return admission;
    },
    lastResort(models) {
      const lanes = models.flatMap((ref) => deps.models.standing(ref)?.lane ?? []);
      return deps.health.wake(lanes, beginOfDrive(log), deps.chance.now());
    },
    withdraw: () => deps.health.withdraw(key(), deps.chance.now()),
  };
}

function beginOfDrive(log: RunLog): number {
  return log.eventsAfter(Math.max(0, log.run.driveSeq - 1))[0]?.at ?? 0;
}

/** The quick bound of a request's input, reckoned once for all who ask about the same request. */
export function rememberedBound(
  bound: (request: Omit<ModelRequest, "maxTokens">) => number,
): (intent: Pick<CallIntent, "model" | "request">) => { readonly model: ModelFacts; readonly quick: number } {
  let last: { readonly request: object; readonly quick: number } | null = null;
  return ({ model, request }) => {
    if (last?.request !== request) last = { request, quick: bound(request) };
    return { model, quick: last.quick };
  };
}
