import type { StepOutcome } from "../core/event.ts";
import { stepState } from "../core/run.ts";
import { inputVariable, outputVariable } from "../core/variables.ts";
import type { Context } from "./context.ts";

/**
 * What a command of the pipeline sees beside the allow-listed environment: inputs as values, outputs of steps as
 * files (data never becomes shell text), and the variables that its step names.
 */
export function commandEnvironment(context: Context, names: readonly string[]): Readonly<Record<string, string>> {
  const inputs = Object.entries(context.log.run.created?.inputs ?? {}).map(
    ([name, value]) => [inputVariable(name), String(value)] as const,
  );
  const outputs = context.pipeline.steps.flatMap((step) => {
    const { outcome } = stepState(context.log.run, step.id);
    if (outcome?.status !== "succeeded") return [];
    return [[outputVariable(step.id), outputFile(context, step.id, outcome)] as const];
  });
  const named = names.flatMap((name) => {
    const value = context.deps.variables[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries([...inputs, ...outputs, ...named]);
}

/** Name of the file in the run's folder that holds a step's output as later commands are given it. */
function outputName(stepId: string): string {
  return `steps/${stepId}.output`;
}

/** Written when it is asked for: a crash may have come before the folder was. */
function outputFile(context: Context, stepId: string, outcome: Extract<StepOutcome, { status: "succeeded" }>): string {
  const { results } = context.deps;
  const bytes = new TextEncoder().encode(context.log.readText(outcome.output));
  results.write(context.log.rid, outputName(stepId), bytes);
  return `${results.pathOf(context.log.rid)}/${outputName(stepId)}`;
}
