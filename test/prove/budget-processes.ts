import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { type Budget, type Scope, type Spend, usedNanos, usedTokens } from "../../src/core/budget.ts";
import type { ModelFacts } from "../../src/core/model.ts";
import { readRun } from "../../src/core/read-run.ts";
import type { UserLedger } from "../../src/core/store.ts";
import { linesOf } from "../support/killer.ts";
import type { Bill } from "./budget-server.ts";
import { type Dice, openProcess, type Plan, type Process } from "./budget-world.ts";

/** What a worker is to do. */
export interface WorkerOrder {
  readonly directory: string;
  readonly rid: string;
  readonly seed: number;
  readonly day: string;
  readonly budgets: Readonly<Partial<Record<Scope, Budget>>>;
  readonly ceilings: UserLedger["ceilings"];
  readonly model: ModelFacts;
  readonly calls: number;
}

/** How a contest of processes ended. */
export interface ProcessesOutcome {
  readonly calls: number;
  readonly lost: number;
  readonly kills: number;
  /** How often the law was looked at. */
  readonly looks: number;
  /** Empty: it held, at every look. */
  readonly violations: readonly string[];
}

const PROCESSES = 3;
const CALLS = 12;
const MOST_KILLS = 4;

/**
 * Real processes with runs of their own, all against one ceiling of a day, killed at random and started again. What a
 * worker prints before it settles is the truth, whatever becomes of it. `plan`: whose day and model are used.
 */
export async function playProcesses({ day, models }: Plan, dice: Dice, directory: string): Promise<ProcessesOutcome> {
  const ceilings = {
    day: { maxCostNanos: dice.between(150, 900) * 1_000_000, maxTokens: dice.between(60, 400) * 1_000 },
  };
  const watch = openProcess(directory, ceilings);
  const contest: Contest = {
    watch,
    day,
    ceilings,
    bills: new Map(),
    tally: { kills: 0, looks: 0 },
    violations: new Set(),
  };
  const orders = Array.from({ length: PROCESSES }, (_, index): Omit<WorkerOrder, "seed"> => {
    const budgets = { run: { maxCostNanos: dice.between(50, 400) * 1_000_000 } };
    return {
      directory,
      rid: `r-p${day.replaceAll("-", "")}${index}`,
      day,
      budgets,
      ceilings,
      model: models[0] as ModelFacts,
      calls: CALLS,
    };
  });
  // Thrown beforehand: what the processes do does not change the dice.
  const lives = orders.map(() => Array.from({ length: MOST_KILLS + 1 }, () => lifeOf(dice)));
  await Promise.all(orders.map((order, index) => driveToItsEnd(order, lives[index] ?? [], contest)));
  look(orders, contest);
  for (const violation of leftOver(orders, contest)) contest.violations.add(violation);
  const calls = orders.flatMap(({ rid }) => watch.store.calls(rid));
  watch.close();
  const { kills, looks } = contest.tally;
  const lost = calls.filter(({ state }) => state === "lost").length;
  return { calls: calls.length, lost, kills, looks, violations: [...contest.violations] };
}

interface Contest {
  readonly watch: Process;
  readonly day: string;
  readonly ceilings: UserLedger["ceilings"];
  /** By call. */
  readonly bills: Map<string, Bill>;
  readonly tally: { kills: number; looks: number };
  readonly violations: Set<string>;
}

/** One life of a process: after which of its lines it is killed, and so many turns of our loop later. */
interface Life {
  readonly seed: number;
  readonly line: number;
  readonly turns: number;
}

function lifeOf(dice: Dice): Life {
  return { seed: dice.between(1, 1_000_000_000), line: dice.between(1, 14), turns: dice.between(0, 12) };
}

/** Started again after each kill; the last life is a whole one. */
async function driveToItsEnd(
  order: Omit<WorkerOrder, "seed">,
  lives: readonly Life[],
  contest: Contest,
): Promise<void> {
  for (const [index, life] of lives.entries()) {
    const isLast = index === lives.length - 1;
    const { code, signal } = await live({ ...order, seed: life.seed }, isLast ? null : life, contest);
    if (code === 0) return;
    if (signal !== "SIGKILL") contest.violations.add(`${order.rid}: its process ended with ${code ?? signal}`);
    if (signal !== "SIGKILL") return;
    contest.tally.kills += 1;
  }
}

