import type { Budget } from "../core/budget.ts";
import { type Diagnostic, formatDiagnostic } from "../core/diagnostic.ts";
import { CcpError, EXIT } from "../core/errors.ts";
import type { InputValue, Pipeline, RoleName } from "../core/pipeline.ts";
import type { Wiring } from "../wire/wire.ts";
import { keyNames } from "./key-names.ts";
import { budgetFrom, inputsFrom, modelsFrom, type PipelineFlags } from "./pipeline-flags.ts";

/** A pipeline that can be run, and what it is to be run with. */
export interface LoadedPipeline {
  readonly pipeline: Pipeline;
  readonly inputs: Readonly<Record<string, InputValue>>;
  readonly path: string;
  /** Worth a word, and no reason not to run. */
  readonly warnings: readonly Diagnostic[];
}

/** Loads a pipeline that is about to run: everything that is wrong is thrown at once, before anything was started. */
export async function loadForRun(flags: PipelineFlags, wiring: Wiring): Promise<LoadedPipeline> {
  const loaded = await loadNamed(flags.pipeline ?? null, wiring, {
    inputs: inputsFrom(flags),
    models: modelsFrom(flags, wiring.config.cwd),
    budget: budgetFrom(flags),
  });
  if (!loaded.ok) throw invalid(loaded.diagnostics);
  if (loaded.missingModels.length > 0) throw noModel(loaded.missingModels, await keyNames(wiring));
  return loaded;
}

/** Finds and loads a pipeline against this repository, its project and the models that are known here. */
export async function loadNamed(
  name: string | null,
  wiring: Wiring,
  given: {
    /** Null: inputs are not asked for. */
    readonly inputs: Readonly<Record<string, string>> | null;
    readonly models: Readonly<Partial<Record<RoleName, readonly string[]>>>;
    readonly budget: Budget;
    /** Routes for roles of which nothing else names one; by default those that the keys here allow. */
    readonly defaultModels?: Readonly<Record<string, readonly string[]>>;
  },
) {
  const [library, repository, lanes] = [await wiring.library(), await wiring.repository(), await wiring.lanes()];
  return library.load(name, {
    ...given,
    providers: lanes.map((lane) => lane.id),
    defaultModels: given.defaultModels ?? (await wiring.defaultRoutes()),
    strongerModels: await wiring.strongerModels(),
    project: await repository.project(),
  });
}

/** The refusal of a pipeline, with everything that is wrong in it. */
export function invalid(diagnostics: readonly Diagnostic[]): CcpError {
  const lines = diagnostics.map(formatDiagnostic).join("\n");
  return new CcpError("invalid_pipeline", EXIT.usage, `the pipeline cannot be run\n${lines}`, {
    hint: "nothing was started; check again: ccp validate",
  });
}

function noModel(roles: readonly RoleName[], keys: string): CcpError {
  return new CcpError(
    "no_model",
    EXIT.credentials,
    `there is no model for ${roles.join(", ")}: no provider has a key here`,
    {
      hint: `set ${keys}, or name a model: --model doer=ollama/qwen2.5-coder. Nothing was started. Without a key: ccp demo`,
    },
  );
}
