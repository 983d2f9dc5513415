import { addUsage, NO_USAGE, type Usage } from "../core/usage.ts";

/** What a screen says of a step beyond the fold of the run: the figures of the try under way, and the time spent. */
export interface StepProgress {
  /** Ordinal of the try, from 1. */
  readonly conversation: number;
  /** When the stretch under way began; null while nobody works on the step. */
  readonly runningSince: number | null;
  /** Milliseconds of this try, without the stretch under way. */
  readonly tryMs: number;
  /** Milliseconds of all tries, without the stretch under way. Pauses do not count. */
  readonly totalMs: number;
  /** Of this try. */
  readonly usage: Usage;
  /** Of this try, lost calls at what they were charged. */
  readonly costNanos: number;
  /** Models that were asked, in the order of their first call, over all tries. */
  readonly models: readonly string[];
  /** The model that was asked last in this try; null: none yet. */
  readonly asked: string | null;
  /** False: the try began before the events that are known here, so its figures are not whole. */
  readonly isTryWhole: boolean;
  /** False: the first try did. */
  readonly isTotalWhole: boolean;
}

/** Before its first event. */
export const UNTRIED: StepProgress = {
  conversation: 0,
  runningSince: null,
  tryMs: 0,
  totalMs: 0,
  usage: NO_USAGE,
  costNanos: 0,
  models: [],
  asked: null,
  isTryWhole: true,
  isTotalWhole: true,
};

/** Milliseconds of the step's present try, at `now`. */
export function tryElapsed(step: StepProgress, now: number): number {
  return step.tryMs + stretch(step, now);
}

/** Milliseconds of all the step's tries, at `now`. */
export function totalElapsed(step: StepProgress, now: number): number {
  return step.totalMs + stretch(step, now);
}

/** A try begins, or goes on after a rest. */
export function begun(step: StepProgress, conversation: number, at: number): StepProgress {
  if (step.conversation === conversation) return { ...step, runningSince: at };
  const afresh = { tryMs: 0, usage: NO_USAGE, costNanos: 0, asked: null, isTryWhole: true };
  return { ...step, ...afresh, conversation, runningSince: at };
}

/** Nobody works on it from now on. */
export function rested(step: StepProgress, at: number): StepProgress {
  const passed = stretch(step, at);
  return { ...step, runningSince: null, tryMs: step.tryMs + passed, totalMs: step.totalMs + passed };
}

/** A call of it has ended. */
export function charged(step: StepProgress, costNanos: number, usage: Usage): StepProgress {
  return { ...step, costNanos: step.costNanos + costNanos, usage: addUsage(step.usage, usage) };
}

/** A model is asked. */
export function asking(step: StepProgress, model: string): StepProgress {
  const models = step.models.includes(model) ? step.models : [...step.models, model];
  return { ...step, models, asked: model };
}

function stretch(step: StepProgress, now: number): number {
  return step.runningSince === null ? 0 : Math.max(0, now - step.runningSince);
}
