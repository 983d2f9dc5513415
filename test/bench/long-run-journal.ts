import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TreeHash } from "../../src/core/event.ts";
import { foldRun } from "../../src/core/fold-run.ts";
import { SqliteStore } from "../../src/store/sqlite-store.ts";
import { ROOT } from "../smoke/smoke.ts";
import { type Fact, startFact, type Turn, turnFacts } from "./agent-work.ts";
import type { SampleRepository } from "./sample-repository.ts";

const STEPS = 100;
/** With the four facts of a turn, 100,000 events. */
const TURNS = 252;
/** Fewer in the step that is under way: a role has only so many. */
const LAST_TURNS = 100;
const EVENTS_SINCE_FOLD = 500;
const FACTS_PER_COMMIT = 1_000;

/** A run that was killed in the last of its 100 steps: which one, and how much is on record. */
export interface LongRun {
  readonly rid: string;
  readonly tree: TreeHash;
  readonly events: number;
  /** Model calls, and the bytes of what was said and read in them. */
  readonly calls: number;
  readonly payloadBytes: number;
}

/** Lets ccp begin a run in the repository and puts all that it might have done since straight into its journal. */
export function recordLongRun(sample: SampleRepository, folder: string): LongRun {
  const { rid, tree } = beginRun(sample, folder);
  const store = new SqliteStore(sample.stateDir);
  const epoch = store.claim(rid);
  const append = (facts: readonly Fact[]) => {
    for (const { payload } of facts) if (payload) store.putBlob(payload);
    store.append(
      rid,
      epoch,
      facts.map(({ event }) => event),
      Date.now(),
    );
  };
  append([{ event: { type: "run.resumed", epoch }, payload: null }]);
  const facts = Array.from({ length: STEPS }, (_, index) => stepFacts(rid, index + 1, tree)).flat();
  for (let at = 0; at < facts.length; at += FACTS_PER_COMMIT) append(facts.slice(at, at + FACTS_PER_COMMIT));
  const events = store.events(rid);
  // As often as the engine does it: the last fold is behind by what came since.
  store.keepFolded(foldRun(rid, events.slice(0, -EVENTS_SINCE_FOLD)));
  store.close();
  return {
    rid,
    tree,
    events: events.length,
    calls: (STEPS - 1) * TURNS + LAST_TURNS,
    payloadBytes: facts.reduce((sum, { payload }) => sum + (payload?.length ?? 0), 0),
  };
}

/**
 * The transcript has no answer to the first call, so that the run fails there: worktree and all are there by then. The
 * call that is asked on resume is never answered, so that nothing happens between it and the kill.
 */
function beginRun({ root, stateDir, env }: SampleRepository, folder: string): { rid: string; tree: TreeHash } {
  const at = (name: string) => join(folder, name);
  const steps = Array.from({ length: STEPS }, (_, index) => `  - { id: ${stepId(index + 1)}, role: doer }\n`).join("");
  writeFileSync(at("pipeline.yaml"), `budget: { usd: none, minutes: none }\npipeline:\n${steps}`);
  const never = 2 ** 31 - 1;
  writeFileSync(
    at("transcript.yaml"),
    `turns: [{ role: doer, turn: ${LAST_TURNS + 1}, say: Done., delay_ms: ${never} }]\n`,
  );
  const argv = ["run", "--pipeline", at("pipeline.yaml"), "--transcript", at("transcript.yaml"), "--json", "Work."];
  const { status, stderr } = spawnSync(process.execPath, [join(ROOT, "dist", "main.js"), ...argv], {
    cwd: root,
    env,
    encoding: "utf8",
  });
  if (status !== 1) throw new Error(`ccp run ended with ${status}\n${stderr}`);
  const store = new SqliteStore(stateDir);
  const rid = store.runs()[0]?.rid ?? "";
  const tree = store.events(rid).findLast((event) => event.type === "workspace.prepared")?.tree ?? "";
  store.close();
  return { rid, tree };
}

function stepFacts(rid: string, ordinal: number, tree: TreeHash): readonly Fact[] {
  // The first step has failed once.
  const step = { rid, stepId: stepId(ordinal), conversation: ordinal === 1 ? 2 : 1, tree };
  const isLast = ordinal === STEPS;
  const turns = Array.from({ length: isLast ? LAST_TURNS : TURNS }, (_, index) => ({ ...step, turn: index + 1 }));
  const begun = startFact({ ...step, turn: 1 });
  return [begun, ...turns.flatMap(turnFacts), ...(isLast ? [] : [endFact({ ...step, turn: TURNS })])];
}

/** What a step hands over is what its last tool said. */
function endFact(last: Turn): Fact {
  const event = turnFacts(last).at(-1)?.event;
  if (event?.type !== "tool.finished") throw new Error("a turn ends with a tool");
  const { stepId, conversation, tree } = last;
  const outcome = { status: "succeeded", output: event.result, finish: null } as const;
  return { event: { type: "step.finished", stepId, conversation, outcome, tree }, payload: null };
}

function stepId(ordinal: number): string {
  return `step-${ordinal}`;
}
