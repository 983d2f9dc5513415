import { escalationOf, routeOnRung } from "../core/escalation.ts";
import type { Escalation, Pipeline, Step } from "../core/pipeline.ts";
import { type Run, stepState } from "../core/run.ts";

/** What a screen knows of a step before it begins. */
export interface StepLabel {
  readonly id: string;
  /** Null: a command. */
  readonly role: string | null;
  /** The role's route, `provider/model`; empty for a command. */
  readonly models: readonly string[];
  /** What is done where it is stuck; missing: it is tried again. */
  readonly escalation?: Escalation;
}

/** The steps of a pipeline as a screen wants them, in order. */
export function stepLabels(pipeline: Pipeline): readonly StepLabel[] {
  return pipeline.steps.map((step) => ({
    id: step.id,
    role: step.kind === "agent" ? step.role : null,
    models: step.kind === "agent" ? (pipeline.roles[step.role]?.models ?? []) : [],
    ...escalationPart(pipeline, step),
  }));
}

function escalationPart(pipeline: Pipeline, step: Step): Pick<StepLabel, "escalation"> {
  const escalation = escalationOf(pipeline, step);
  return escalation ? { escalation } : {};
}

/** `build · doer`. */
export function stepTitle(steps: readonly StepLabel[], stepId: string): string {
  const label = steps.find((step) => step.id === stepId);
  return label ? `${label.id} · ${label.role ?? "command"}` : stepId;
}

/** The models a step will ask, routes that were changed since the start and stronger models counted. */
export function routeOf(steps: readonly StepLabel[], run: Run, stepId: string): readonly string[] {
  const label = steps.find((step) => step.id === stepId);
  if (!label?.role) return [];
  const { rung, role } = stepState(run, stepId).escalation;
  return routeOnRung(label, run.routes[label.role], role === label.role ? rung : 0);
}

/** True for the provider that reads its answers from a file: wherever it runs it is called what it is. */
export function isScripted(model: string): boolean {
  return model.startsWith("scripted/");
}

/** A model as people are shown it: a transcript by its file's name, for its path says nothing more. */
export function modelName(model: string): string {
  return isScripted(model) ? `scripted (${model.slice(model.lastIndexOf("/") + 1)})` : model;
}
