import { formatUsd } from "../core/money.ts";
import type { Pipeline } from "../core/pipeline.ts";
import { type Run, stepState } from "../core/run.ts";
import type { StepState } from "../core/step-state.ts";
import { formatDuration, formatTokens, inputOf } from "./format.ts";
import { type Progress, stepProgress } from "./progress.ts";
import { modelName, routeOf, type StepLabel, stepLabels } from "./step-label.ts";
import { totalElapsed } from "./step-progress.ts";
import { type Column, renderTable } from "./table.ts";

/** Below this many columns the table keeps only what fits: no roles, models and kinds of tokens. */
const WIDE_ENOUGH = 72;
const WIDE: readonly Column[] = [
  { header: "step", shrink: true },
  { header: "role" },
  { header: "status" },
  { header: "model", shrink: true },
  { header: "tries", align: "right" },
  { header: "time", align: "right" },
  { header: "in", align: "right" },
  { header: "cached", align: "right" },
  { header: "out", align: "right" },
  { header: "cost", align: "right" },
];
const NARROW = [0, 2, 5, 9];

/** What each step of a run took: a line a step. `width`: columns of the terminal; missing: as wide as it needs. */
export function stepTable(run: Run, pipeline: Pipeline, progress: Progress, width: number | undefined): string {
  const labels = stepLabels(pipeline);
  const rows = labels.map((label) => {
    const state = stepState(run, label.id);
    const models = modelsOf(label, labels, run, progress).map(modelName).join(", ");
    const tries = triesCells(label.id, run, progress);
    return [
      label.id,
      label.role ?? "command",
      statusText(state),
      models,
      ...tries,
      ...usageCells(run, label.id, state),
    ];
  });
  if (width === undefined || width >= WIDE_ENOUGH) return renderTable(rows, { columns: WIDE, width });
  const narrow = rows.map((row) => NARROW.map((index) => row[index] ?? ""));
  return renderTable(narrow, { columns: WIDE.filter((_, index) => NARROW.includes(index)), width });
}

/** Those that were asked; else the one that would be, unless the step asks nobody any more. */
function modelsOf({ id }: StepLabel, labels: readonly StepLabel[], run: Run, progress: Progress): readonly string[] {
  const asked = stepProgress(progress, id).models;
  if (asked.length > 0 || stepState(run, id).reusedFrom !== null) return asked;
  return routeOf(labels, run, id).slice(0, 1);
}

function triesCells(stepId: string, run: Run, progress: Progress): readonly string[] {
  const { conversation, reusedFrom } = stepState(run, stepId);
  if (conversation === 0 || reusedFrom !== null) return ["", ""];
  return [String(conversation), formatDuration(totalElapsed(stepProgress(progress, stepId), run.lastAt))];
}

function statusText(state: StepState): string {
  if (state.reusedFrom !== null && state.status === "succeeded") return "reused";
  return state.outcome?.status === "failed" && state.status === "failed" ? state.outcome.class : state.status;
}

function usageCells(run: Run, stepId: string, state: StepState): readonly string[] {
  if (state.calls === 0) return ["", "", "", ""];
  const { usage } = state;
  const cost = run.spend[`step:${stepId}`]?.settledNanos ?? 0;
  return [formatTokens(inputOf(usage)), formatTokens(usage.cacheRead), formatTokens(usage.output), formatUsd(cost)];
}
