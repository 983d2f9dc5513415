import type { StoredEvent } from "../core/event.ts";
import { adviceOn, afterExhaustion } from "../core/failure-advice.ts";
import type { Pipeline } from "../core/pipeline.ts";
import type { DiffStat } from "../core/ports.ts";
import { lostCalls, type Run, stepState, totalSpend } from "../core/run.ts";
import { stepEntries } from "../core/step-table.ts";
import { plural } from "../core/words.ts";
import { escalationLines } from "./escalation-lines.ts";
import { formatCostOf, formatEnd, formatTimeOf, formatTokens } from "./format.ts";
import { quoted } from "./line.ts";
import { createPaint, type Paint } from "./paint.ts";
import { policyReport } from "./policy-lines.ts";
import { foldProgress } from "./progress.ts";
import { lostLines, reusedLines, savedText, totalDriftText } from "./report-money.ts";
import { stepTable } from "./report-steps.ts";
import { endWords } from "./run-lines.ts";
import { oneLine } from "./sanitize.ts";
import { renderTable } from "./table.ts";

/** A command worth typing now, and what it is for. */
export interface NextCommand {
  readonly command: string;
  readonly purpose: string;
}

/** What a report shows beyond the run itself. */
export interface ReportExtra {
  /** All of the run's events: times, which models were asked, what was lost or reused. */
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
  const { events } = extra;
  const sections = [
    statusLines(run, events, paint),
    [stepTable(run, pipeline, foldProgress(events), extra.width)],
    section("Lost calls", indented(lostLines(events, run.rid))),
    section("Escalation", indented(escalationLines(events))),
    section("Reused", indented(reusedLines(events, run))),
    section("Checks", checkLines(run)),
    section("Changes", changeLines(extra.diffStat)),
    section("Artifacts", indented(extra.artifacts)),
    section("Next", nextLines(extra.next)),
  ];
  const text = sections.filter((lines) => lines.length > 0).map((lines) => lines.join("\n"));
  return `${text.join("\n\n")}\n`;
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [title, ...lines];
}

function indented(lines: readonly string[]): readonly string[] {
  return lines.map((line) => `  ${oneLine(line)}`);
}

function statusLines(run: Run, events: readonly StoredEvent[], paint: Paint): readonly string[] {
  const words = run.end === null || run.status === "discarded" ? run.status : endWords(run.end.status);
  const kind = run.status === "succeeded" ? "good" : run.status === "failed" ? "bad" : "warning";
  const spend = totalSpend(run);
  const lost = lostCalls(run);
  const reason = run.end?.reason ?? null;
  const money = [savedText(events, run), totalDriftText(events)].filter((text) => text !== null);
  return [
    paint(kind, `${words}  ${run.rid}  ${oneLine(run.created?.pipelineName ?? "")}`),
    ...(reason === null ? [] : [`  ${quoted(reason, 600)}`]),
    ...adviceLines(run, events),
    `  ${formatCostOf(spend.settledNanos, run.budgets.run)}, ${formatTokens(spend.settledTokens)} tokens, ${formatTimeOf(run.activeMs, run.budgets.run)}`,
    ...(lost === 0 ? [] : [`  ${plural(lost, "call")} lost: sent, outcome unknown, charged in full`]),
    ...indented(money),
    ...indented(policyReport(run)),
  ];
}

/** Only of a run that failed: in one that stood still, what to do is its next command. */
function adviceLines(run: Run, events: readonly StoredEvent[]): readonly string[] {
  if (run.status !== "failed") return [];
  const lost = stepEntries(run.steps).flatMap(([id, { status, outcome }]) =>
    status === "failed" && outcome?.status === "failed" ? [`  ${id}: ${adviceOn(outcome.class)}`] : [],
  );
  const givenUp = events.findLast((event) => event.type === "escalation.decided" && event.action === "fail");
  const isStill = givenUp?.type === "escalation.decided" && stepState(run, givenUp.stepId).escalation.isGivenUp;
  const next = isStill ? afterExhaustion(run.rid, givenUp).map((line) => `  - ${oneLine(line)}`) : [];
  return lost.length === 0 ? [] : [...lost, ...next, `  how it came to that: ccp view ${run.rid}`];
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
