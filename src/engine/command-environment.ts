import type { Pipeline } from "../core/pipeline.ts";
import { type StepState, UNTRIED } from "../core/step-state.ts";
import { StepWatch } from "../core/step-watch.ts";
import { inputVariable, outputVariable } from "../core/variables.ts";
import type { EngineDeps } from "./deps.ts";
import type { RunLog } from "./run-log.ts";

/** What it is made from. */
interface Parts {
  readonly log: RunLog;
  readonly pipeline: Pipeline;
  readonly deps: Pick<EngineDeps, "results" | "variables">;
}

/**
 * What commands of the pipeline see beside the allow-listed environment: inputs as values, outputs of steps as files
 * (data never becomes shell text), and the variables that their step names. One for each drive: it grows with the run,
 * and the files are written once a drive, for a crash may have come before the folder was.
 */
export class CommandEnvironment {
  readonly #parts: Parts;
  readonly #stepIds: readonly string[];
  readonly #watch: StepWatch;
  #shared: Record<string, string> = {};

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#stepIds = parts.pipeline.steps.map(({ id }) => id);
    this.#watch = new StepWatch(this.#stepIds);
    for (const [name, value] of Object.entries(parts.log.run.created?.inputs ?? {})) {
      this.#shared[inputVariable(name)] = String(value);
    }
  }

  /** For a command whose intent is on record, as the run stands. Contract: it is not changed while that command is open. */
  of(names: readonly string[]): Readonly<Record<string, string>> {
    this.#bringUpToDate();
    if (names.length === 0) return this.#shared;
    const named = names.flatMap((name) => {
      const value = this.#parts.deps.variables[name];
      return value === undefined ? [] : [[name, value] as const];
    });
    return { ...this.#shared, ...Object.fromEntries(named) };
  }

  #bringUpToDate(): void {
    const { steps, openCommands } = this.#parts.log.run;
    // To copy it for each command costs more than all else of a run of a thousand steps.
    if (Object.keys(openCommands).length > 1) this.#shared = { ...this.#shared };
    for (const place of this.#watch.look(steps)) {
      this.#setOutput(this.#stepIds[place] ?? "", this.#watch.states[place] ?? UNTRIED);
    }
  }

  #setOutput(stepId: string, { outcome }: StepState): void {
    const variable = outputVariable(stepId);
    if (outcome?.status !== "succeeded") {
      delete this.#shared[variable];
      return;
    }
    const { log, deps } = this.#parts;
    const name = `steps/${stepId}.output`;
    deps.results.write(log.rid, name, log.read(outcome.output));
    this.#shared[variable] = `${deps.results.pathOf(log.rid)}/${name}`;
  }
}
