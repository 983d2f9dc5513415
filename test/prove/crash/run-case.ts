import { messageOf } from "../../../src/core/errors.ts";
import { answeredTurns, lostCalls, openCalls } from "./calls.ts";
import type { Ground } from "./ground.ts";
import { type Ended, type Kill, NEVER } from "./killed-process.ts";
import { lookAt, type Picture } from "./picture.ts";
import { violationsOf } from "./violations.ts";
import { openWorld, type World } from "./world.ts";

/** What stood on record when a process was killed. */
export interface Killed {
  /** The kill point, without its number; `random` for one that was killed from outside. */
  readonly name: string;
  /** Which process it was: 0 the first, 1 the first that went on, … */
  readonly process: number;
  /** Requests whose outcome was on record, as the server names them. */
  readonly answered: readonly string[];
  /** Ids of the calls that were in flight. */
  readonly open: readonly string[];
  /** Those of them whose whole answer was kept: they are not to be lost. */
  readonly kept: readonly string[];
  /** Requests that the server had on its log. */
  readonly requests: number;
}

/** What became of one case. */
export interface CaseOutcome {
  readonly killed: readonly Killed[];
  /** Ids of the calls that are lost. Those that were in flight and are not were settled from what was kept of the answer. */
  readonly lost: readonly string[];
  /** Empty: all is as if nothing had been. */
  readonly violations: readonly string[];
  /** Null where there is nothing to be looked at: the violations say why. */
  readonly picture: Picture | null;
  /** How the last process ended. */
  readonly last: Ended;
  readonly durationMs: number;
}

/** One run, killed as it says, process after process, and then left to go on to its end. `undisturbed`: what it is to be like. */
export async function runCase(
  ground: Ground,
  name: string,
  kills: readonly Kill[],
  undisturbed: Picture | null,
): Promise<CaseOutcome> {
  const startedAt = performance.now();
  const world = await openWorld(ground, name);
  try {
    const { killed, last } = await drive(world, kills);
    const judged = await judge(world, killed, last, undisturbed);
    const lost = lostCalls(world.journal().events).map(({ callId }) => callId);
    return { killed, last, lost, ...judged, durationMs: performance.now() - startedAt };
  } finally {
    await world.remove();
  }
}

async function drive(
  world: World,
  kills: readonly Kill[],
): Promise<{ readonly killed: readonly Killed[]; readonly last: Ended }> {
  const killed: Killed[] = [];
  for (const kill of [...kills, NEVER]) {
    const last = await goOn(world, kill);
    if (!last.isKilled) return { killed, last };
    killed.push(recordOf(world, last, kill, killed.length));
  }
  throw new Error("a process was killed that nobody wanted to kill");
}

/** What a user does: begins, goes on, or looks at what is over. */
function goOn(world: World, kill: Kill): Promise<Ended> {
  const { run } = world.journal();
  if (run === null) return world.run(kill);
  return world.ccp(run.status === "succeeded" ? ["view", run.rid] : ["resume", run.rid, "--json"], kill);
}

/** What an answer on this wire ends with. */
const LAST_EVENT = '"type":"message_stop"';

function recordOf(world: World, ended: Ended, kill: Kill, process: number): Killed {
  const { events } = world.journal();
  const open = openCalls(events);
  const place = kill.kind === "after" ? "random" : (ended.hits.at(-1) ?? "start");
  return {
    name: place.replace(/:\d+$/, ""),
    process,
    answered: answeredTurns(events),
    open,
    kept: open.filter((callId) => world.spooled(callId).includes(LAST_EVENT)),
    requests: world.models.getRequests().length,
  };
}

async function judge(
  world: World,
  killed: readonly Killed[],
  last: Ended,
  undisturbed: Picture | null,
): Promise<Pick<CaseOutcome, "picture" | "violations">> {
  const end = last.code === 0 ? [] : [`the last process ended with ${last.code}: ${last.stderr.trim()}`];
  try {
    const picture = await lookAt(world);
    return { picture, violations: [...end, ...(await violationsOf({ world, killed, picture, undisturbed }))] };
  } catch (failure) {
    return { picture: null, violations: [...end, `what it left cannot be looked at: ${messageOf(failure)}`] };
  }
}
