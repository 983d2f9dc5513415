import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as turnOfTheLoop } from "node:timers/promises";
import type { LLMock } from "@copilotkit/aimock";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import type { StoredEvent } from "../../src/core/event.ts";
import { SqliteStore } from "../../src/store/sqlite-store.ts";
import { binary, startBinary } from "../support/cli.ts";
import { callOf } from "../support/doors.ts";
import { makeRepository } from "../support/git.ts";
import { type Journal, type KillWorld, leavings, leftOver, openKillWorld, processesOf } from "../support/kill-world.ts";
import { type KillMoment, killerOf, linesOf, seeded } from "../support/killer.ts";
import { type MockTurn, mockModels } from "../support/mock-models.ts";
import { APPROVAL, PLAN, RED_PROJECT, WORK } from "../support/scenario.ts";
import { tempDir } from "../support/temp.ts";

const KILLS = Number(process.env.CCP_KILLS ?? 30);
const SEED = Number(process.env.CCP_KILL_SEED ?? 20_261);
/** Turns of the event loop between the moment and the kill, at most: some 30 ms. */
const MOST_TURNS = 10_000;

const ROUTES = { planner: "claude-sonnet-5", doer: "claude-haiku-4-5", reviewer: "claude-opus-5" } as const;
const PIPELINE = `
pipeline:
  - role: planner
  - role: doer
    until: { run: "grep -q 'a + b' sum.mjs", attempts: 3 }
  - id: test
    run: touch left-over && node check.mjs
    check: true
  - role: reviewer
`;

const call = (tool: string, args: unknown) => ({ tool, args });
const usage = { input_tokens: 1000, output_tokens: 100 };
const edit = (old: string, now: string) => call("edit", { path: "sum.mjs", edits: [{ old, new: now }] });
const TURNS: readonly MockTurn[] = [
  { model: ROUTES.planner, turn: 1, say: "Looking.", calls: [call("read", { path: "sum.mjs" })], usage },
  { model: ROUTES.planner, turn: 2, calls: [call("finish", PLAN)], usage },
  // What is not the same twice: done again on what it left, it would show.
  {
    model: ROUTES.doer,
    turn: 1,
    calls: [
      edit("a - b", "a * b * 2"),
      call("bash", { command: "printf x >> notes.txt; mkdir docs; echo y > docs/y" }),
    ],
    usage,
  },
  { model: ROUTES.doer, turn: 2, calls: [call("finish", WORK)], usage },
  {
    model: ROUTES.doer,
    turn: 3,
    calls: [edit("a * b * 2", "a + b"), call("bash", { command: "printf y >> notes.txt" }), call("finish", WORK)],
    usage,
  },
  { model: ROUTES.reviewer, turn: 1, calls: [call("read", { path: "sum.mjs" })], usage },
  { model: ROUTES.reviewer, turn: 2, calls: [call("finish", APPROVAL)], usage },
];

