import type { StoredEvent } from "../core/event.ts";
import { formatUsd } from "../core/money.ts";
import type { Pipeline } from "../core/pipeline.ts";
import type { DiffStat } from "../core/ports.ts";
import { lostCalls, type Run, type StepState, stepState, totalSpend } from "../core/run.ts";
import { plural } from "../core/words.ts";
import { formatCostOf, formatDuration, formatEnd, formatTimeOf, formatTokens, inputOf } from "./format.ts";
import { quoted } from "./line.ts";
import { createPaint, type Paint } from "./paint.ts";
import { foldProgress, type Progress, stepProgress, totalElapsed } from "./progress.ts";
import { endWords } from "./run-lines.ts";
import { oneLine } from "./sanitize.ts";
import { modelName, routeOf, stepLabels } from "./step-label.ts";
import { type Column, renderTable } from "./table.ts";

/** A command worth typing now, and what it is for. */
export interface NextCommand {
  readonly command: string;
  readonly purpose: string;
}

/** What a report shows beyond the run itself. */
export interface ReportExtra {
  /** All of the run's events: times, and which models were asked. */
  readonly events: readonly StoredEvent[];
  /** Paths as they are to be shown. */
  readonly artifacts: readonly string[];
  readonly next: readonly NextCommand[];
  /** What the run changed; null when it changed nothing or got no worktree. */
  readonly diffStat: DiffStat | null;
  /** Colours; default none. */
  readonly color?: boolean;
  /** Columns of the terminal; missing: as wide as it needs. */
  readonly width?: number | undefined;
}

/** The end of a run, for stdout: how it ended, what each step took, what was checked, where things are, what to type next. */
export function renderReport(run: Run, pipeline: Pipeline, extra: ReportExtra): string {
  const paint = createPaint(extra.color ?? false);
  const progress = foldProgress(extra.events);
  const sections = [
    statusLines(run, paint),
    [stepTable(run, pipeline, progress, extra.width)],
    section("Checks", checkLines(run)),
    section("Changes", changeLines(extra.diffStat)),
    section(
      "Artifacts",
      extra.artifacts.map((path) => `  ${oneLine(path)}`),
    ),
    section("Next", nextLines(extra.next)),
  ];
  const text = sections.filter((lines) => lines.length > 0).map((lines) => lines.join("\n"));
  return `${text.join("\n\n")}\n`;
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [title, ...lines];
}

function statusLines(run: Run, paint: Paint): readonly string[] {
  const words = run.end === null || run.status === "discarded" ? run.status : endWords(run.end.status);
  const kind = run.status === "succeeded" ? "good" : run.status === "failed" ? "bad" : "warning";
  const spend = totalSpend(run);
  const lost = lostCalls(run);
  const reason = run.end?.reason ?? null;
  return [
    paint(kind, `${words}  ${run.rid}  ${oneLine(run.created?.pipelineName ?? "")}`),
    ...(reason === null ? [] : [`  ${quoted(reason, 600)}`]),
    `  ${formatCostOf(spend.settledNanos, run.budgets.run)}, ${formatTokens(spend.settledTokens)} tokens, ${formatTimeOf(run.activeMs, run.budgets.run)}`,
    ...(lost === 0 ? [] : [`  ${plural(lost, "call")} lost: sent, outcome unknown, charged in full`]),
  ];
}

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

function stepTable(run: Run, pipeline: Pipeline, progress: Progress, width: number | undefined): string {
  const labels = stepLabels(pipeline);
  const rows = labels.map(({ id, role }) => {
    const state = stepState(run, id);
    const asked = stepProgress(progress, id).models;
    const models = asked.length > 0 ? asked : routeOf(labels, run, id).slice(0, 1);
    const time = formatDuration(totalElapsed(stepProgress(progress, id), run.lastAt));
    const tries = state.conversation === 0 ? ["", ""] : [String(state.conversation), time];
    return [id, role ?? "command", statusText(state), modelsText(models), ...tries, ...usageCells(run, id, state)];
  });
  if (width === undefined || width >= WIDE_ENOUGH) return renderTable(rows, { columns: WIDE, width });
  const narrow = rows.map((row) => NARROW.map((index) => row[index] ?? ""));
  return renderTable(narrow, { columns: WIDE.filter((_, index) => NARROW.includes(index)), width });
}

function statusText(state: StepState): string {
  return state.outcome?.status === "failed" && state.status === "failed" ? state.outcome.class : state.status;
}

function modelsText(models: readonly string[]): string {
  return models.map(modelName).join(", ");
}

function usageCells(run: Run, stepId: string, state: StepState): readonly string[] {
  if (state.calls === 0) return ["", "", "", ""];
  const { usage } = state;
  const cost = run.spend[`step:${stepId}`]?.settledNanos ?? 0;
  return [formatTokens(inputOf(usage)), formatTokens(usage.cacheRead), formatTokens(usage.output), formatUsd(cost)];
}

/** The last word of each check, those on the base first. */
function checkLines(run: Run): readonly string[] {
  const last = new Map<string, string>();
  for (const { purpose, stepId, command, end } of run.commands) {
    if (purpose === "setup") continue;
    const where = purpose === "baseline" ? "on the base" : purpose === "final" ? "on the final tree" : stepId;
    const passed = end.exitCode === 0 && end.endedBy === null;
    const verdict =
      purpose === "baseline" ? (passed ? "already green" : `already red (${formatEnd(end)})`) : formatEnd(end);
    last.set(`${where} ${command}`, `  ${where}: ${quoted(command, 80)}: ${verdict}`);
  }
  return [...last.values()];
}

const FILES_SHOWN = 10;

function changeLines(stat: DiffStat | null): readonly string[] {
  if (stat === null || stat.files.length === 0) return [];
  const more = stat.files.length - FILES_SHOWN;
  return [
    `  ${plural(stat.files.length, "file")}, +${stat.added} −${stat.removed}`,
    ...stat.files.slice(0, FILES_SHOWN).map((file) => `  ${quoted(file)}`),
    ...(more > 0 ? [`  and ${plural(more, "file")} more`] : []),
  ];
}

function nextLines(next: readonly NextCommand[]): readonly string[] {
  if (next.length === 0) return [];
  const rows = next.map(({ command, purpose }) => [command, purpose]);
  return [renderTable(rows, { columns: [{ header: "" }, { header: "" }], indent: "  " })];
}