async function live(order: WorkerOrder, death: Life | null, contest: Contest) {
  const script = join(import.meta.dirname, "budget-worker.ts");
  const child = spawn(process.execPath, ["--no-warnings", script, JSON.stringify(order)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const closed = once(child, "close");
  let seen = 0;
  for await (const line of linesOf(child)) {
    const [what, callId = "", nanos, tokens] = line.split(" ");
    if (what === "bill") contest.bills.set(callId, { nanos: Number(nanos), tokens: Number(tokens) });
    seen += 1;
    if (seen === death?.line) void killLater(child, death.turns);
    look([order], contest);
  }
  const [code, signal] = (await closed) as [number | null, string | null];
  return { code, signal };
}

async function killLater(child: ChildProcess, turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate);
  child.kill("SIGKILL");
}

/** The law: settled and held never exceed a ceiling, and never fall short of what was billed. */
function look(orders: readonly Omit<WorkerOrder, "seed">[], contest: Contest): void {
  const { watch, day, ceilings, bills, tally, violations } = contest;
  tally.looks += 1;
  // What is billed is looked at first: the ledger may only be ahead of it.
  const all = sumOf(bills);
  judge("day", watch.userLedger.spend("day", day), { ceiling: ceilings.day ?? {}, billed: all }, violations);
  for (const { rid, budgets } of orders) {
    const billed = sumOf([...bills].filter(([callId]) => callId.startsWith(`${rid}.`)));
    judge(rid, watch.store.ledger(rid, "run"), { ceiling: budgets.run ?? {}, billed }, violations);
  }
}

function judge(
  name: string,
  spend: Spend,
  { ceiling, billed }: { readonly ceiling: Budget; readonly billed: Bill },
  violations: Set<string>,
): void {
  const { maxCostNanos = Number.POSITIVE_INFINITY, maxTokens = Number.POSITIVE_INFINITY } = ceiling;
  if (usedNanos(spend) > maxCostNanos) violations.add(`${name}: money over its ceiling`);
  if (usedTokens(spend) > maxTokens) violations.add(`${name}: tokens over their ceiling`);
  if (usedNanos(spend) < billed.nanos) violations.add(`${name}: less money than was billed`);
  if (usedTokens(spend) < billed.tokens) violations.add(`${name}: fewer tokens than were billed`);
}

function sumOf(bills: Iterable<readonly [string, Bill]>): Bill {
  return [...bills].reduce(
    (sum, [, { nanos, tokens }]) => ({ nanos: sum.nanos + nanos, tokens: sum.tokens + tokens }),
    { nanos: 0, tokens: 0 },
  );
}

/** At the end nothing is held any more, every bill is of a call on record, and all ledgers tell of the same money. */
function leftOver(orders: readonly Omit<WorkerOrder, "seed">[], { watch, day, bills }: Contest): readonly string[] {
  const spends = orders.map(({ rid }) => watch.store.ledger(rid, "run"));
  const user = watch.userLedger.spend("day", day);
  const sum = (unit: keyof Spend) => spends.reduce((total, spend) => total + spend[unit], 0);
  const known = new Set(orders.flatMap(({ rid }) => watch.store.calls(rid).map(({ callId }) => callId)));
  const folds = orders.map(({ rid }) => readRun(rid, watch.store).spend.run?.settledNanos ?? 0);
  return [
    ...(sum("heldNanos") + sum("heldTokens") > 0 ? ["a run still holds"] : []),
    ...(user.heldNanos + user.heldTokens > 0 ? ["the user's ledger still holds"] : []),
    ...(user.settledNanos === sum("settledNanos") && user.settledTokens === sum("settledTokens")
      ? []
      : [`the user's ledger has ${user.settledNanos}, the runs have ${sum("settledNanos")}`]),
    ...(folds.every((nanos, index) => nanos === spends[index]?.settledNanos) ? [] : ["fold and ledger differ"]),
    ...[...bills.keys()].filter((callId) => !known.has(callId)).map((callId) => `${callId} is on nobody's record`),
  ];
}
