import type { StoredEvent } from "../core/event.ts";
import { toolKey } from "../core/run.ts";
import { addUsage, NO_USAGE, type Usage } from "../core/usage.ts";
import { without } from "../core/without.ts";

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
}

/** A small fold beside `Run`, for what only people want to know. */
export interface Progress {
  readonly steps: Readonly<Record<string, StepProgress>>;
  /** Subjects of the tool calls under way, by `toolKey`. */
  readonly subjects: Readonly<Record<string, string>>;
  readonly lastAt: number;
}

/** Before the first event. */
export const NO_PROGRESS: Progress = { steps: {}, subjects: {}, lastAt: 0 };

const UNTRIED: StepProgress = {
  conversation: 0,
  runningSince: null,
  tryMs: 0,
  totalMs: 0,
  usage: NO_USAGE,
  costNanos: 0,
  models: [],
};

/** The progress that a log tells of. */
export function foldProgress(events: readonly StoredEvent[]): Progress {
  return events.reduce(applyProgress, NO_PROGRESS);
}

/** How a step has got on; untried until its first event. */
export function stepProgress(progress: Progress, stepId: string): StepProgress {
  return progress.steps[stepId] ?? UNTRIED;
}

/** Milliseconds of the step's present try, at `now`. */
export function tryElapsed(step: StepProgress, now: number): number {
  return step.tryMs + stretch(step, now);
}

/** Milliseconds of all the step's tries, at `now`. */
export function totalElapsed(step: StepProgress, now: number): number {
  return step.totalMs + stretch(step, now);
}

/** Folds one event into the progress. */
export function applyProgress(progress: Progress, event: StoredEvent): Progress {
  return { ...afterEvent(progress, event), lastAt: event.at };
}

function afterEvent(progress: Progress, event: StoredEvent): Progress {
  switch (event.type) {
    case "step.started":
      return withStep(progress, event.stepId, (step) => begun(step, event.conversation, event.at));
    case "step.interrupted":
    case "step.finished":
      return withStep(progress, event.stepId, (step) => rested(step, event.at));
    case "run.ended":
      return allRested(progress, event.at);
    case "run.resumed":
      // The owner died with steps under way: they ended with its last event.
      return { ...allRested(progress, progress.lastAt), subjects: {} };
    case "call.reserved":
      return withStep(progress, event.stepId, (step) => ({ ...step, models: added(step.models, event.model) }));
    case "call.settled":
      return withStep(progress, event.stepId, (step) => charged(step, event.costNanos, event.usage));
    case "call.lost":
      return withStep(progress, event.stepId, (step) => charged(step, event.heldNanos, NO_USAGE));
    case "tool.started":
      return { ...progress, subjects: { ...progress.subjects, [toolKey(event)]: event.subject } };
    case "tool.finished":
      return { ...progress, subjects: without(progress.subjects, toolKey(event)) };
    default:
      return progress;
  }
}

function begun(step: StepProgress, conversation: number, at: number): StepProgress {
  if (step.conversation === conversation) return { ...step, runningSince: at };
  return { ...step, conversation, runningSince: at, tryMs: 0, usage: NO_USAGE, costNanos: 0 };
}

function rested(step: StepProgress, at: number): StepProgress {
  const passed = stretch(step, at);
  return { ...step, runningSince: null, tryMs: step.tryMs + passed, totalMs: step.totalMs + passed };
}

function allRested(progress: Progress, at: number): Progress {
  const steps = Object.entries(progress.steps).map(([id, step]) => [id, rested(step, at)] as const);
  return { ...progress, steps: Object.fromEntries(steps) };
}

function charged(step: StepProgress, costNanos: number, usage: Usage): StepProgress {
  return { ...step, costNanos: step.costNanos + costNanos, usage: addUsage(step.usage, usage) };
}

function stretch(step: StepProgress, now: number): number {
  return step.runningSince === null ? 0 : Math.max(0, now - step.runningSince);
}

function added(models: readonly string[], model: string): readonly string[] {
  return models.includes(model) ? models : [...models, model];
}

function withStep(progress: Progress, stepId: string, change: (step: StepProgress) => StepProgress): Progress {
  return { ...progress, steps: { ...progress.steps, [stepId]: change(stepProgress(progress, stepId)) } };
}