describe("kill -9", () => {
  test(`at ${KILLS} moments (seed ${SEED}): a resume ends as if nothing had been, and sends no finished call twice`, async () => {
    const [template, mock] = [makeRepository(RED_PROJECT), await mockModels(TURNS)];
    const whole = await undisturbed(template, mock);
    const chance = seeded(SEED);
    let isBroken = false;
    const tally = { kills: 0, afterTheEnd: 0, lost: 0, recovered: 0 };
    const worker = async () => {
      while (tally.kills < KILLS && !isBroken) {
        tally.kills += 1;
        const moment = momentOf(tally.kills, whole.lines, chance);
        const outcome = await killAndResume(template, mock, moment, whole.left).catch((cause: unknown) => {
          isBroken = true;
          throw cause;
        });
        // A kill that came after the end is made up for by another.
        if (outcome === null) {
          tally.afterTheEnd += 1;
          tally.kills -= 1;
        }
        tally.lost += outcome?.lost ?? 0;
        tally.recovered += outcome?.recovered ?? 0;
      }
    };
    // Neither outlives the test, whatever becomes of the other.
    const workers = [worker(), worker()];
    await Promise.allSettled(workers);
    await Promise.all(workers);
    console.log(`seed ${SEED}: ${JSON.stringify(tally)} over ${whole.lines.length} lines and ${TURNS.length} requests`);
    expect(tally.kills).toBe(KILLS);
    if (KILLS >= 50) expect(tally.lost).toBeGreaterThan(0);
  }, 600_000);

  test("in the middle of a command: the resume ends what the run had started", async () => {
    const flag = join(tempDir("ccp-flag"), "started");
    const command = `test -e ${flag} || { setsid sleep 300 & touch ${flag}; sleep 300; }`;
    const turns = TURNS.map((turn) =>
      turn.model === ROUTES.doer && turn.turn === 1
        ? { ...turn, calls: [call("bash", { command }), ...(turn.calls ?? [])] }
        : turn,
    );
    const [template, mock] = [makeRepository(RED_PROJECT), await mockModels(turns)];
    // With a sandbox nothing outlives ccp, so there would be nothing to end.
    const world = await openKillWorld(template, mock);
    const child = startBinary(runCommand(world, `sandbox: off\n${PIPELINE}`), { cwd: world.root, env: world.env });
    for await (const line of linesOf(child)) if (line.includes('"tool.started"') && line.includes('"bash"')) break;
    while (!existsSync(flag)) await turnOfTheLoop();
    child.kill("SIGKILL");
    await once(child, "close");
    const rid = world.journal().run?.rid ?? "";
    expect(processesOf(rid).length).toBeGreaterThan(1);
    await resume(world, rid);
    expect(processesOf(rid)).toEqual([]);
    expect(leavings(world.root, rid)).toMatchObject({ status: "succeeded", usersTree: "" });
    await world.remove();
  });

  test("between an answer's last byte and its commit: the answer is kept, and not asked for again", async () => {
    const [template, mock] = [makeRepository(RED_PROJECT), await mockModels(TURNS)];
    let journal: Database.Database | null = null;
    const world = await openKillWorld(template, mock, {
      watch: ({ body }, happened) => {
        // Who holds the journal keeps the answer from being committed, but not from arriving.
        if (body.model !== ROUTES.doer || happened !== "asked" || journal !== null) return;
        journal = new Database(join(world.root, ".git", "ccp", "ccp.db"), { timeout: 10_000 });
        journal.exec("BEGIN IMMEDIATE");
      },
    });
    const child = startBinary(runCommand(world), { cwd: world.root, env: world.env });
    child.stdout?.resume();
    while (journal === null || !spooled(world.root).some((answer) => answer.includes("message_stop")))
      await turnOfTheLoop();
    child.kill("SIGKILL");
    await once(child, "close");
    (journal as Database.Database | null)?.close();
    const atKill = world.journal();
    expect(finishedCalls(atKill)).toEqual([`${ROUTES.planner} 1`, `${ROUTES.planner} 2`]);
    const sentBefore = world.doors.exchanges.length;
    await resume(world, atKill.run?.rid ?? "");
    expect(world.doors.exchanges.slice(sentBefore).map(callOf)).not.toContain(`${ROUTES.doer} 1`);
    expectLedger(world, world.journal(), "between the last byte and the commit");
    expect(world.journal().events.filter((event) => event.type === "call.lost")).toEqual([]);
    await world.remove();
  });
});

/** Answers that are on their way. */
function spooled(root: string): readonly string[] {
  const folder = join(root, ".git", "ccp", "spool");
  if (!existsSync(folder)) return [];
  return readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8"));
}

/** A third of the kills each: at any line, while a tool or a command is under way, and at a request. */
function momentOf(number: number, lines: readonly string[], chance: () => number): KillMoment {
  const below = (count: number) => Math.floor(chance() * count);
  const turns = below(MOST_TURNS);
  if (number % 3 === 0) return { on: "line", nth: 1 + below(lines.length - 1), turns: turns % 2 === 0 ? 0 : turns };
  if (number % 3 === 1) return { on: "started", nth: 1 + below(lines.filter(isStarted).length), turns };
  const on = (["asked", "answering", "answered"] as const)[below(3)] ?? "asked";
  return { on, nth: 1 + below(TURNS.length), turns: turns % 2 === 0 ? 0 : turns };
}

function isStarted(line: string): boolean {
  return /"type":"(tool|command)\.started"/.test(line);
}

