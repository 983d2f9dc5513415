import { formatCase } from "./plan-cases.ts";
import type { DoneCase, Proof } from "./prove-crash.ts";

/** What came of the kills at the points of one effect. */
export interface EffectRow {
  readonly name: string;
  /** Points that the run that nobody killed came by. */
  readonly points: number;
  /** Kills by where they came. `during`: after the beginning and before the end, or at an effect that is one instant. */
  readonly before: number;
  readonly during: number;
  readonly after: number;
  /** How many of these were of a process that went on from an earlier kill. */
  readonly goingOn: number;
  /** Calls in flight at these kills that are lost, and that were settled from what was kept. */
  readonly lost: number;
  readonly recovered: number;
  /** Kills of a case that does not hold. */
  readonly violated: number;
}

type Count = Exclude<keyof EffectRow, "name">;

/** By effect, in the order of their names. */
export function effectRows({ course, cases }: Proof): readonly EffectRow[] {
  const passed = course.hits.map((point) => rowOf(point.replace(/:\d+$/, ""), { points: 1 }));
  const byName = Map.groupBy([...passed, ...cases.flatMap(rowsOf)], ({ name }) => name);
  return [...byName].map(([name, rows]) => sumOf(name, rows)).sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** One for each kill of a case; a call counts at the kill that first met it. */
function rowsOf({ outcome }: DoneCase): readonly EffectRow[] {
  const met = new Set<string>();
  return outcome.killed.map(({ name, process, open }) => {
    const news = open.filter((callId) => !met.has(callId) && Boolean(met.add(callId)));
    const lost = news.filter((callId) => outcome.lost.includes(callId)).length;
    return rowOf(name, {
      [phaseOf(name)]: 1,
      goingOn: process === 0 ? 0 : 1,
      lost,
      recovered: news.length - lost,
      violated: outcome.violations.length > 0 ? 1 : 0,
    });
  });
}

const PHASE = /\.(before|during|after)$/;

function phaseOf(name: string): Count {
  return (PHASE.exec(name)?.[1] ?? "during") as Count;
}

function rowOf(name: string, counts: Partial<Record<Count, number>>): EffectRow {
  const none = { points: 0, before: 0, during: 0, after: 0, goingOn: 0, lost: 0, recovered: 0, violated: 0 };
  return { name: name.replace(PHASE, ""), ...none, ...counts };
}

/** Rows as one. */
export function sumOf(name: string, rows: readonly EffectRow[]): EffectRow {
  const sums = COUNTS.map((count) => [count, rows.reduce((total, row) => total + row[count], 0)] as const);
  return rowOf(name, Object.fromEntries(sums));
}

const COUNTS: readonly Count[] = ["points", "before", "during", "after", "goingOn", "lost", "recovered", "violated"];
const HEADER = ["effect", "points", "before", "during", "after", "going on", "lost", "recovered", "violated"];

/** The rows as a table for people; nothing stands for nought. */
export function renderRows(rows: readonly EffectRow[]): string {
  const cells = [...rows, sumOf("all", rows)].map((row) => [
    row.name,
    ...COUNTS.map((count) => (row[count] === 0 ? "" : String(row[count]))),
  ]);
  const widths = HEADER.map((_, column) => Math.max(...[HEADER, ...cells].map((row) => row[column]?.length ?? 0)));
  const lines = [HEADER, ...cells].map((row) =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))),
  );
  return lines.map((line) => `${line.join("  ").trimEnd()}\n`).join("");
}

/** What does not hold in a case, and the command that does the same again (of a kill at an instant: nearly the same). */
export function renderViolations({ kills, outcome }: DoneCase): string {
  const places = outcome.killed.map(({ name }) => name).join(", ");
  return [
    `killed at ${places}:`,
    ...outcome.violations.map((line) => `  ${line}`),
    `  again: node test/prove/crash.ts --case '${formatCase(kills)}'`,
    "",
  ].join("\n");
}
