import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { SqliteStore } from "../../src/store/sqlite-store.ts";
import { binary, type CliResult, finished, startBinary } from "../support/cli.ts";
import { git, makeRepository } from "../support/git.ts";
import { eventsOf, journalOf } from "../support/journal.ts";
import { processesOf } from "../support/kill-world.ts";
import { APPROVES, call, MENDS, PLANS, rejectedRun, STEPS } from "../support/mending.ts";
import { fileOf, type MockSite, mockSite } from "../support/mock-site.ts";
import { ccpAt, type Site } from "../support/proof.ts";
import { PARAGRAPH } from "../support/prose.ts";
import { resultOf } from "../support/refusal.ts";
import { RED_PROJECT } from "../support/scenario.ts";

const LONG = { timeout: 60_000, interval: 20 };

/** A run that another process drives. */
interface Driven {
  readonly on: MockSite;
  readonly rid: string;
  readonly owner: ChildProcess;
  readonly end: Promise<CliResult>;
}

async function drivenElsewhere(on: MockSite): Promise<Driven> {
  const before = await ridsOf(on);
  const argv = ["run", "--pipeline", on.pipeline(`sandbox: off\n${fileOf(STEPS)}`), "--json", "Make sum add."];
  const owner = startBinary(argv, { cwd: on.cwd, env: on.env });
  const end = finished(owner);
  const rid = await vi.waitUntil(async () => (await ridsOf(on)).find((one) => !before.includes(one)), LONG);
  return { on, rid, owner, end };
}

async function ridsOf(on: Site): Promise<readonly string[]> {
  return JSON.parse((await ccpAt(on, "runs", "--json")).stdout).runs.map(({ rid }: { rid: string }) => rid);
}

const COMMAND_PID = "command.pid";

/** In the middle of a command that ends only once it is let go. */
async function inACommand(): Promise<Driven> {
  const on = await mockSite(makeRepository(RED_PROJECT));
  const [pid, gate] = [join(on.outside, COMMAND_PID), join(on.outside, "gate")];
  const command = `echo begun >> log.txt; echo $$ > '${pid}.new'; mv '${pid}.new' '${pid}'; until test -e '${gate}'; do sleep 0.02; done; echo ended >> log.txt`;
  on.answer(PLANS, { ...MENDS, calls: [call("bash", { command }), ...(MENDS.calls ?? [])] }, APPROVES);
  const driven = await drivenElsewhere(on);
  await vi.waitUntil(() => existsSync(pid), LONG);
  return driven;
}

/** In the middle of an answer that takes some minutes. */
async function inAnAnswer(): Promise<Driven> {
  const on = await mockSite(makeRepository(RED_PROJECT));
  on.answer(PLANS, { ...MENDS, say: PARAGRAPH.repeat(45), isSlow: true }, APPROVES);
  const driven = await drivenElsewhere(on);
  const asked: string[] = [];
  await vi.waitUntil(() => asked.push(...on.asked()) && asked.includes("doer 1"), LONG);
  return driven;
}

/** The run comes to the end that it would have had, and nobody else is at it. Returns how its owner ended. */
async function steal({ on, rid, end }: Driven): Promise<CliResult> {
  const ended = finished(startBinary(["resume", rid, "--steal", "--json"], { cwd: on.cwd, env: on.env }));
  const owner = await end;
  writeFileSync(join(on.outside, "gate"), "");
  const resumed = await ended;
  expect(resultOf(resumed.stdout), resumed.stderr).toMatchObject({ rid, status: "succeeded", exitCode: 0 });
  expect(eventsOf(on, rid, "run.resumed")).toMatchObject([{ epoch: 2 }]);
  expect(processesOf(rid)).toEqual([]);
  expect(git(on.root, "show", `ccp/${rid}:sum.mjs`)).toContain("a + b");
  return owner;
}

