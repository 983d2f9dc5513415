/**
 * What settled calls teach of the quick bound of a model's input tokens: the largest share of it that a provider
 * counted, over the latest blocks of calls. Shares are in thousandths.
 */
export interface Calibration {
  /** Calls in the block that is being filled, and the largest share among them. */
  readonly samples: number;
  readonly largest: number;
  /** The largest share of the full block before; null: none is full yet. */
  readonly before: number | null;
}

/** Nothing was learned of a model yet. */
export const UNCALIBRATED: Calibration = { samples: 0, largest: 0, before: null };

/** So many calls are learned from before the bound of a model is lowered, and so many make a block. */
const BLOCK = 32;
/** A model that counts more than the bound will count as much again, and a little more. */
const MARGIN = 1.15;
/**
 * What a model was seen to count says little of what it will be given next: of the bound, prose takes some 43 % and
 * the densest text some 77 % (test/providers/tokens.test.ts). So much dearer the next text may be.
 */
const KINDS_APART = 1.8;
/** The densest text has this much of the bound, whatever was seen. */
const LOWEST = 0.8;
const WHOLE = 1000;

/** Learns from one settled call. `bound`: the quick bound of its request; `counted`: input tokens as the provider counted them. */
export function calibrated(calibration: Calibration, bound: number, counted: number): Calibration {
  if (bound <= 0 || counted <= 0) return calibration;
  const largest = Math.max(calibration.largest, Math.ceil((counted / bound) * WHOLE));
  if (calibration.samples + 1 < BLOCK) return { ...calibration, samples: calibration.samples + 1, largest };
  return { samples: 0, largest: 0, before: largest };
}

/** The quick bound, corrected by what was learned: raised at once where it was too low, lowered only on much evidence. */
export function calibratedBound(bound: number, { largest, before }: Calibration): number {
  const seen = Math.max(largest, before ?? 0) / WHOLE;
  const lowered = before === null ? 1 : Math.min(1, Math.max(LOWEST, seen * KINDS_APART));
  return Math.ceil(bound * Math.max(lowered, seen * MARGIN));
}
