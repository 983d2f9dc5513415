import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Budget, Scope } from "../../src/core/budget.ts";
import type { Event } from "../../src/core/event.ts";
import { canonicalJson } from "../../src/core/json.ts";
import type { ModelFacts } from "../../src/core/model.ts";
import type { Price } from "../../src/core/money.ts";
import type { AgentStep, Pipeline } from "../../src/core/pipeline.ts";
import type { Models } from "../../src/core/ports.ts";
import type { Store, UserLedger } from "../../src/core/store.ts";
import { SqliteStore } from "../../src/store/sqlite-store.ts";
import { openUserLedger } from "../../src/store/user-ledger.ts";
import { runCreated } from "../support/events.ts";
import { agent, pipelineOf } from "../support/pipelines.ts";

/** Numbers from 0 to 1 that a seed repeats, and what is made of them. */
export interface Dice {
  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number;
  /** True so often, of one. */
  chance(part: number): boolean;
  oneOf<T>(values: readonly T[]): T;
}

export function diceOf(random: () => number): Dice {
  const between = (low: number, high: number) => low + Math.floor(random() * (high - low + 1));
  return {
    between,
    chance: (part) => random() < part,
    oneOf: <T>(values: readonly T[]) => values[between(0, values.length - 1)] as T,
  };
}

/** A run of the schedule: its plan, and how many questions each of its steps asks. */
export interface PlannedRun {
  readonly rid: string;
  readonly steps: readonly { readonly step: AgentStep; readonly questions: number }[];
  readonly budgets: Readonly<Partial<Record<Scope, Budget>>>;
  readonly pipeline: Pipeline;
  /** Which process drives it. */
  readonly process: number;
}

/** One seeded schedule. */
export interface Plan {
  readonly day: string;
  readonly ceilings: UserLedger["ceilings"];
  readonly runs: readonly PlannedRun[];
  readonly models: readonly ModelFacts[];
  readonly processes: number;
  /** How many crashes there may be. */
  readonly crashes: number;
}

const ROLES = ["planner", "doer", "reviewer"] as const;

/** `serial`: makes rids and days that no other schedule has, so that all of them can share one journal. */
export function planOf(dice: Dice, serial: number): Plan {
  const processes = dice.between(1, 2);
  const models = Array.from({ length: dice.between(1, 3) }, (_, index) => modelOf(`m${index}`, dice));
  const runs = Array.from({ length: dice.between(1, 3) }, (_, index) => {
    return runOf(`r-${serial.toString(36).padStart(4, "0")}${index}`, dice.between(0, processes - 1), dice);
  });
  const window = dice.chance(0.5) ? { day: budgetOf(dice, 3) } : {};
  const ceilings = dice.chance(0.3) ? { ...window, week: budgetOf(dice, 4) } : window;
  return { day: dayOf(serial), ceilings, runs, models, processes, crashes: dice.between(0, 3) };
}

function runOf(rid: string, process: number, dice: Dice): PlannedRun {
  const steps = Array.from({ length: dice.between(1, 4) }, (_, index) => ({
    step: agent(`s${index}`, dice.oneOf(ROLES), []),
    questions: dice.between(1, 5),
  }));
  const roles = dice.chance(0.4) ? { [`role:${dice.oneOf(ROLES)}`]: budgetOf(dice, 1) } : {};
  const single = dice.chance(0.3) ? { "step:s0": budgetOf(dice, 1) } : {};
  const pipeline = pipelineOf(steps.map(({ step }) => step));
  return { rid, process, steps, pipeline, budgets: { run: budgetOf(dice, 2), ...roles, ...single } };
}

/** From a ceiling that holds no call to one that holds a dozen. */
function budgetOf(dice: Dice, scale: number): Budget {
  const maxCostNanos = dice.between(1_000_000, 60_000_000) * scale;
  const maxTokens = dice.between(1_000, 60_000) * scale;
  return dice.oneOf([{ maxCostNanos }, { maxTokens }, { maxCostNanos, maxTokens }]);
}

function modelOf(model: string, dice: Dice): ModelFacts {
  const price: Price = {
    input: dice.between(1, 5) * 1e9,
    cacheRead: 3e8,
    cacheWrite: 3.75e9,
    output: dice.between(4, 25) * 1e9,
    tiers: dice.chance(0.3)
      ? [{ aboveTokens: 2_000, input: 6e9, cacheRead: 6e8, cacheWrite: 7.5e9, output: 30e9 }]
      : [],
  };
  const ref = { provider: "sim", model };
  return { ref, price, contextWindow: null, maxOutputTokens: dice.between(256, 4_000), local: false, scripted: false };
}

/** Weeks apart, so that no schedule sees what another has spent. */
function dayOf(serial: number): string {
  return new Date(Date.UTC(2000, 0, 3) + serial * 14 * 86_400_000).toISOString().slice(0, 10);
}

/** What one process works with; gone when it crashes. */
export interface Process {
  readonly store: Store;
  readonly userLedger: UserLedger;
  close(): void;
}

export function openProcess(directory: string, ceilings: UserLedger["ceilings"]): Process {
  mkdirSync(directory, { recursive: true });
  const store = new SqliteStore(directory);
  const userLedger = openUserLedger(join(directory, "ledger.db"), ceilings);
  return {
    store,
    userLedger,
    close() {
      store.close();
      userLedger.close();
    },
  };
}

/** The facts with which a run begins, up to its steps. */
export function beginnings({ rid, budgets, pipeline }: PlannedRun, store: Store): readonly Event[] {
  const pinned = store.putBlob(new TextEncoder().encode(canonicalJson(pipeline)));
  return [
    { ...runCreated(rid, budgets), pipeline: pinned },
    { type: "workspace.created", path: "/w", branch: "b", notices: [] },
    { type: "workspace.prepared", tree: "t0", copied: [] },
  ];
}

/** The part of a provider that a schedule needs. */
export type SimulatedModels = Pick<
  Models,
  "facts" | "standing" | "send" | "recover" | "inputBound" | "tightInputBound"
>;
