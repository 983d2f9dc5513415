import type { Account } from "./accounts.ts";
import type { Flapped } from "./flap.ts";
import type { figuresOf } from "./judge.ts";
import type { Play } from "./play.ts";
import { AFTER, BEFORE, type Scenario } from "./scenarios.ts";

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

/** All that was found. */
export interface Findings {
  readonly outcomes: readonly Outcome[];
  readonly flapped: readonly Flapped[];
  /** `recorded`: null where the recordings are not there. */
  readonly accounts: { readonly own: readonly Account[]; readonly recorded: readonly Account[] | null };
  readonly seconds: number;
}

/** What is written down of it. */
export interface Figures {
  readonly seconds: number;
  readonly runs: number;
  readonly requests: number;
  readonly wholeAnswers: number;
  readonly chargedNanos: number;
  readonly accounts: { readonly own: string; readonly recorded: string | null };
  readonly scenarios: readonly Row[];
  readonly flapping: readonly Omit<Flapped, "violations">[];
  readonly violations: readonly string[];
}

/** The proof as JSON, for a terminal and as a page. */
export function reportOf({ outcomes, flapped, accounts, seconds }: Findings) {
  const scenarios = [...new Set(outcomes.map(({ play }) => play.scenario))].toSorted(byOrder);
  const rows = [...scenarios.map((scenario) => rowOf(scenario, outcomes)), ...flapRows(flapped)];
  const all = [...accounts.own, ...(accounts.recorded ?? [])];
  const violations = [
    ...outcomes.flatMap(({ play, violations: found }) =>
      found.map((violation) => `${play.scenario.id} · ${play.wire}: ${violation}`),
    ),
    ...flapped.flatMap(({ wire, violations: found }) => found.map((violation) => `S15 · ${wire}: ${violation}`)),
    ...all.filter((one) => !isExact(one)).map(({ name, found }) => `${name}: reckoned as ${JSON.stringify(found)}`),
  ];
  const sum = (of: (figures: Outcome["figures"]) => number) =>
    outcomes.reduce((total, { figures }) => total + of(figures), 0);
  const json: Figures = {
    seconds,
    runs: outcomes.length + flapped.reduce((total, { runs }) => total + runs, 0),
    requests: sum(({ requests }) => requests),
    wholeAnswers: sum(({ answers }) => answers),
    chargedNanos: sum(({ nanos }) => nanos),
    accounts: { own: countOf(accounts.own), recorded: accounts.recorded && countOf(accounts.recorded) },
    scenarios: rows,
    flapping: flapped.map(({ violations: _, ...figures }) => figures),
    violations: violations.toSorted(),
  };
  return { json, table: rows.map(lineOf).join("\n"), markdown: markdownOf(rows, json) };
}

function byOrder(one: Scenario, other: Scenario): number {
  const order = [...BEFORE, ...AFTER];
  return order.indexOf(one) - order.indexOf(other);
}

function isExact({ found, expected }: Account): boolean {
  return JSON.stringify(found) === JSON.stringify(expected);
}

function countOf(accounts: readonly Account[]): string {
  return `${accounts.filter(isExact).length}/${accounts.length}`;
}

function flapRows(flapped: readonly Flapped[]): readonly Row[] {
  if (flapped.length === 0) return [];
  return [
    {
      id: "S15",
      title: "503 for 12 s, then healthy, one run after another",
      class: "overloaded",
      asked: "second, and probes of first",
      plays: flapped.length,
      passed: flapped.filter(({ violations }) => violations.length === 0).length,
      slowestMs: Math.max(...flapped.map(({ slowestMs }) => slowestMs)),
    },
  ];
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

function markdownOf(rows: readonly Row[], { runs, requests, wholeAnswers, accounts, flapping }: Figures): string {
  const recorded = accounts.recorded === null ? "the recordings were not there" : `recordings ${accounts.recorded}`;
  return [
    "# Fail-over",
    "",
    "Written by `npm run prove:failover`. Servers of the proof play each fault on every wire that has it, to the real",
    "binary and its real SDKs; the lane that is asked instead speaks another wire. S01 to S16 are the scenarios of",
    "failoverbench's public catalogue. Passed: all of what `test/prove/failover/judge.ts` asks for. The time is that of",
    "the slowest whole run, with waits of 3 s for a first event and within an answer.",
    "",
    `${runs} runs, ${requests} requests, ${wholeAnswers} whole answers, each charged to the nano-dollar.`,
    `Accounts reckoned by hand: own streams ${accounts.own}, ${recorded}.`,
    "",
    "| scenario | what happens | class | asked | passed | slowest |",
    "|---|---|---|---|---|---|",
    ...rows.map(
      (row) =>
        `| ${row.id} | ${row.title} | ${row.class} | ${row.asked} | ${row.passed}/${row.plays} | ${(row.slowestMs / 1000).toFixed(1)} s |`,
    ),
    "",
    ...flapping.map(
      ({ wire, runs: count, askedWhileDown, backAfterMs }) =>
        `- S15 on ${wire}: ${count} runs, ${askedWhileDown} requests at the lane while it was down, asked again ${((backAfterMs ?? 0) / 1000).toFixed(1)} s after it was well`,
    ),
    "",
  ].join("\n");
}
