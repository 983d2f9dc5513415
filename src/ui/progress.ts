import type { EventOf, StoredEvent } from "../core/event.ts";
import { toolKey } from "../core/run.ts";
import { stepEntries } from "../core/step-table.ts";
import { NO_USAGE } from "../core/usage.ts";
import { without } from "../core/without.ts";
import { type Past, runBefore } from "./past.ts";
import { asking, begun, charged, rested, type StepProgress, UNTRIED } from "./step-progress.ts";

/** A small fold beside `Run`, for what only people want to know. */
export interface Progress {
  readonly steps: Readonly<Record<string, StepProgress>>;
  /** Subjects of the tool calls under way, by `toolKey`. */
  readonly subjects: Readonly<Record<string, string>>;
  /** Tokens that the calls under way were asked for at most, by call id. */
  readonly askedTokens: Readonly<Record<string, number>>;
  /** The step that the run was rewound to, until the files are; else null. */
  readonly rewoundTo: string | null;
  readonly lastAt: number;
}

/** Before the first event. */
export const NO_PROGRESS: Progress = { steps: {}, subjects: {}, askedTokens: {}, rewoundTo: null, lastAt: 0 };

/** The progress that a whole log tells of. */
export function foldProgress(events: readonly StoredEvent[]): Progress {
  return events.reduce(applyProgress, NO_PROGRESS);
}

/** The progress at the end of a past of which only the last events may be known. */
export function progressOf(past: Past): Progress {
  const begunBefore = stepEntries(runBefore(past).steps).filter(([, step]) => step.startedAt !== null);
  const steps = begunBefore.map(([id, { conversation }]) => {
    return [id, { ...UNTRIED, conversation, isTryWhole: false, isTotalWhole: false }] as const;
  });
  return past.events.reduce(applyProgress, { ...NO_PROGRESS, steps: Object.fromEntries(steps) });
}

/** How a step has got on; untried until its first event. */
export function stepProgress(progress: Progress, stepId: string): StepProgress {
  return progress.steps[stepId] ?? UNTRIED;
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
    case "run.rewound":
      return { ...progress, rewoundTo: event.to };
    case "workspace.restored":
      return { ...progress, rewoundTo: null };
    case "call.reserved":
      return withStep(reserved(progress, event), event.stepId, (step) => asking(step, event.model));
    case "call.settled":
      return withStep(ended(progress, event), event.stepId, (step) => charged(step, event.costNanos, event.usage));
    case "call.lost":
      return withStep(ended(progress, event), event.stepId, (step) => charged(step, event.heldNanos, NO_USAGE));
    case "tool.started":
      return { ...progress, subjects: { ...progress.subjects, [toolKey(event)]: event.subject } };
    case "tool.interrupted":
    case "tool.finished":
      return { ...progress, subjects: without(progress.subjects, toolKey(event)) };
    default:
      return progress;
  }
}

function allRested(progress: Progress, at: number): Progress {
  const steps = Object.entries(progress.steps).map(([id, step]) => [id, rested(step, at)] as const);
  return { ...progress, steps: Object.fromEntries(steps) };
}

function reserved(progress: Progress, call: EventOf<"call.reserved">): Progress {
  return { ...progress, askedTokens: { ...progress.askedTokens, [call.callId]: call.maxTokens } };
}

function ended(progress: Progress, call: { readonly callId: string }): Progress {
  return { ...progress, askedTokens: without(progress.askedTokens, call.callId) };
}

function withStep(progress: Progress, stepId: string, change: (step: StepProgress) => StepProgress): Progress {
  return { ...progress, steps: { ...progress.steps, [stepId]: change(stepProgress(progress, stepId)) } };
}
