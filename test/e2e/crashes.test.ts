import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { finished, startBinary } from "../support/cli.ts";
import { git, makeRepository } from "../support/git.ts";
import { eventsOf, journalOf } from "../support/journal.ts";
import { processesOf } from "../support/kill-world.ts";
import { APPROVES, call, DOER, MENDS, PLANNER, PLANS, REVIEWER, STEPS } from "../support/mending.ts";
import { driven, fileOf, type MockSite, mockSite } from "../support/mock-site.ts";
import { ccpAt, type Site } from "../support/proof.ts";
import { PARAGRAPH } from "../support/prose.ts";
import { resultOf } from "../support/refusal.ts";
import { RED_PROJECT } from "../support/scenario.ts";
import { killedAt } from "../support/stopped.ts";

const LONG = { timeout: 30_000, interval: 10 };
const WORDS = "The sign is wrong. ";

/** A run that was killed while the doer's answer was arriving, with a part of its text there. */
async function killedInAnAnswer(rule: string): Promise<{ readonly on: MockSite; readonly rid: string }> {
  const on = await mockSite(makeRepository(RED_PROJECT));
  on.answer(PLANS, { ...MENDS, say: `${WORDS}${PARAGRAPH}`.repeat(8), isSlow: true });
  const argv = ["run", "--pipeline", on.pipeline(fileOf(STEPS, rule)), "--json", "Make sum add."];
  const child = startBinary(argv, { cwd: on.cwd, env: on.env });
  child.stdout?.resume();
  await vi.waitUntil(() => spooled(on).includes("wrong"), LONG);
  child.kill("SIGKILL");
  await once(child, "close");
  expect(on.asked()).toEqual(["planner 1", "doer 1"]);
  const rid = JSON.parse((await ccpAt(on, "runs", "--json")).stdout).runs[0].rid;
  return { on, rid };
}

/** The bytes of answers that are arriving. */
function spooled(on: Site): string {
  const folder = join(on.root, ".git/ccp/spool");
  const names = existsSync(folder) ? readdirSync(folder) : [];
  return names.map((name) => readFileSync(join(folder, name), "utf8")).join("");
}

describe("a call that was sent and whose outcome nobody knows", () => {
  test("is charged in full, shown with what had arrived of it, and asked again as a call of its own", async () => {
    const { on, rid } = await killedInAnAnswer("");
    on.answer(PLANS, MENDS, APPROVES);
    const { code, stdout, stderr } = await ccpAt(on, "resume", "--ui", "plain");
    expect(code, stderr).toBe(0);
    expect(on.asked()).toEqual(["doer 1", "reviewer 1"]);
    expect(stderr).toMatch(/outcome is unknown, charged in full: \$.*of its text is kept: ccp view r-\w+ --step doer/);
    expect(stderr).toContain(`asks again what was lost as call ${rid}.doer.1`);
    expect(stdout).toMatch(/1 call lost: sent, outcome unknown, charged in full/);
    const calls = journalOf(on, rid).filter(({ type }) => type === "call.lost" || type === "call.reserved");
    expect(calls).toMatchObject([
      { type: "call.reserved", callId: `${rid}.planner.1`, retryOf: null },
      { type: "call.reserved", callId: `${rid}.doer.1`, retryOf: null },
      { type: "call.lost", callId: `${rid}.doer.1` },
      { type: "call.reserved", callId: `${rid}.doer.2`, retryOf: `${rid}.doer.1`, turn: 1, conversation: 1 },
      { type: "call.reserved", callId: `${rid}.reviewer.1`, retryOf: null },
    ]);
    expect((await ccpAt(on, "view")).stdout).toMatch(/1 call lost/);
    const told = (await ccpAt(on, "view", "--step", "doer")).stdout;
    expect(told).toMatch(/did not arrive whole, and is not used:\n +┆ The sign is wrong\. /);
    expect(spooled(on)).toBe("");
  });

  test("stops the run where the pipeline says so, and is asked again by the next resume", async () => {
    const { on, rid } = await killedInAnAnswer("on_lost_call: stop\n");
    on.answer(PLANS, MENDS, APPROVES);
    const stopped = await ccpAt(on, "resume", "--json");
    expect(stopped.code).toBe(3);
    expect(resultOf(stopped.stdout)).toMatchObject({
      rid,
      status: "paused",
      exitCode: 3,
      lostCalls: 1,
      heldNanos: 0,
      reason: expect.stringMatching(/a call was lost/),
    });
    expect(resultOf(stopped.stdout).next[0]).toBe(`ccp resume ${rid}`);
    expect(on.asked()).toEqual([]);
    expect((await ccpAt(on, "view")).stdout).toMatch(/paused[\s\S]*1 call lost/);
    const done = await driven(on, 0, "resume");
    expect(on.asked()).toEqual(["doer 1", "reviewer 1"]);
    expect(done.rid).toBe(rid);
    const again = journalOf(on, rid).filter((event) => event.type === "call.reserved" && event.stepId === "doer");
    expect(again).toMatchObject([{ retryOf: null }, { retryOf: `${rid}.doer.1` }]);
  });
});

