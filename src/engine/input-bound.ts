import { calibrated, calibratedBound } from "../core/calibration.ts";
import { formatModelRef, type ModelFacts } from "../core/model.ts";
import type { CallEnd } from "../core/settlement.ts";
import type { UserLedger } from "../core/store.ts";

/** No text is counted as less of our bound; Ollama, say, leaves out what it had cached. */
const LEAST_SHARE = 1 / 3;

/** The same text is counted alike by the same model; behind one name there may be several servers of it, and some differ. */
const RECOUNTED = 1.15;

/** The input of a call that is wanted or under way: whose, and the quick bound of its tokens. */
export interface AskedInput {
  readonly model: ModelFacts;
  readonly quick: number;
}

/** The input of an earlier call of the same conversation, and what its provider has counted. */
export interface CountedInput extends AskedInput {
  readonly counted: number;
}

/**
 * The bound of a request's input tokens: what the same model has counted of the conversation so far, and the quick bound
 * of what was added; else the quick bound as the model's counts have corrected it.
 */
export function boundOf({ model, quick }: AskedInput, before: CountedInput | null, userLedger: UserLedger): number {
  if (model.scripted) return quick;
  const name = formatModelRef(model.ref);
  if (before && formatModelRef(before.model.ref) === name && before.quick <= quick) {
    return Math.ceil(before.counted * RECOUNTED) + (quick - before.quick);
  }
  return calibratedBound(quick, userLedger.calibration(name));
}

/** What the provider has counted says how good our bound was. Null: it has counted nothing that can be believed. */
export function learn(asked: AskedInput | undefined, end: CallEnd, userLedger: UserLedger): CountedInput | null {
  if (!asked || asked.model.scripted || end.type !== "answered" || end.usage.source !== "provider") return null;
  const { freshInput, cacheRead, cacheWrite } = end.usage;
  const counted = freshInput + cacheRead + cacheWrite;
  const name = formatModelRef(asked.model.ref);
  userLedger.keepCalibration(name, calibrated(userLedger.calibration(name), asked.quick, counted));
  return counted >= asked.quick * LEAST_SHARE ? { ...asked, counted } : null;
}
