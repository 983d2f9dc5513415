import { askModel } from "../../src/agent/ask-model.ts";
import { openRoute } from "../../src/agent/route.ts";
import { followTalk } from "../../src/agent/talk.ts";
import { WINDOWS } from "../../src/core/budget.ts";
import { NO_POLICY } from "../../src/core/policy.ts";
import type { Assignment } from "../../src/core/ports.ts";
import { readRun } from "../../src/core/read-run.ts";
import { stepState } from "../../src/core/run.ts";
import { NO_JOBS } from "../../src/core/step-jobs.ts";
import { NO_SERVERS } from "../../src/core/tool-servers.ts";
import { reconcile } from "../../src/engine/calls.ts";
import { CommandEnvironment } from "../../src/engine/command-environment.ts";
import { type Context, callBook } from "../../src/engine/context.ts";
import type { EngineDeps } from "../../src/engine/deps.ts";
import { Halt } from "../../src/engine/halt.ts";
import { standingPolicy } from "../../src/engine/policy-watch.ts";
import { NO_HEALTH, NO_SPOOL } from "../../src/engine/replay-world.ts";
import { RunLog } from "../../src/engine/run-log.ts";
import { openStepPort } from "../../src/engine/step-port.ts";
import { type SimulatedServer, simulatedServer } from "./budget-server.ts";
import { beginnings, type Dice, openProcess, type Plan, type PlannedRun, type Process } from "./budget-world.ts";

/** How a schedule ended. */
export interface ScheduleOutcome {
  readonly calls: number;
  readonly lost: number;
  readonly refused: number;
  readonly crashes: number;
  /** Of each run that was refused for money: the part of its ceiling that was used. */
  readonly utilisations: readonly number[];
  /** Empty: the law held, at every moment. */
  readonly violations: readonly string[];
}

/** A process that lives: what it waits for is let go of only while it does. */
interface Life {
  readonly process: Process;
  readonly waiting: (() => void)[];
  isAlive: boolean;
}

/**
 * Plays one schedule with the real agent loop, reservations, ledgers and journal: every wait of every process ends when
 * the dice say so, and a process may die at any of them. After each moment the law is looked at.
 */
export async function playSchedule(plan: Plan, dice: Dice, directory: string): Promise<ScheduleOutcome> {
  const watch = openProcess(directory, plan.ceilings);
  const server = simulatedServer(plan.models, dice, (callId) => isReserved(callId, watch));
  const lives = Array.from({ length: plan.processes }, () => begin(directory, plan));
  const violations = new Set<string>();
  const tally = { refused: 0, crashes: 0 };
  const open = new Set(plan.runs);
  for (const run of plan.runs) launch(run, lives, { plan, server, open, tally, violations });
  await settled();
  while (open.size > 0 && violations.size === 0) {
    const ready = lives.flatMap((life) => life.waiting.map((_, index) => ({ life, index })));
    if (ready.length === 0) violations.add("everybody waits, and nobody will go on");
    else if (tally.crashes < plan.crashes && dice.chance(0.03)) {
      tally.crashes += 1;
      restart(dice.between(0, plan.processes - 1), lives, directory, { plan, server, open, tally, violations });
    } else {
      const { life, index } = dice.oneOf(ready);
      for (const go of life.waiting.splice(index, 1)) go();
    }
    await settled();
    for (const violation of violationsOf(plan, server, watch)) violations.add(violation);
  }
  for (const violation of leftOver(plan, watch)) violations.add(violation);
  for (const { process } of lives) process.close();
  const outcome = summary(plan, watch, tally, [...violations]);
  watch.close();
  return outcome;
}

/** Everybody who could go on has come to the next thing to wait for. */
async function settled(): Promise<void> {
  await new Promise(setImmediate);
}

interface Play {
  readonly plan: Plan;
  readonly server: SimulatedServer;
  readonly open: Set<PlannedRun>;
  readonly tally: { refused: number; crashes: number };
  readonly violations: Set<string>;
}

function begin(directory: string, { ceilings }: Plan): Life {
  return { process: openProcess(directory, ceilings), waiting: [], isAlive: true };
}

