import type { Diagnostic } from "../core/diagnostic.ts";
import { isReadOnly, ROLE_NAMES } from "../core/pipeline.ts";
import { budgetOf } from "./budgets.ts";
import { type Draft, isFaulty, type Rule } from "./draft.ts";
import { permissionWarnings } from "./permission-warnings.ts";
import { cyclesOf, planSteps, upstreamOf } from "./plan-steps.ts";
import { problem } from "./source.ts";
import { pathOf } from "./step-rules.ts";

/** What is allowed and perhaps not what was meant. */
export function warningsOf(draft: Draft): readonly Diagnostic[] {
  return [unusedRoles, pointlessChecks, unreviewed, permissionWarnings, noCeiling].flatMap((rule) => rule(draft));
}

const unusedRoles: Rule = (draft) =>
  ROLE_NAMES.filter((role) => draft.raw.roles?.[role] && !isFaulty(draft, ["pipeline"]))
    .filter((role) => !planSteps(draft).some((step) => step.raw.role === role))
    .map((role) => problem(draft.source.at(["roles", role], "key"), `no step has the role "${role}"`));

const pointlessChecks: Rule = (draft) =>
  planSteps(draft)
    .filter(({ raw }) => raw.until && raw.role && isReadOnly(raw.role))
    .map((step) => {
      const message = `a ${step.raw.role} changes nothing, so a check that is red stays red`;
      return problem(draft.source.at(pathOf(step, "until"), "key"), message, `"until" is meant for a doer`);
    });

/** An approval is of the tree that the reviewer was shown: what changes it afterwards makes the reviewer look again. */
const unreviewed: Rule = (draft) => {
  const steps = planSteps(draft);
  const reviewed = steps.filter(({ raw }) => raw.role === "reviewer").map(({ id }) => upstreamOf(steps, id));
  if (reviewed.length === 0 || cyclesOf(steps).length > 0) return [];
  return steps
    .filter(({ raw }) => (raw.role ? !isReadOnly(raw.role) : raw.changes === "keep"))
    .filter(({ id }) => !reviewed.some((before) => before.has(id)))
    .map((step) => {
      const message = `no reviewer comes after "${step.id}": if it changes anything, the review is done a second time`;
      return problem(draft.source.at(pathOf(step)), message, "put it before the reviewer");
    });
};

const noCeiling: Rule = (draft) => {
  const { maxCostNanos, maxTokens } = budgetOf(draft.raw.budget);
  if (maxCostNanos !== undefined || maxTokens !== undefined) return [];
  return [problem(draft.source.at(["budget"], "key"), "nothing limits what a run may cost")];
};
