import type { Pipeline } from "../core/pipeline.ts";
import type { Run } from "../core/run.ts";

/** What a screen knows of a step before it begins. */
export interface StepLabel {
  readonly id: string;
  /** Null: a command. */
  readonly role: string | null;
  /** The role's route, `provider/model`; empty for a command. */
  readonly models: readonly string[];
}

/** The steps of a pipeline as a screen wants them, in order. */
export function stepLabels(pipeline: Pipeline): readonly StepLabel[] {
  return pipeline.steps.map((step) => ({
    id: step.id,
    role: step.kind === "agent" ? step.role : null,
    models: step.kind === "agent" ? (pipeline.roles[step.role]?.models ?? []) : [],
  }));
}

/** `build · doer`. */
export function stepTitle(steps: readonly StepLabel[], stepId: string): string {
  const label = steps.find((step) => step.id === stepId);
  return label ? `${label.id} · ${label.role ?? "command"}` : stepId;
}

/** The models a step will ask, routes that were changed since the start counted. */
export function routeOf(steps: readonly StepLabel[], run: Run, stepId: string): readonly string[] {
  const label = steps.find((step) => step.id === stepId);
  if (!label?.role) return [];
  return run.routes[label.role] ?? label.models;
}

/** True for the provider that reads its answers from a file: wherever it runs it is called what it is. */
export function isScripted(model: string): boolean {
  return model.startsWith("scripted/");
}

/** A model as people are shown it: a transcript by its file's name, for its path says nothing more. */
export function modelName(model: string): string {
  return isScripted(model) ? `scripted (${model.slice(model.lastIndexOf("/") + 1)})` : model;
}
