import type { Scope, Spend } from "./budget.ts";
import type { Event } from "./event.ts";
import { totalTokens } from "./usage.ts";

/** What one event does to the ledger. The store applies it in the transaction that keeps the event. */
export interface LedgerEntry {
  readonly scopes: readonly Scope[];
  readonly change: Spend;
  /** True for a reservation: it must fit every scope, or the whole transaction is refused. */
  readonly mustFit: boolean;
}

/** The ledger's reading of an event; null when it moves no money. Settlements and losses are always booked. */
export function ledgerEntry(event: Event): LedgerEntry | null {
  switch (event.type) {
    case "call.reserved":
      return entry(
        event,
        { settledNanos: 0, heldNanos: event.heldNanos, settledTokens: 0, heldTokens: event.heldTokens },
        true,
      );
    case "call.settled":
      return entry(event, settlement(event, event.costNanos, totalTokens(event.usage)), false);
    case "call.lost":
      return entry(event, settlement(event, event.heldNanos, event.heldTokens), false);
    default:
      return null;
  }
}

function settlement(
  held: { heldNanos: number; heldTokens: number },
  settledNanos: number,
  settledTokens: number,
): Spend {
  return { settledNanos, heldNanos: -held.heldNanos, settledTokens, heldTokens: -held.heldTokens };
}

function entry(call: { readonly role: string; readonly stepId: string }, change: Spend, mustFit: boolean): LedgerEntry {
  return { scopes: ["run", `role:${call.role}`, `step:${call.stepId}`], change, mustFit };
}
