import type { Diagnostic } from "../core/diagnostic.ts";
import { type Escalation, ROLE_NAMES, type RoleName } from "../core/pipeline.ts";
import type { LoadContext } from "./context.ts";
import { type Draft, type Rule, stepsOf } from "./draft.ts";
import { DEFAULT_ESCALATION } from "./escalation-defaults.ts";
import { routeOf } from "./routes.ts";
import type { RawRole } from "./schema.ts";
import { problem } from "./source.ts";

/** What a role does where its work is stuck, defaults filled in; nothing where its file wants none of it. */
export function escalationOf(draft: Draft, role: RoleName, context: LoadContext): { readonly escalation?: Escalation } {
  const raw = rawOf(draft.raw.roles?.[role]);
  if (raw === "none") return {};
  const own = modelsIn(raw);
  return {
    escalation: {
      models: own ?? defaultModels(draft, role, context),
      isDefault: own === undefined,
      limit: raw.limit ?? DEFAULT_ESCALATION.limit,
      diagnose: raw.diagnose ?? (role !== "reviewer" && hasReviewer(draft)),
      confidence: raw.confidence ?? DEFAULT_ESCALATION.confidence,
      uncertainty: raw.uncertainty ?? DEFAULT_ESCALATION.uncertainty,
    },
  };
}

/** What is said of a role's escalation has to be of use to that role. */
export const checkEscalation: Rule = (draft) =>
  ROLE_NAMES.flatMap((role): readonly Diagnostic[] => {
    const raw = rawOf(draft.raw.roles?.[role]);
    if (raw === "none") return [];
    const at = (...rest: readonly (string | number)[]) => draft.source.at(["roles", role, "escalation", ...rest]);
    const route = namedRoute(draft.raw.roles?.[role]);
    const models = (modelsIn(raw) ?? []).flatMap((model, index) => {
      if (!route.includes(model)) return [];
      const place = Array.isArray(raw.models) ? at("models", index) : at("models");
      return [
        problem(
          place,
          `"${model}" is in the role's own "models": it is no step up`,
          "name a stronger one, or take it out",
        ),
      ];
    });
    const wrong = (key: "confidence" | "uncertainty", owner: RoleName) =>
      raw[key] === undefined || role === owner
        ? []
        : [problem(at(key), `a ${role} does not finish with "${key}"`, `it is the ${owner}'s`)];
    return [...models, ...wrong("confidence", "doer"), ...wrong("uncertainty", "planner"), ...noDiagnosis()];

    function noDiagnosis(): readonly Diagnostic[] {
      if (raw === "none" || raw.diagnose !== true) return [];
      if (role === "reviewer")
        return [problem(at("diagnose"), "a reviewer cannot be asked why it is stuck itself", null)];
      const hint = "add a step with the role reviewer, or take it out";
      return hasReviewer(draft) ? [] : [problem(at("diagnose"), "no step has a reviewer that could be asked", hint)];
    }
  });

/** A person who names a model for a run wants that one, and nothing dearer that nobody has named. */
function defaultModels(draft: Draft, role: RoleName, context: LoadContext): readonly string[] {
  const [first] = routeOf(draft, role, context);
  if (first === undefined || context.models?.[role] !== undefined) return [];
  const stronger = context.strongerModels?.[first];
  return stronger === undefined ? [] : [stronger];
}

/** The models that a file names as stronger; undefined: it leaves them open. */
export function modelsIn(raw: Exclude<RawRole["escalation"], string | undefined>): readonly string[] | undefined {
  return typeof raw.models === "string" ? [raw.models] : raw.models;
}

function rawOf(role: RawRole | undefined): Exclude<RawRole["escalation"], undefined> {
  return role?.escalation ?? {};
}

function namedRoute(role: RawRole | undefined): readonly string[] {
  return typeof role?.models === "string" ? [role.models] : (role?.models ?? []);
}

function hasReviewer(draft: Draft): boolean {
  return stepsOf(draft).some(({ role }) => role === "reviewer");
}
