import type { StepOutcome } from "../core/event.ts";
import { stepState } from "../core/run.ts";
import { inputVariable, outputVariable } from "../core/variables.ts";
import type { Context } from "./context.ts";

/**
 * What a command of the pipeline sees beside the allow-listed environment: inputs as values, outputs of steps as
 * files (data never becomes shell text), and the variables that its step names.
 */
export function commandEnvironment(context: Context, names: readonly string[]): Readonly<Record<string, string>> {
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(context.log.run.created?.inputs ?? {})) {
    environment[inputVariable(name)] = String(value);
  }
  for (const { id } of context.pipeline.steps) {
    const { outcome } = stepState(context.log.run, id);
    if (outcome?.status !== "succeeded") continue;
    const { variable, path } = outputFile(context, id, outcome);
    environment[variable] = path;
  }
  for (const name of names) {
    const value = context.deps.variables[name];
    if (value !== undefined) environment[name] = value;
  }
  return environment;
}

/** Written once a drive: a crash may have come before the folder was. */
function outputFile(
  { log, deps, outputFiles }: Context,
  stepId: string,
  { output }: Extract<StepOutcome, { status: "succeeded" }>,
) {
  const known = outputFiles.get(stepId);
  if (known?.sha256 === output.sha256) return known;
  const name = `steps/${stepId}.output`;
  deps.results.write(log.rid, name, log.read(output));
  const path = `${deps.results.pathOf(log.rid)}/${name}`;
  const written = { sha256: output.sha256, variable: outputVariable(stepId), path };
  outputFiles.set(stepId, written);
  return written;
}
