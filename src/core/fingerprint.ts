import type { Json } from "./json.ts";
import type { Pipeline, Step } from "./pipeline.ts";
import { type Run, stepState } from "./run.ts";
import { referencesOf } from "./template.ts";

/** What a step is given, in the parts that a `Fingerprint` has the hashes of. */
export interface StepGivens {
  readonly own: Json;
  readonly inputs: Json;
  readonly upstream: Json;
}

/** All that decides what a step does, but for the files that it finds. The same givens make a result worth reusing. */
export function givensOf(pipeline: Pipeline, step: Step, run: Run): StepGivens {
  const references = namesIn(pipeline, step);
  return {
    own: ownPart(pipeline, step),
    inputs: { task: run.created?.task.sha256 ?? null, values: inputValues(step, references, run) },
    upstream: Object.fromEntries(
      upstreamOf(pipeline, step, references).map((id) => [id, handedOver(run, id)] as const),
    ),
  };
}

/** What a step costs, how long it may take and what is done where it is stuck decides nothing about its result. */
function ownPart(pipeline: Pipeline, step: Step): Json {
  const until = step.kind === "agent" && step.until ? { command: step.until.command } : null;
  const definition = { ...step, until, attempts: undefined, timeoutMs: undefined, onFailure: undefined };
  const role = step.kind === "agent" ? pipeline.roles[step.role] : undefined;
  return asJson({ definition, role: role && { ...role, ...UNDECISIVE } });
}

const UNDECISIVE = { budget: undefined, maxTurns: undefined, namedByPerson: undefined, escalation: undefined } as const;

/** An agent sees the inputs that its prompts name; a command finds all of them in its environment. */
function inputValues(step: Step, references: readonly string[], run: Run): Json {
  const inputs = run.created?.inputs ?? {};
  const named = references.filter((name) => name.startsWith("inputs.")).map((name) => name.slice("inputs.".length));
  const command = step.kind === "shell" ? step.command : step.until?.command;
  if (command?.kind === "input") named.push(command.name);
  const names = step.kind === "shell" ? Object.keys(inputs) : named;
  return Object.fromEntries(names.toSorted().map((name) => [name, inputs[name] ?? null] as const));
}

/** Steps whose word reaches this one: those that its prompts name, the planners' plans, and what a command reads from files. */
function upstreamOf(pipeline: Pipeline, step: Step, references: readonly string[]): readonly string[] {
  if (step.kind === "shell") {
    const text = step.command.kind === "text" ? step.command.text : "";
    return text.includes("CCP_STEP_") ? step.needs : [];
  }
  const named = references.filter((name) => name.startsWith("steps.")).map((name) => name.split(".")[1] ?? "");
  const planners = pipeline.steps.filter((other) => other.kind === "agent" && other.role === "planner");
  const plans = step.role === "planner" ? [] : planners.map(({ id }) => id);
  return [...new Set([...named, ...plans])].toSorted();
}

function handedOver(run: Run, stepId: string): Json {
  const { outcome } = stepState(run, stepId);
  if (outcome?.status !== "succeeded") return null;
  return [outcome.output.sha256, outcome.finish?.sha256 ?? null];
}

function namesIn(pipeline: Pipeline, step: Step): readonly string[] {
  if (step.kind === "shell") return [];
  const templates = [pipeline.roles[step.role]?.prompt ?? "", step.prompt ?? ""];
  return templates.flatMap((template) => referencesOf(template).map(({ name }) => name));
}

/** Plain data as JSON has it: what is undefined is left out. */
function asJson(value: object): Json {
  return JSON.parse(JSON.stringify(value)) as Json;
}
