import type { Run } from "../core/run.ts";
import type { Plan, Wiring } from "../wire/wire.ts";
import { invalid, loadNamed } from "./load-pipeline.ts";
import { modelsFrom, type PipelineFlags } from "./pipeline-flags.ts";

/**
 * The plan that a run is to go on with: the named pipeline with the run's own inputs, as far as it still has them. A role
 * whose models neither a flag nor the file names keeps those that it had. Null: no pipeline is named.
 */
export async function editedPipeline(
  run: Run,
  flags: Pick<PipelineFlags, "pipeline" | "model" | "transcript">,
  wiring: Wiring,
): Promise<Plan | null> {
  const { pipeline: name } = flags;
  if (name === undefined) return null;
  const pinned = (await wiring.engine({})).pinnedPipeline(run.rid);
  const load = async (inputs: Readonly<Record<string, string>> | null) => {
    const loaded = await loadNamed(name, wiring, {
      inputs,
      models: modelsFrom(flags, wiring.config.cwd),
      budget: {},
      defaultModels: Object.fromEntries(Object.values(pinned.roles).map((role) => [role.name, role.models])),
    });
    if (!loaded.ok) throw invalid(loaded.diagnostics);
    return loaded;
  };
  const declared = (await load(null)).pipeline.inputs;
  const own = Object.entries(run.created?.inputs ?? {}).filter(([input]) => Object.hasOwn(declared, input));
  return load(Object.fromEntries(own.map(([input, value]) => [input, String(value)])));
}
