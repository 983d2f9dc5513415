import type { ModelEvent, ModelFacts, ModelRequest } from "../../src/core/model.ts";
import { costOf } from "../../src/core/money.ts";
import { totalTokens, type Usage } from "../../src/core/usage.ts";
import type { Dice, SimulatedModels } from "./budget-world.ts";

/** What the provider has really billed for a call. */
export interface Bill {
  readonly nanos: number;
  readonly tokens: number;
}

/** A provider whose books are kept apart: what it bills is the truth, whatever ccp hears of it. */
export interface SimulatedServer {
  readonly bills: ReadonlyMap<string, Bill>;
  /** As one process sees it. `pause`: waits until the schedule lets this process go on. */
  models(pause: () => Promise<void>): SimulatedModels;
}

const BASE_TOKENS = 200;
const PER_MESSAGE = 150;

/** `isReserved`: whether a call is on record, asked at the moment of its sending. */
export function simulatedServer(
  models: readonly ModelFacts[],
  dice: Dice,
  isReserved: (callId: string) => boolean,
): SimulatedServer {
  const bills = new Map<string, Bill>();
  const facts = (name: string) => models.find(({ ref }) => ref.model === name) as ModelFacts;
  const bound = ({ messages }: Pick<ModelRequest, "messages">) => BASE_TOKENS + messages.length * PER_MESSAGE;
  /** Each model counts its own share of our bound, give or take less than `input-bound.ts` allows for. */
  const shares = new Map(models.map(({ ref }) => [ref.model, dice.between(50, 85)]));

  function bill(request: ModelRequest, callId: string, part: number): Usage {
    const share = Math.min(100, (shares.get(request.model.model) ?? 50) + dice.between(-3, 3));
    const input = Math.floor((bound(request) * share) / 100);
    const cached = dice.chance(0.3) ? Math.floor(input / 2) : 0;
    const output = Math.floor(dice.between(1, request.maxTokens) * part);
    const usage: Usage = {
      freshInput: input - cached,
      cacheRead: dice.chance(0.5) ? cached : 0,
      cacheWrite: 0,
      output,
      reasoning: 0,
      source: "provider",
    };
    const whole = { ...usage, cacheWrite: input - usage.freshInput - usage.cacheRead };
    const { price } = facts(request.model.model);
    bills.set(callId, { nanos: price === null ? 0 : costOf(price, whole), tokens: totalTokens(whole) });
    return whole;
  }

  return {
    bills,
    models: (pause) => ({
      facts: (ref) => facts(ref.model),
      standing: () => null,
      inputBound: bound,
      tightInputBound: async (request) => {
        await pause();
        return Math.ceil(bound(request) * 0.95);
      },
      // Nothing of an answer outlives its process here: every call that was under way is lost.
      recover: async () => ({ answer: null, text: "" }),
      async *send(request, { callId }): AsyncIterable<ModelEvent> {
        if (!isReserved(callId)) throw new Error(`${callId} was sent without a reservation`);
        await pause();
        const fate = dice.between(0, 9);
        if (fate === 0) return yield failure("rate", false);
        if (fate === 1) return yield failure("quota", false);
        const usage = bill(request, callId, fate === 2 ? 0.5 : 1);
        await pause();
        if (fate === 2) return yield failure("network", true);
        if (fate === 3) return yield { ...failure("server", true), usage };
        yield {
          type: "answered",
          parts: [{ kind: "text", text: "so" }],
          stop: "end",
          usage,
          providerCostNanos: null,
          servedBy: null,
          cut: false,
        };
      },
    }),
  };
}

function failure(
  kind: "rate" | "quota" | "network" | "server",
  mayBeBilled: boolean,
): Extract<ModelEvent, { type: "failed" }> {
  return {
    type: "failed",
    failure: { class: kind, message: kind, httpStatus: null, retryAfterMs: null, mayBeBilled },
    usage: null,
    providerCostNanos: null,
  };
}
