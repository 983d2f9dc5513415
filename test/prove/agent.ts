import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { type Part, planPlays } from "./agent/plan-plays.ts";
import { type Outcome, play } from "./agent/play.ts";

const ROOT = join(import.meta.dirname, "..", "..");

const { values } = parseArgs({
  options: {
    /** Of the shared tasks, so many. */
    tasks: { type: "string", default: "164" },
    jobs: { type: "string", default: "2" },
    /** Only what has this in the name of its habit, its task or its wire. */
    only: { type: "string", default: "" },
    binary: { type: "string", default: join(ROOT, "dist", "main.js") },
    out: { type: "string", default: join(ROOT, "results", "prove", "agent.json") },
  },
});

const startedAt = performance.now();
const parts = planPlays(Number(values.tasks)).map((part) => ({ ...part, plays: part.plays.filter(isAsked) }));
const outcomes = await playAll(parts.flatMap(({ plays }) => plays));
const rows = parts.map((part) => rowOf(part));
const seconds = Math.round((performance.now() - startedAt) / 1000);
process.stdout.write(`${table(parts)}\n${rows.map(lineOf).join("\n")}\n${seconds} s\n`);
const violations = outcomes.flatMap((one) => one.violations.map((violation) => `${nameOf(one)}: ${violation}`));
const short = rows.filter(({ isShort }) => isShort).map(({ name }) => `${name}: fewer are green than must be`);
for (const line of [...violations, ...short]) process.stdout.write(`✗ ${line}\n`);
if (values.only === "") {
  mkdirSync(dirname(values.out), { recursive: true });
  writeFileSync(values.out, `${JSON.stringify({ seconds, parts: rows, faults: faultRows(), violations }, null, 2)}\n`);
}
process.exitCode = violations.length + short.length === 0 ? 0 : 1;

function isAsked({ task, wire, habit }: Outcome["play"]): boolean {
  return [task.name, wire, habit.name].some((name) => name.includes(values.only));
}

async function playAll(plays: readonly Outcome["play"][]): Promise<readonly Outcome[]> {
  const done: Outcome[] = [];
  let next = 0;
  const worker = async () => {
    for (let index = next++; index < plays.length; index = next++) {
      const one = plays[index];
      if (!one) return;
      const outcome = await play(one, values.binary);
      done.push(outcome);
      if (outcome.violations.length > 0 || isUnexpected(outcome)) process.stdout.write(`${wordsOf(outcome)}\n`);
      else if (done.length % 50 === 0) process.stdout.write(`${done.length} of ${plays.length}\n`);
    }
  };
  await Promise.all(Array.from({ length: Number(values.jobs) }, worker));
  return done;
}

function isUnexpected({ play: { habit }, status }: Outcome): boolean {
  return habit.end === "recovers" && status !== "succeeded";
}

function wordsOf(one: Outcome): string {
  return [`${nameOf(one)}: ${one.status}`, one.ending, ...one.violations].filter((word) => word !== null).join(" | ");
}

function nameOf({ play: { habit, task, wire } }: Outcome): string {
  return `${habit.name} · ${task.name} · ${wire}`;
}

function rowOf(part: Part) {
  const own = outcomes.filter((one) => part.plays.includes(one.play));
  const green = own.filter(({ status }) => status === "succeeded").length;
  const isShort = part.green !== null && green < part.green * own.length;
  const slowest = Math.max(0, ...own.map(({ milliseconds }) => milliseconds));
  return { name: part.name, runs: own.length, green, mustBeGreen: part.green, isShort, slowestMs: slowest };
}

function lineOf({ name, runs, green, mustBeGreen }: ReturnType<typeof rowOf>): string {
  const must = mustBeGreen === null ? "none may be" : `${mustBeGreen * 100} % must be`;
  return `${name}: ${green} of ${runs} green (${must})`;
}

/** By fault: how often it was played, how often it came out green, under which names it ended otherwise. */
function faultRows() {
  const habits = [...new Set(outcomes.map((one) => one.play.habit))];
  return habits.map((habit) => {
    const own = outcomes.filter((one) => one.play.habit === habit);
    const green = own.filter(({ status }) => status === "succeeded").length;
    const endings = [
      ...new Set(own.flatMap(({ status, ending }) => (status === "succeeded" ? [] : [ending ?? status]))),
    ];
    const requests = own.reduce((sum, one) => sum + one.requests, 0);
    return { fault: habit.name, runs: own.length, green, endings: endings.toSorted(), requests };
  });
}

function table(all: readonly Part[]): string {
  const known = new Set(all.flatMap(({ plays }) => plays.map(({ habit }) => habit.name)));
  const rows = faultRows().filter(({ fault }) => known.has(fault));
  const width = Math.max(...rows.map(({ fault }) => fault.length));
  return rows
    .map(({ fault, runs, green, endings }) =>
      `${fault.padEnd(width)}  ${String(runs).padStart(4)} runs  ${String(green).padStart(4)} green  ${endings.join(", ")}`.trimEnd(),
    )
    .join("\n");
}
