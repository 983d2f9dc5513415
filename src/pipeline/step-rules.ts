import type { Diagnostic } from "../core/diagnostic.ts";
import { didYouMean } from "../core/suggest.ts";
import { type Draft, isFaulty, type Rule } from "./draft.ts";
import { cyclesOf, needsOf, type PlannedStep, planSteps, upstreamOf } from "./plan-steps.ts";
import { problem } from "./source.ts";

const ROLE_ONLY = ["prompt", "until", "on_ask"] as const;
const RUN_ONLY = ["changes", "check"] as const;

/** A step is an agent's or a command's, and has the keys of its kind. */
export const checkKinds: Rule = (draft) =>
  planSteps(draft).flatMap((step) => {
    const { role, run } = step.raw;
    if (role !== undefined && run !== undefined) {
      const hint = "make two steps of it";
      return [
        problem(draft.source.at(pathOf(step, "run"), "key"), 'a step has either "role" or "run", not both', hint),
      ];
    }
    if (role !== undefined) return [...foreignKeys(draft, step, RUN_ONLY, "run"), ...uselessEnv(draft, step)];
    if (run !== undefined) return foreignKeys(draft, step, ROLE_ONLY, "role");
    if (isFaulty(draft, pathOf(step))) return [];
    return [problem(draft.source.at(pathOf(step)), 'this step has neither "role" nor "run"')];
  });

function foreignKeys(draft: Draft, step: PlannedStep, keys: readonly (keyof typeof step.raw)[], owner: string) {
  return keys
    .filter((key) => step.raw[key] !== undefined)
    .map((key) =>
      problem(
        draft.source.at(pathOf(step, key), "key"),
        `"${key}" belongs to a step with "${owner}"`,
        key === "until" ? 'a command is tried again with "attempts", an agent with "on_failure"' : null,
      ),
    );
}

function uselessEnv(draft: Draft, step: PlannedStep): readonly Diagnostic[] {
  if ((step.raw.env ?? []).length === 0 || step.raw.until || isFaulty(draft, pathOf(step, "until"))) return [];
  const hint = 'give it to the "run" step or the "until" check that needs it';
  return [problem(draft.source.at(pathOf(step, "env"), "key"), '"env" never reaches an agent, only commands', hint)];
}

/** Every id is there once. */
export const checkIds: Rule = (draft) => {
  const steps = planSteps(draft);
  return steps.flatMap((step) => {
    const other = steps.find((candidate) => candidate.index < step.index && candidate.id === step.id);
    if (!other) return [];
    // The one without a name gives way: it is the one that can be named without breaking a reference.
    const culprit = step.hasDefaultId || !other.hasDefaultId ? step : other;
    const line = draft.source.at(pathOf(culprit === step ? other : step)).line;
    return culprit.hasDefaultId
      ? [
          problem(
            draft.source.at(pathOf(culprit)),
            `the id "${step.id}" that this step gets is that of the step on line ${line}`,
            'give it an "id"',
          ),
        ]
      : [problem(draft.source.at(pathOf(culprit, "id")), `the id "${step.id}" is taken by the step on line ${line}`)];
  });
};

/** What a step needs is there, and is not itself. */
export const checkNeeds: Rule = (draft) => {
  const steps = planSteps(draft);
  return steps.flatMap((step) =>
    needsOf(step.raw).flatMap((need, position) => {
      const path = typeof step.raw.needs === "string" ? pathOf(step, "needs") : [...pathOf(step, "needs"), position];
      if (need === step.id) return [problem(draft.source.at(path), `step "${step.id}" needs itself`)];
      if (steps.some((other) => other.id === need) || areIdsInDoubt(draft)) return [];
      return [
        problem(
          draft.source.at(path),
          `step "${step.id}" needs "${need}", which does not exist`,
          meant(need, steps, step),
        ),
      ];
    }),
  );
};

/** No step waits for itself by way of others. */
export const checkCycles: Rule = (draft) =>
  cyclesOf(planSteps(draft)).flatMap((cycle) => {
    const [first] = cycle;
    if (!first) return [];
    const speaker = cycle.find((step) => !step.hasDefaultNeeds) ?? first;
    const names = [...cycle, first].map((step) => `"${step.id}"`).join(" needs ");
    const silent = cycle.find((step) => step.hasDefaultNeeds);
    const hint = silent ? `"${silent.id}" has no "needs" and so waits for the step before it` : null;
    return [problem(draft.source.at(pathOf(speaker, "needs"), "key"), `steps wait for each other: ${names}`, hint)];
  });

/** A way back leads to a step that comes before, or to the step itself. */
export const checkWaysBack: Rule = (draft) => {
  const steps = planSteps(draft);
  return steps.flatMap((step) => {
    const to = step.raw.on_failure?.back_to;
    if (to === undefined || to === step.id || cyclesOf(steps).length > 0) return [];
    const place = draft.source.at([...pathOf(step, "on_failure"), "back_to"]);
    if (!steps.some((other) => other.id === to)) {
      if (areIdsInDoubt(draft)) return [];
      return [problem(place, `step "${step.id}" goes back to "${to}", which does not exist`, meant(to, steps, step))];
    }
    if (upstreamOf(steps, step.id).has(to)) return [];
    const hint = `name a step that "${step.id}" needs, directly or through others`;
    return [problem(place, `step "${step.id}" cannot go back to "${to}", which does not come before it`, hint)];
  });
};

/** True when a step may have been meant to have an id that it now has not: then "does not exist" may be no news. */
export function areIdsInDoubt(draft: Draft): boolean {
  return draft.faults.some(
    ({ path }) =>
      path[0] === "pipeline" && (path.length <= 2 || (path.length === 3 && !DOUBTLESS.includes(String(path[2])))),
  );
}

/** Keys whose faults leave no doubt about ids. */
const DOUBTLESS = [
  "needs",
  "prompt",
  "artifact",
  "timeout",
  "attempts",
  "changes",
  "check",
  "env",
  "until",
  "on_failure",
];

function meant(name: string, steps: readonly PlannedStep[], self: PlannedStep): string | null {
  const others = steps.filter((step) => step !== self).map((step) => step.id);
  const near = didYouMean(name, others);
  if (near) return `did you mean "${near}"?`;
  return others.length > 0 ? `steps here: ${others.join(", ")}` : null;
}

/** The path of a step, or of a key of it. */
export function pathOf(step: PlannedStep, ...keys: readonly string[]): readonly (string | number)[] {
  return ["pipeline", step.index, ...keys];
}
