import { refusalsOf } from "../core/candidates.ts";
import { resolveModelName } from "../core/model-choice.ts";
import { policyDenied } from "../core/policy-words.ts";
import type { Wiring } from "../wire/wire.ts";

/** The models that a person means, in order. Throws for one that nobody knows here, that may be several, or that a policy refuses. */
export async function chosenModels(names: readonly string[], wiring: Wiring): Promise<readonly string[]> {
  const [lanes, known] = [await wiring.lanes(), await wiring.modelList()];
  const providers = lanes.map(({ id }) => id);
  const models = names.map((name) =>
    resolveModelName(
      name,
      providers,
      known.map((model) => model.name),
    ),
  );
  const policy = (await wiring.policies(null)).now();
  const [refusal] = refusalsOf(models, policy);
  if (refusal !== undefined) throw policyDenied(`${refusal}; nothing was changed`, policy);
  return models;
}