describe("work that a crash has cut off", () => {
  test("is told as it is done again: a command of the doer's may have acted outside the worktree", async () => {
    const on = await mockSite(makeRepository(RED_PROJECT));
    const [gate, outside] = [join(on.outside, "gate"), join(on.outside, "outside")];
    const command = `echo half >> half.txt; echo acted >> '${outside}'; until test -e '${gate}'; do sleep 0.02; done`;
    on.answer(PLANS, { ...MENDS, calls: [call("bash", { command }), ...(MENDS.calls ?? [])] }, APPROVES);
    const argv = ["run", "--pipeline", on.pipeline(`sandbox: off\n${fileOf(STEPS)}`), "Make sum add."];
    const { rid } = await killedAt(on, argv, '"type":"tool.started","stepId":"doer"', () => existsSync(outside));
    writeFileSync(gate, "");
    const { code, stderr } = await ccpAt(on, "resume", "--ui", "plain");
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(
      /^! doer {2}bash `echo half .*was interrupted; it is run again .* outside the worktree it may do twice$/m,
    );
    expect(stderr).toContain(
      `files put back to what is on record; what was there is kept in results/${rid}/undone-2.patch`,
    );
    expect(readFileSync(join(on.root, "results", rid, "undone-2.patch"), "utf8")).toContain("+half");
    expect(readFileSync(outside, "utf8")).toBe("acted\nacted\n");
    expect(git(on.root, "show", `ccp/${rid}:half.txt`)).toBe("half\n");
    expect((await ccpAt(on, "view", "--step", "doer")).stdout).toContain(
      "bash was interrupted and is called again: echo half",
    );
    expect(eventsOf(on, rid, "tool.interrupted")).toMatchObject([{ tool: "bash", outside: true, subject: command }]);
    expect(on.asked()).toEqual(["planner 1", "doer 1", "reviewer 1"]);
  });

  test("is told of a step's command and of the set-up as well", async () => {
    const on = await mockSite(makeRepository(RED_PROJECT));
    const [gate, began] = [join(on.outside, "gate"), join(on.outside, "began")];
    const waits = (file: string) => `echo x >> ${file}; touch '${began}'; until test -e '${gate}'; do sleep 0.02; done`;
    on.answer(PLANS, MENDS, APPROVES);
    const setup = `workspace: { setup: "${waits("made.txt")}" }\n`;
    const steps = `${PLANNER + DOER}  - { id: format, run: "rm '${gate}'; ${waits("formatted.txt")}", changes: keep }\n${REVIEWER}`;
    const argv = ["run", "--pipeline", on.pipeline(`sandbox: off\n${fileOf(steps, setup)}`), "Make sum add."];
    const { rid } = await killedAt(on, argv, '"type":"command.started","commandId":"setup"', () => existsSync(began));
    rmSync(began);
    writeFileSync(gate, "");
    await killedAt(on, ["resume", rid], '"type":"command.started","commandId":"step.format.1"', () =>
      existsSync(began),
    );
    rmSync(began);
    const resumed = startBinary(["resume", "--ui", "plain"], { cwd: on.cwd, env: on.env });
    const end = finished(resumed);
    await vi.waitUntil(() => existsSync(began), LONG);
    writeFileSync(gate, "");
    const { code, stderr } = await end;
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(/^! set-up: `echo x .*was interrupted; it is run again/m);
    expect(stderr).toMatch(/^! format {2}`rm .*was interrupted; it is run again/m);
    expect(eventsOf(on, rid, "command.interrupted")).toMatchObject([
      { purpose: "setup", stepId: null },
      { purpose: "step", stepId: "format" },
    ]);
    for (const file of ["made.txt", "formatted.txt"]) expect(git(on.root, "show", `ccp/${rid}:${file}`)).toBe("x\n");
    expect(processesOf(rid)).toEqual([]);
  });
});