/** `kill -9`: whatever waits in it waits for ever, and what it held is the kernel's. */
function restart(index: number, lives: Life[], directory: string, play: Play): void {
  const dead = lives[index] as Life;
  dead.isAlive = false;
  dead.waiting.length = 0;
  dead.process.close();
  lives[index] = begin(directory, play.plan);
  for (const run of play.open) if (run.process === index) launch(run, lives, play);
}

function launch(run: PlannedRun, lives: readonly Life[], play: Play): void {
  const life = lives[run.process] as Life;
  drive(run, life, play).then(
    () => play.open.delete(run),
    (thrown: unknown) => {
      if (life.isAlive) play.violations.add(`${run.rid}: ${thrown instanceof Error ? thrown.message : thrown}`);
    },
  );
}

/** A run's steps side by side, each question after the other, until they are asked or the budget says no. */
async function drive(run: PlannedRun, life: Life, play: Play): Promise<void> {
  const { store } = life.process;
  const isNew = store.owner(run.rid) === null;
  if (isNew) store.create(run.rid, beginnings(run, store), 0);
  const epoch = isNew ? 1 : store.claim(run.rid);
  const context = contextOf(run, epoch, life, play);
  if (!isNew) context.log.record({ type: "run.resumed", epoch });
  reconcile(callBook(context));
  await Promise.all(run.steps.map(({ step, questions }) => askAll(context, step.id, questions, play)));
  store.release(run.rid);
}

async function askAll(context: Context, stepId: string, questions: number, play: Play): Promise<void> {
  const step = context.pipeline.steps.find(({ id }) => id === stepId);
  if (step?.kind !== "agent") throw new Error("not an agent");
  const prompt = context.log.json({ system: "s", user: "u" });
  const begun = { stepId, conversation: 1, tree: "t0", prompt, fingerprint: null } as const;
  context.log.record({ type: "step.started", ...begun });
  const port = openStepPort(context, step, {
    conversation: 1,
    signal: new AbortController().signal,
    endsAt: null,
    servers: NO_SERVERS,
    jobs: NO_JOBS,
  });
  await port.closeOpenCall();
  const assignment: Assignment = {
    stepId,
    role: step.role,
    conversation: 1,
    system: "s",
    candidates: play.plan.models,
    grant: { tools: [], permissions: [], finish: {} },
    maxTurns: 99,
    maxOutputTokens: 4_000,
    messages: {},
  };
  const talk = followTalk(port);
  for (let turn = port.utterances().filter(({ type }) => type === "answered").length; turn < questions; turn++) {
    const route = openRoute(play.plan.models);
    const outcome = await askModel({ assignment, port, route, talk: talk(), turn: turn + 1 });
    if (outcome?.type === "stopped" && outcome.why !== "unavailable") {
      play.tally.refused += 1;
      return;
    }
  }
}

function contextOf(run: PlannedRun, epoch: number, life: Life, { plan, server }: Play): Context {
  const { store, userLedger } = life.process;
  const pause = () => new Promise<void>((go) => void life.waiting.push(go));
  const chance = {
    now: () => 0,
    random: () => 0.5,
    rid: () => run.rid,
    day: () => plan.day,
    minute: () => 0,
    sleep: pause,
    alarm: never,
  };
  const deps = {
    store,
    userLedger,
    chance,
    health: NO_HEALTH,
    spool: NO_SPOOL,
    models: server.models(pause),
    tools: { specs: () => [] },
    repository: { openWorkspace: () => ({}) },
    secrets: [],
    policy: standingPolicy(NO_POLICY),
    tell: () => undefined,
  } as unknown as EngineDeps;
  const log = new RunLog(run.rid, epoch, { store, chance, publish: () => undefined });
  const control = { signal: new AbortController().signal, pauseRequested: () => false, exitCode: () => 130 as const };
  const environment = new CommandEnvironment({ log, pipeline: run.pipeline, deps });
  return { log, pipeline: run.pipeline, deps, halt: new Halt(control, null), environment };
}

const never = () => new AbortController().signal;

function isReserved(callId: string, { store }: Process): boolean {
  return store.calls(callId.split(".", 1)[0] ?? "").some((call) => call.callId === callId && call.state === "reserved");
}

