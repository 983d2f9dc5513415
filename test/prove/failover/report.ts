import type { Wire } from "../agent/answers.ts";
import type { figuresOf } from "./judge.ts";
import type { Play } from "./play.ts";
import type { Scenario } from "./scenarios.ts";

/** How a play came out. */
export interface Outcome {
  readonly play: Play;
  readonly violations: readonly string[];
  readonly figures: ReturnType<typeof figuresOf>;
}

interface Row {
  readonly id: string;
  readonly title: string;
  readonly class: string;
  readonly asked: string;
  readonly plays: number;
  readonly passed: number;
  readonly slowestMs: number;
}

/** The proof as JSON, for a terminal and as a page. */
export function reportOf(
  outcomes: readonly Outcome[],
  { seconds, wires }: { seconds: number; wires: readonly Wire[] },
) {
  const scenarios = [...new Set(outcomes.map(({ play }) => play.scenario))];
  const rows = scenarios.map((scenario) => rowOf(scenario, outcomes));
  const violations = outcomes.flatMap(({ play, violations: all }) =>
    all.map((violation) => `${play.scenario.id} · ${play.wire}: ${violation}`),
  );
  const sum = (of: (figures: Outcome["figures"]) => number) =>
    outcomes.reduce((total, { figures }) => total + of(figures), 0);
  const totals = {
    plays: outcomes.length,
    requests: sum(({ requests }) => requests),
    wholeAnswers: sum(({ answers }) => answers),
    chargedNanos: sum(({ nanos }) => nanos),
  };
  const json = { seconds, wires, ...totals, scenarios: rows, violations: violations.toSorted() };
  return { json, table: rows.map(lineOf).join("\n"), markdown: markdownOf(rows, json) };
}

function rowOf(scenario: Scenario, outcomes: readonly Outcome[]): Row {
  const own = outcomes.filter(({ play }) => play.scenario === scenario);
  return {
    id: scenario.id,
    title: scenario.title,
    class: `${scenario.class ?? "none"}${scenario.brokeOff ? ", broke off" : ""}`,
    asked: scenario.asked.join(" → "),
    plays: own.length,
    passed: own.filter(({ violations }) => violations.length === 0).length,
    slowestMs: Math.max(0, ...own.map(({ figures }) => figures.milliseconds)),
  };
}

function lineOf({ id, passed, plays, slowestMs, title }: Row): string {
  return `${id.padEnd(14)} ${`${passed}/${plays}`.padStart(4)}  ${(slowestMs / 1000).toFixed(1).padStart(5)} s  ${title}`;
}

function markdownOf(rows: readonly Row[], figures: Readonly<Record<string, unknown>>): string {
  return [
    "# Fail-over",
    "",
    "Written by `npm run prove:failover`. Servers of the proof play each fault on every wire that has it, to the real",
    "binary and its real SDKs; the lane that is asked instead speaks another wire. S01 to S16 are the scenarios of",
    "failoverbench's public catalogue. Passed: all of what `test/prove/failover/judge.ts` asks for. The time is that of",
    "the slowest whole run, with waits of 3 s for a first event and within an answer.",
    "",
    `${figures.plays} runs, ${figures.requests} requests, ${figures.wholeAnswers} whole answers, each charged to the nano-dollar.`,
    "",
    "| scenario | what happens | class | asked | passed | slowest |",
    "|---|---|---|---|---|---|",
    ...rows.map(
      (row) =>
        `| ${row.id} | ${row.title} | ${row.class} | ${row.asked} | ${row.passed}/${row.plays} | ${(row.slowestMs / 1000).toFixed(1)} s |`,
    ),
    "",
  ].join("\n");
}
