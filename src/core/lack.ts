import type { Headroom } from "./budget.ts";
import type { Lack } from "./escalation-terms.ts";
import { type Price, worstCost } from "./money.ts";

/** A call that somebody thinks of making. */
export interface Prospect {
  /** Null: it is not known. */
  readonly price: Price | null;
  readonly inputTokens: number;
  /** An answer of this length has to fit; one that is cut shorter would be of no help. */
  readonly outputTokens: number;
}

/** What is in the way of a call; null: it fits. `own`: what the run, the role and the step have left; `windows`: the user's day and week. */
export function lackOf(prospect: Prospect, own: Headroom, windows: Headroom): Lack | null {
  if (prospect.price === null && own.nanos !== null && own.tokens === null) return "unpriced";
  const lack = overflowOf(prospect, own);
  if (lack !== null) return lack;
  return overflowOf(prospect, windows) === null ? null : "window";
}

function overflowOf(
  { price, inputTokens, outputTokens }: Prospect,
  { nanos, tokens }: Headroom,
): Exclude<Lack, string> | null {
  const cost = price === null ? 0 : worstCost(price, inputTokens, outputTokens);
  if (nanos !== null && cost > nanos) return { unit: "money", needed: cost };
  const all = inputTokens + outputTokens;
  return tokens !== null && all > tokens ? { unit: "tokens", needed: all } : null;
}
