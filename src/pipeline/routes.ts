import type { Diagnostic } from "../core/diagnostic.ts";
import { parseModelRef } from "../core/model.ts";
import { ROLE_NAMES, type RoleName } from "../core/pipeline.ts";
import { didYouMean } from "../core/suggest.ts";
import type { LoadContext } from "./context.ts";
import type { Draft } from "./draft.ts";
import { type Path, type Place, problem } from "./source.ts";

/** A role's route, and where it comes from: a flag, the file, or the keys that are there. Empty: nothing names a model. */
export function routeOf(draft: Draft, role: RoleName, context: LoadContext): readonly string[] {
  const own = draft.raw.roles?.[role]?.models;
  const named = typeof own === "string" ? [own] : own;
  return context.models?.[role] ?? named ?? context.defaultModels[role] ?? [];
}

/** Every model that a file or a flag names belongs to a provider that is known. */
export function checkRoutes(draft: Draft, context: LoadContext): readonly Diagnostic[] {
  const inFile = ROLE_NAMES.flatMap((role) => {
    const raw = draft.raw.roles?.[role];
    const wrong = (models: string | readonly string[] | undefined, path: Path) =>
      typeof models === "string"
        ? wrongModel(models, draft.source.at(path), context)
        : (models ?? []).flatMap((model, index) => wrongModel(model, draft.source.at([...path, index]), context));
    const stronger = typeof raw?.escalation === "object" ? raw.escalation.models : undefined;
    return [
      ...wrong(raw?.models, ["roles", role, "models"]),
      ...wrong(stronger, ["roles", role, "escalation", "models"]),
    ];
  });
  const byFlag = Object.entries(context.models ?? {}).flatMap(([role, models]) => {
    const place = flag(role);
    if (ROLE_NAMES.some((name) => name === role)) return models.flatMap((model) => wrongModel(model, place, context));
    const near = didYouMean(role, ROLE_NAMES);
    return [
      problem(place, `unknown role "${role}"`, near ? `did you mean "${near}"?` : `known: ${ROLE_NAMES.join(", ")}`),
    ];
  });
  return [...inFile, ...byFlag];
}

function wrongModel(model: string, place: Place, { providers }: LoadContext): readonly Diagnostic[] {
  const ref = parseModelRef(model);
  if (ref === null) {
    return [
      problem(place, `"${model}" is no model: write "provider/model"`, `providers here: ${providers.join(", ")}`),
    ];
  }
  if (providers.includes(ref.provider)) return [];
  const near = didYouMean(ref.provider, providers);
  const hint = near ? `did you mean "${near}"?` : `known: ${providers.join(", ")}; others go into providers.yaml`;
  return [problem(place, `unknown provider "${ref.provider}"`, hint)];
}

function flag(role: string): Place {
  return { file: `--model ${role}`, line: null, column: null };
}
