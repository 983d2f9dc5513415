import { formatUsd } from "../core/money.ts";
import { type ReusePlan, type StepPlan, savedNanos } from "../core/reuse.ts";
import { quoted } from "./line.ts";
import { renderTable } from "./table.ts";

const DECISIONS: Readonly<Record<StepPlan["decision"], string>> = {
  reuse: "reuse",
  "go-on": "go on",
  "re-run": "re-run",
  run: "run",
};

/**
 * What becomes of each step of a run, why, and what it saves: `ccp resume --plan`. `width`: columns of the terminal;
 * missing: as wide as it needs. The last line has the sum, and the tree that what is to be done starts from.
 */
export function renderReusePlan(plan: ReusePlan, { width }: { readonly width?: number | undefined } = {}): string {
  const rows = plan.steps.map((step) => [step.stepId, DECISIONS[step.decision], step.why, moneyText(step)]);
  const columns = [
    { header: "step", shrink: true },
    { header: "decision" },
    { header: "why", shrink: true },
    { header: "saved or spent", align: "right" },
  ] as const;
  return `${renderTable(rows, { columns, width })}\n\n${totalText(plan)}\n`;
}

function moneyText({ decision, costNanos }: StepPlan): string {
  if (costNanos === 0) return "";
  return `${formatUsd(costNanos)} ${decision === "reuse" ? "saved" : "spent"}`;
}

function totalText(plan: ReusePlan): string {
  const reused = plan.steps.filter(({ decision }) => decision === "reuse").length;
  const files =
    plan.tree === null ? "the files stay as they are" : `it starts from tree ${quoted(plan.tree.slice(0, 12))}`;
  return `${reused} of ${plan.steps.length} steps reused, ${formatUsd(savedNanos(plan))} saved; ${files}`;
}
