import { join } from "node:path";
import type { Candidate, RouteRequest, RouteRule } from "../../src/core/route-rules.ts";
import { routerOf } from "../../src/core/routing.ts";
import { SqliteStore } from "../../src/store/sqlite-store.ts";
import { runCreated } from "../support/events.ts";
import { inFolder } from "./folder.ts";
import { median } from "./median.ts";
import { runProgram } from "./program.ts";
import { aim, ms, row } from "./rows.ts";

/** Reading and checking both `providers.yaml`, in milliseconds: the first time in a process, the schema's compilation in it, and again. */
export interface ConfigurationFigures {
  readonly firstMs: number;
  readonly againMs: number;
}

/** What it takes to know whom to ask. */
export interface RoutingFigures {
  readonly configuration: ConfigurationFigures;
  /** Microseconds of a decision by ten rules, of which the last matches. */
  readonly decisionUs: number;
  /** Microseconds of a look at what was left for whoever drives a run, where nothing was. */
  readonly lookUs: number;
}

const AIM_DECISION_US = 50;
const AIM_CONFIGURATION_MS = 20;
const PROCESSES = 5;

export async function measureRouting(): Promise<RoutingFigures> {
  const loads = Array.from({ length: PROCESSES }, () => runProgram<ConfigurationFigures>("configuration.ts", []));
  const configuration = {
    firstMs: median(loads.map(({ firstMs }) => firstMs)),
    againMs: median(loads.map(({ againMs }) => againMs)),
  };
  return { configuration, decisionUs: measureDecision(), lookUs: await measureLook() };
}

export function routingLines({ configuration, decisionUs, lookUs }: RoutingFigures): readonly string[] {
  const us = (value: number) => `${value.toFixed(1)} us`;
  const { firstMs, againMs } = configuration;
  return [
    "whom to ask: configuration of a user and a project with 11 rules, decisions, and words left for a run",
    row("configuration, first of a process", ms(firstMs), aim("20 ms at most", firstMs <= AIM_CONFIGURATION_MS)),
    row("configuration, again", ms(againMs), "the schema is compiled once"),
    row("a decision by 10 rules", us(decisionUs), aim("50 us at most", decisionUs <= AIM_DECISION_US)),
    row("a look for words before a call", us(lookUs), "nothing was left"),
  ];
}

/** Ten rules with the conditions that one writes, and the reasons of each: what `ccp route` prints. */
function measureDecision(): number {
  const rules = Array.from({ length: 10 }, (_, index): RouteRule => {
    const tasks = index === 9 ? (["build"] as const) : (["plan", "review"] as const);
    const when = {
      tasks,
      models: ["*sonnet*", "anthropic/*"],
      maxContextTokens: 90_000,
      leftAtLeast: { run: 0.2 },
      hours: { from: 0, to: 1440 },
      maxCostNanos: 9e9,
    };
    return { name: `rule ${index}`, source: { kind: "built-in" }, when, use: ["a/one", "a/two"] };
  });
  const decide = routerOf(rules);
  const candidates = new Map(["a/one", "a/two"].map((name) => [name, candidate(name)]));
  for (let round = 0; round < 2_000; round++) decide(REQUEST, candidates);
  return perRound(10_000, () => decide(REQUEST, candidates));
}

function measureLook(): Promise<number> {
  return inFolder((folder) => {
    const store = new SqliteStore(join(folder, "state"));
    store.create("r-bench1", [runCreated("r-bench1")], Date.now());
    for (let round = 0; round < 2_000; round++) store.requests("r-bench1");
    const figure = perRound(10_000, () => store.requests("r-bench1"));
    store.close();
    return figure;
  });
}

/** Microseconds. */
function perRound(rounds: number, work: () => unknown): number {
  const startedAt = performance.now();
  for (let round = 0; round < rounds; round++) work();
  return ((performance.now() - startedAt) * 1000) / rounds;
}

const REQUEST: RouteRequest = {
  task: "build",
  role: "doer",
  model: "anthropic/claude-sonnet-5",
  contextTokens: 12_000,
  inputTokensBound: 30_000,
  outputTokens: 16_000,
  needs: ["tools"],
  left: { day: 0.4, week: 0.8, run: 1 },
  local: { weekday: "fri", minute: 600 },
  mustBePriced: true,
};

function candidate(name: string): Candidate {
  const [provider = "", model = ""] = name.split("/");
  const rates = { input: 2e9, cacheRead: 2e8, cacheWrite: 2.5e9, output: 1e10 };
  return {
    kind: "askable",
    facts: {
      ref: { provider, model },
      price: { ...rates, tiers: [] },
      contextWindow: 200_000,
      maxOutputTokens: 16_000,
      local: false,
      scripted: false,
      capabilities: { tools: true, thinking: true },
    },
  };
}