async function undisturbed(template: string, mock: LLMock) {
  const world = await openKillWorld(template, mock);
  const { code, stdout, stderr } = await binary(runCommand(world), { cwd: world.root, env: world.env });
  expect(code, stderr).toBe(0);
  const rid = world.journal().run?.rid ?? "";
  const left = leavings(world.root, rid);
  expect(left).toMatchObject({ status: "succeeded", tree: left.committed, usersTree: "" });
  expect(left.patch).toContain("a + b");
  await world.remove();
  return { left, lines: stdout.trimEnd().split("\n") };
}

function runCommand(world: KillWorld, text = PIPELINE): readonly string[] {
  const pipeline = join(world.root, "..", "pipeline.yaml");
  writeFileSync(pipeline, text);
  const models = Object.entries(ROUTES).map(([role, model]) => `--model=${role}=anthropic/${model}`);
  // A lost call is charged in full: room for one of the dearest.
  return ["run", "--pipeline", pipeline, "--budget=20", ...models, "--json", "Make sum add."];
}

/** Null: the run was over before it was killed. */
async function killAndResume(
  template: string,
  mock: LLMock,
  moment: KillMoment,
  undisturbedEnd: Readonly<Record<string, string>>,
): Promise<{ readonly lost: number; readonly recovered: number } | null> {
  const world = await openKillWorld(template, mock, {
    watch: (_exchange, happened) => killer.saw(happened),
  });
  const child = startBinary(runCommand(world), { cwd: world.root, env: world.env });
  const killer = killerOf(child, moment);
  const closed = once(child, "close");
  for await (const line of linesOf(child)) {
    killer.saw("line");
    if (isStarted(line)) killer.saw("started");
  }
  const [, signal] = await closed;
  const told = `killed at ${moment.on} ${moment.nth} and ${moment.turns} turns, seed ${SEED}`;
  const atKill = world.journal();
  const sentBefore = world.doors.exchanges.length;
  if (signal !== "SIGKILL" || atKill.run?.status !== "running") {
    await world.remove();
    return null;
  }
  const { rid } = atKill.run;
  await resume(world, rid);

  expect(leavings(world.root, rid), told).toEqual(undisturbedEnd);
  const after = world.journal();
  const sentAgain = world.doors.exchanges.slice(sentBefore).map(callOf);
  expect(
    sentAgain.filter((sent) => finishedCalls(atKill).includes(sent)),
    told,
  ).toEqual([]);
  expectLedger(world, after, told);
  await world.remove();
  const lost = after.events.filter((event) => event.type === "call.lost").length;
  if (moment.on === "asked" && moment.turns === 0) expect(lost, told).toBe(1);
  return { lost, recovered: finishedCalls(after).length - new Set([...finishedCalls(atKill), ...sentAgain]).size };
}

async function resume(world: KillWorld, rid: string): Promise<void> {
  const { code, stdout, stderr } = await binary(["resume", rid, "--json"], { cwd: world.root, env: world.env });
  expect(code, `${stderr}\n${stdout}`).toBe(0);
}

/** Calls that were answered, on record, as the server would name them. */
function finishedCalls({ events }: Journal): readonly string[] {
  const reserved = new Map(events.flatMap((event) => (event.type === "call.reserved" ? [[event.callId, event]] : [])));
  return events.flatMap((event) => {
    const call = event.type === "call.settled" ? reserved.get(event.callId) : undefined;
    return call ? [`${call.model.slice("anthropic/".length)} ${call.turn}`] : [];
  });
}

/** All that was sent is settled or lost, once, and booked so; nothing is held; nothing else is left. */
function expectLedger(world: KillWorld, { run, events }: Journal, told: string): void {
  const store = new SqliteStore(join(world.root, ".git", "ccp"));
  try {
    const charged = (event: StoredEvent) => {
      if (event.type === "call.lost") return event.heldNanos;
      return event.type === "call.settled" ? event.costNanos : 0;
    };
    const nanos = events.reduce((sum, event) => sum + charged(event), 0);
    expect(store.ledger(run?.rid ?? "", "run"), told).toMatchObject({
      settledNanos: nanos,
      heldNanos: 0,
      heldTokens: 0,
    });
    expect(finishedCalls({ run, events }).toSorted(), told).toEqual(
      TURNS.map(({ model, turn }) => `${model} ${turn}`).toSorted(),
    );
    expect(leftOver(world, run?.rid ?? "", store), told).toEqual([]);
  } finally {
    store.close();
  }
}
