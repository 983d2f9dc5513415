import type { ModelEvent, ModelFacts } from "./model.ts";
import { costOf } from "./money.ts";
import { NO_USAGE, type Usage } from "./usage.ts";

/** The event that ends an attempt. */
export type CallEnd = Extract<ModelEvent, { type: "answered" | "failed" }>;

/** What a call is booked as. */
export type Settlement =
  | {
      readonly type: "settled";
      readonly costNanos: number;
      /** What the price list says; null: no price is known. */
      readonly listedNanos: number | null;
      readonly usage: Usage;
    }
  /** It may have been billed and nobody said how much: charged at its reservation. */
  | { readonly type: "lost"; readonly reason: string };

/** What the end of a call costs. The provider's own figure wins over the price list. */
export function settleCall(end: CallEnd, model: ModelFacts): Settlement {
  if (end.type === "answered") return charged(end.usage, end.providerCostNanos, model);
  if (!end.failure.mayBeBilled) return { type: "settled", costNanos: 0, listedNanos: 0, usage: NO_USAGE };
  if (end.usage) return charged(end.usage, end.providerCostNanos, model);
  return { type: "lost", reason: `${end.failure.class}: ${end.failure.message}` };
}

function charged(usage: Usage, providerCostNanos: number | null, model: ModelFacts): Settlement {
  const listedNanos = model.price === null ? null : costOf(model.price, usage);
  // Who reports tokens that cannot be true is not believed about money either.
  const least = usage.source === "estimated" ? (listedNanos ?? 0) : 0;
  return { type: "settled", costNanos: Math.max(providerCostNanos ?? listedNanos ?? 0, least), listedNanos, usage };
}