/** The law: settled and held never exceed a ceiling, and never fall short of what the provider has billed. */
function violationsOf({ runs, ceilings, day }: Plan, { bills }: SimulatedServer, watch: Process): readonly string[] {
  const found: string[] = [];
  for (const { rid, budgets } of runs) {
    for (const [scope, budget] of Object.entries(budgets)) {
      const spend = watch.store.ledger(rid, scope as "run");
      if (spend.settledNanos + spend.heldNanos > (budget?.maxCostNanos ?? Number.POSITIVE_INFINITY))
        found.push(`${rid} ${scope}: money over its ceiling`);
      if (spend.settledTokens + spend.heldTokens > (budget?.maxTokens ?? Number.POSITIVE_INFINITY))
        found.push(`${rid} ${scope}: tokens over their ceiling`);
    }
    const billed = [...bills].filter(([callId]) => callId.startsWith(`${rid}.`)).map(([, bill]) => bill);
    const spend = watch.store.ledger(rid, "run");
    if (billed.reduce((sum, { nanos }) => sum + nanos, 0) > spend.settledNanos + spend.heldNanos)
      found.push(`${rid}: the provider has billed more than the ledger knows of`);
    if (billed.reduce((sum, { tokens }) => sum + tokens, 0) > spend.settledTokens + spend.heldTokens)
      found.push(`${rid}: the provider has counted more tokens than the ledger knows of`);
  }
  for (const window of WINDOWS) {
    const [spend, ceiling] = [watch.userLedger.spend(window, day), ceilings[window]];
    if (spend.settledNanos + spend.heldNanos > (ceiling?.maxCostNanos ?? Number.POSITIVE_INFINITY))
      found.push(`${window}: money over its ceiling`);
    if (spend.settledTokens + spend.heldTokens > (ceiling?.maxTokens ?? Number.POSITIVE_INFINITY))
      found.push(`${window}: tokens over their ceiling`);
    const ofRuns = runs.reduce((sum, { rid }) => sum + watch.store.ledger(rid, "run").heldNanos, 0);
    if (spend.heldNanos < ofRuns) found.push(`${window}: the user's ledger holds less than the runs do`);
  }
  return found;
}

/** At the end nothing is held any more, and both ledgers tell of the same money. */
function leftOver({ runs, day }: Plan, watch: Process): readonly string[] {
  const spends = runs.map(({ rid }) => watch.store.ledger(rid, "run"));
  const user = watch.userLedger.spend("day", day);
  const settled = spends.reduce((sum, { settledNanos }) => sum + settledNanos, 0);
  const folds = runs.map(({ rid }) => readRun(rid, watch.store).spend.run?.settledNanos ?? 0);
  return [
    ...(spends.some(({ heldNanos, heldTokens }) => heldNanos + heldTokens > 0) ? ["a run still holds"] : []),
    ...(user.heldNanos + user.heldTokens > 0 ? ["the user's ledger still holds"] : []),
    ...(user.settledNanos === settled ? [] : [`the user's ledger has ${user.settledNanos}, the runs have ${settled}`]),
    ...(folds.every((nanos, index) => nanos === spends[index]?.settledNanos) ? [] : ["fold and ledger differ"]),
  ];
}

function summary(
  plan: Plan,
  { store }: Process,
  { refused, crashes }: Play["tally"],
  violations: readonly string[],
): ScheduleOutcome {
  const calls = plan.runs.flatMap(({ rid }) => store.calls(rid));
  const utilisations = plan.runs.flatMap(({ rid, budgets }) => {
    const ceiling = budgets.run?.maxCostNanos;
    const isUsedUp =
      ceiling !== undefined && Object.keys(budgets).length === 1 && Object.keys(plan.ceilings).length === 0;
    return isUsedUp && refused > 0 ? [store.ledger(rid, "run").settledNanos / ceiling] : [];
  });
  const lost = plan.runs.reduce((sum, { rid, steps }) => {
    const run = readRun(rid, store);
    return sum + steps.reduce((total, { step }) => total + stepState(run, step.id).lostCalls, 0);
  }, 0);
  return { calls: calls.length, lost, refused, crashes, utilisations, violations };
}
