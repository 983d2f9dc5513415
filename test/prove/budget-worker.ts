/** One process of the proof with several: reserves and settles until its calls are made or nothing is left. Killed at any moment. */
import { writeSync } from "node:fs";
import { type Headroom, headroomOf, NOTHING_SPENT, planReservation, tightest, WINDOWS } from "../../src/core/budget.ts";
import type { ModelFacts, ModelRequest } from "../../src/core/model.ts";
import { costOf } from "../../src/core/money.ts";
import { stepState } from "../../src/core/run.ts";
import { NO_USAGE, totalTokens, type Usage } from "../../src/core/usage.ts";
import {
  type CallBook,
  loseReserved,
  reconcile,
  reserve,
  reservedCall,
  settleReserved,
} from "../../src/engine/calls.ts";
import { NO_HEALTH } from "../../src/engine/replay-world.ts";
import { RunLog } from "../../src/engine/run-log.ts";
import { seeded } from "../support/killer.ts";
import { agent, pipelineOf } from "../support/pipelines.ts";
import type { WorkerOrder } from "./budget-processes.ts";
import { beginnings, type Dice, diceOf, openProcess } from "./budget-world.ts";

const STEP = agent("s0", "doer", []);
const order = JSON.parse(process.argv[2] ?? "") as WorkerOrder;
const { rid, day, budgets, ceilings, model, calls } = order;
const { store, userLedger, close } = openProcess(order.directory, ceilings);
const dice = diceOf(seeded(order.seed));
const book = openBook();
for (let refusals = 0; refusals < 6 && stepState(book.log.run, STEP.id).calls < calls; ) {
  if (!(await ask(book, dice))) refusals += 1;
}
store.release(rid);
close();

/** What happens next, for whoever watches and kills. Written before it happens, and at once. */
function say(...words: readonly (string | number)[]): void {
  writeSync(1, `${words.join(" ")}\n`);
}

/** The run as it stands: begun, or taken up where a killed process has left it. */
function openBook(): CallBook {
  const isNew = store.owner(rid) === null;
  const pipeline = pipelineOf([STEP]);
  if (isNew) store.create(rid, beginnings({ rid, budgets, pipeline, steps: [], process: 0 }, store), 0);
  const epoch = isNew ? 1 : store.claim(rid, 10_000);
  const chance = { now: () => 0, day: () => day } as unknown as CallBook["chance"];
  const spool = { write: () => {}, read: () => null, remove: () => {}, flush: () => {}, list: () => [] };
  const log = new RunLog(rid, epoch, { store, chance, publish: () => {} });
  const opened: CallBook = { log, spool, chance, secrets: [], userLedger, health: NO_HEALTH };
  if (!isNew) log.record({ type: "run.resumed", epoch });
  reconcile(opened);
  for (const callId of Object.keys(log.run.openCalls)) loseReserved(opened, callId, "killed", "");
  if (stepState(log.run, STEP.id).conversation === 0) {
    const prompt = log.json({ system: "s", user: "u" });
    log.record({ type: "step.started", stepId: STEP.id, conversation: 1, tree: "t0", prompt, fingerprint: null });
  }
  return opened;
}

/** One call from its reservation to its settlement; false: the budget does not hold it. */
async function ask(on: CallBook, chanceOf: Dice): Promise<boolean> {
  const bound = chanceOf.between(200, 4_000);
  // Who has looked some time ago knows nothing: then the ledgers alone say no.
  const headroom = chanceOf.chance(0.5) ? { nanos: null, tokens: null } : headroomNow(on);
  const { price } = model;
  const wantedOutputTokens = chanceOf.between(512, 4_000);
  const planned = planReservation({ price, inputTokensBound: bound, wantedOutputTokens, headroom, mayGrow: false });
  if (planned.type !== "fits") return false;
  const call = reservedCall(on.log, model, requestOf(on), planned);
  say("reserve", call.callId);
  if (reserve(on, call, model) !== null) return false;
  say("send", call.callId);
  await new Promise(setImmediate);
  const usage = usageOf(chanceOf, bound, planned.maxTokens);
  // The provider has it in its books from here on, whatever becomes of us.
  say("bill", call.callId, costOf(price as NonNullable<ModelFacts["price"]>, usage), totalTokens(usage));
  if (chanceOf.chance(0.15)) loseReserved(on, call.callId, "nobody knows", "");
  else {
    const end = { type: "answered", parts: [], stop: "end", usage, providerCostNanos: null } as const;
    settleReserved(on, call.callId, { ...end, servedBy: null, cut: false }, model, "");
  }
  say("settled", call.callId);
  return true;
}

function headroomNow({ log }: CallBook): Headroom {
  const ofRun = headroomOf(budgets.run ?? {}, log.run.spend.run ?? NOTHING_SPENT);
  const ofWindows = WINDOWS.map((window) => headroomOf(ceilings[window] ?? {}, userLedger.spend(window, day)));
  return ofWindows.reduce(tightest, ofRun);
}

function requestOf({ log }: CallBook): Omit<ModelRequest, "maxTokens"> {
  const turn = stepState(log.run, STEP.id).calls + 1;
  const asker = { role: STEP.role, stepId: STEP.id, conversation: 1, turn };
  return { model: model.ref, system: "", messages: [], tools: [], asker };
}

function usageOf(chanceOf: Dice, bound: number, maxTokens: number): Usage {
  return { ...NO_USAGE, freshInput: chanceOf.between(1, bound), output: chanceOf.between(1, maxTokens) };
}