/** The process id of the command that is waiting. */
function commandOf({ on }: Driven): number {
  return Number(readFileSync(join(on.outside, COMMAND_PID), "utf8"));
}

describe("resume --steal", () => {
  test("stops the owner in the middle of a command, of an answer, and one that does not listen, and goes on", async () => {
    const scenes = await Promise.all([inACommand(), inAnAnswer(), inACommand()]);
    const [working, asking, deaf] = scenes;
    // Another run of the same repository: nobody wants anything of it.
    const survivor = commandOf(working);
    const bystander = await drivenElsewhere(working.on);
    await vi.waitUntil(() => commandOf(working) !== survivor, LONG);
    for (const { on, rid } of scenes) {
      const before = journalOf(on, rid);
      const refused = await ccpAt(on, "resume", rid);
      expect(refused).toMatchObject({ code: 7, stderr: expect.stringMatching(/is being run by pid \d+/) });
      expect(journalOf(on, rid)).toEqual(before);
    }
    asking.on.answer(PLANS, MENDS, APPROVES);
    deaf.owner.kill("SIGSTOP");
    const owners = await Promise.all(scenes.map(steal));
    expect(owners).toMatchObject([{ code: 143 }, { code: 143 }, { code: null, signal: "SIGKILL" }]);
    expect(() => process.kill(survivor, 0)).toThrow();
    for (const { on, rid } of [working, deaf])
      expect(git(on.root, "show", `ccp/${rid}:log.txt`)).toBe("begun\nended\n");
    expect(eventsOf(asking.on, asking.rid, "call.lost")).toMatchObject([{ stepId: "doer" }]);
    expect(resultOf((await bystander.end).stdout)).toMatchObject({ rid: bystander.rid, status: "succeeded" });
  }, 120_000);

  test("of a run that nobody drives is a resume, and of one that is over the same refusal", async () => {
    const { on, run } = await rejectedRun();
    on.answer(APPROVES);
    expect(resultOf((await ccpAt(on, "resume", "--steal", "--json")).stdout)).toMatchObject({
      rid: run.rid,
      exitCode: 0,
    });
    expect(await ccpAt(on, "resume", "--steal")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("already succeeded"),
    });
  });

  test("touches no process of which it cannot tell that it is the owner, and says who must be asked", async () => {
    const { on, run } = await rejectedRun();
    const sleeper = spawn("sleep", ["600"]);
    onTestFinished(() => void sleeper.kill("SIGKILL"));
    const store = new SqliteStore(join(on.root, ".git/ccp"));
    onTestFinished(() => store.close());
    store.claim(run.rid);
    const owners = [
      [sleeper.pid, "elsewhere.example", "1", /it runs on elsewhere\.example: stop it there/],
      // The process that had this number has long ended.
      [sleeper.pid, null, "1", new RegExp(`kill -9 ${sleeper.pid}`)],
      [process.pid, null, null, new RegExp(`kill -9 ${process.pid}`)],
    ] as const;
    const database = new Database(join(on.root, ".git/ccp/ccp.db"));
    onTestFinished(() => void database.close());
    for (const [pid, host, startedAt, next] of owners) {
      const set = "UPDATE run SET owner_pid = ?, owner_host = coalesce(?, owner_host), owner_started = ?";
      const here = database.prepare<[], { owner_host: string }>("SELECT owner_host FROM run").get()?.owner_host;
      database.prepare(set).run(pid, host, startedAt);
      const { code, stderr } = await binary(["resume", "--steal"], { cwd: on.cwd, env: on.env });
      expect({ code, stderr }, stderr).toMatchObject({ code: 7, stderr: expect.stringMatching(next) });
      expect(stderr).toContain("nothing was changed");
      database.prepare("UPDATE run SET owner_host = ?").run(here);
    }
    expect(sleeper.exitCode ?? sleeper.signalCode).toBe(null);
    expect(on.asked()).toEqual([]);
  });
});
