import { resolveModelName } from "../core/model-choice.ts";
import type { Wiring } from "../wire/wire.ts";

/** The models that a person means, in order. Throws for one that nobody knows here, or that may be several. */
export async function chosenModels(names: readonly string[], wiring: Wiring): Promise<readonly string[]> {
  const [lanes, known] = [await wiring.lanes(), await wiring.modelList()];
  const providers = lanes.map(({ id }) => id);
  return names.map((name) =>
    resolveModelName(
      name,
      providers,
      known.map((model) => model.name),
    ),
  );
}
