import type { Usage } from "../core/usage.ts";
import type { ReportedUsage } from "./answer-draft.ts";

/** Between what the tokens of a call must lie: `least` is what no tokenizer counts less than, `most` an upper estimate. */
export interface UsageBounds {
  readonly leastInput: number;
  readonly mostInput: number;
  readonly leastOutput: number;
  readonly mostOutput: number;
}

/**
 * The usage that is booked for a call. A report is believed as it is, also where it is more than was asked for: that is
 * the bill. What is below the least that the texts can be is replaced by the most that they can be: a server that says
 * less than half of what it bills makes the ledger say more, not less. Null: nothing was reported.
 */
export function plausibleUsage(reported: ReportedUsage | null, bounds: UsageBounds): Usage {
  const { leastInput, mostInput, leastOutput, mostOutput } = bounds;
  if (!isUsable(reported)) {
    return {
      freshInput: mostInput,
      cacheRead: 0,
      cacheWrite: 0,
      output: mostOutput,
      reasoning: 0,
      source: "estimated",
    };
  }
  const input = reported.freshInput + reported.cacheRead + reported.cacheWrite;
  if (input >= leastInput && reported.output >= leastOutput) return { ...reported, source: "provider" };
  const missingInput = input < leastInput ? Math.max(0, mostInput - input) : 0;
  return {
    ...reported,
    freshInput: reported.freshInput + missingInput,
    output: reported.output < leastOutput ? Math.max(reported.output, mostOutput) : reported.output,
    source: "estimated",
  };
}

/** False for a report that the ledger cannot hold (providers send text, fractions and worse) or that says nothing. */
export function isUsable(usage: ReportedUsage | null): usage is ReportedUsage {
  if (usage === null) return false;
  const { freshInput, cacheRead, cacheWrite, cacheWriteHour = 0, output, reasoning } = usage;
  const counts = [freshInput, cacheRead, cacheWrite, cacheWriteHour, output, reasoning];
  return counts.every(isAmount) && freshInput + cacheRead + cacheWrite + output > 0;
}

/** What the ledger can hold: a figure below nothing would be money given back. */
export function isAmount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
