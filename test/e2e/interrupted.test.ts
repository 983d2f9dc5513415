import { type ChildProcess, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { stringify } from "yaml";
import type { StoredEvent } from "../../src/core/event.ts";
import { BINARY, binary, type CliResult, finished, startBinary } from "../support/cli.ts";
import { git } from "../support/git.ts";
import { ccpAt, DOER_ONLY, footprint, type Site, site } from "../support/proof.ts";
import { type RunResult, resultOf, traces } from "../support/refusal.ts";
import { type ScriptedTurn, WORK } from "../support/scenario.ts";
import { tempDir } from "../support/temp.ts";

const call = (tool: string, args: unknown) => ({ tool, args });
const LONG = { timeout: 20_000, interval: 10 };

/** A doer at work: a write, a command that waits to be let go, a write, and the finish. */
interface Scene {
  readonly on: Site;
  readonly argv: readonly string[];
  /** The command waits for it. */
  readonly gate: string;
  /** Holds the command's process id once it has begun. */
  readonly pid: string;
}

const USAGE = { input: 3000, output: 200 };

function scene(pipeline: string = DOER_ONLY): Scene {
  const on = site({ "a.txt": "one\n" });
  const [gate, pid] = [join(on.outside, "go"), join(on.outside, "pid")];
  onTestFinished(() => endCommand(pid));
  const command = `echo begun >> b.txt; echo $$ > '${pid}.new'; mv '${pid}.new' '${pid}'; until test -e '${gate}'; do sleep 0.02; done; echo ended >> b.txt`;
  writeTranscript(on, [
    {
      role: "doer",
      turn: 1,
      calls: [call("edit", { path: "a.txt", edits: [{ old: "one", new: "two" }] })],
      usage: USAGE,
    },
    { role: "doer", turn: 2, calls: [call("bash", { command })], usage: USAGE },
    { role: "doer", turn: 3, calls: [call("write", { path: "c.txt", content: "three\n" })], usage: USAGE },
    { role: "doer", turn: 4, calls: [call("finish", WORK)], usage: USAGE },
  ]);
  // The command tells of itself outside of the worktree, which a sandbox would not let it do.
  writeFileSync(join(on.outside, "pipeline.yaml"), `sandbox: off\n${pipeline}`);
  const flags = ["--transcript", join(on.outside, "transcript.yaml"), "--pipeline", join(on.outside, "pipeline.yaml")];
  return { on, argv: ["run", ...flags, "Do it."], gate, pid };
}

/** A test that fails leaves its command waiting for ever. Another process may have its id by now: its words tell. */
function endCommand(pidFile: string): void {
  if (!existsSync(pidFile)) return;
  const pid = readFileSync(pidFile, "utf8").trim();
  const isOurs = existsSync(`/proc/${pid}`) && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(pidFile);
  if (isOurs) process.kill(Number(pid), "SIGKILL");
}

function writeTranscript(on: Site, turns: readonly ScriptedTurn[]): void {
  writeFileSync(join(on.outside, "transcript.yaml"), stringify({ turns }));
}

/** A running binary, and all that it has written so far. */
interface Started {
  readonly child: ChildProcess;
  readonly end: Promise<CliResult>;
  /** Waits until standard error says so. */
  said(pattern: RegExp): Promise<unknown>;
}

function start(on: Site, ...argv: readonly string[]): Started {
  const child = startBinary(argv, { cwd: on.cwd, env: on.env });
  let stderr = "";
  child.stderr?.on("data", (text) => {
    stderr += text;
  });
  return { child, end: finished(child), said: (pattern) => vi.waitUntil(() => pattern.test(stderr), LONG) };
}

async function startInCommand({ on, argv, pid }: Scene, ...flags: readonly string[]): Promise<Started> {
  const started = start(on, ...argv, ...flags);
  await vi.waitUntil(() => existsSync(pid), LONG);
  return started;
}

const open = (path: string) => writeFileSync(path, "");

/** The process is gone, or only its parent has not collected it yet. */
function isGone(pidFile: string): boolean {
  return isEnded(Number(readFileSync(pidFile, "utf8")));
}

function isEnded(pid: number): boolean {
  try {
    return /\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return true;
  }
}

/** The run goes on to the end that it would have had: each line once, each call sent and answered once. */
async function proveResumed(
  { on }: Scene,
  rid: string,
  flags: readonly string[] = [],
  expected: Partial<RunResult> = { lostCalls: 0 },
): Promise<readonly StoredEvent[]> {
  const resumed = await ccpAt(on, "resume", rid, "--json", ...flags);
  expect(resultOf(resumed.stdout), resumed.stderr).toMatchObject({
    rid,
    status: "succeeded",
    exitCode: 0,
    heldNanos: 0,
    ...expected,
  });
  const show = (path: string) => git(on.root, "show", `ccp/${rid}:${path}`);
  expect([show("a.txt"), show("b.txt"), show("c.txt")]).toEqual(["two\n", "begun\nended\n", "three\n"]);
  const events = eventsOf(on, rid);
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
  expect(answeredTurns(events)).toEqual([1, 2, 3, 4]);
  return events;
}

function eventsOf(on: Site, rid: string): readonly StoredEvent[] {
  const text = readFileSync(join(on.root, "results", rid, "events.ndjson"), "utf8");
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

/** The turns of all calls that were answered, in order. */
function answeredTurns(events: readonly StoredEvent[]): readonly number[] {
  const turns = new Map(
    events.flatMap((event) => (event.type === "call.reserved" ? [[event.callId, event.turn] as const] : [])),
  );
  return events.flatMap((event) => (event.type === "call.settled" ? [turns.get(event.callId) ?? 0] : []));
}

describe("Ctrl-C", () => {
  test("once lets what is under way end, then pauses; the run goes on to the end that it would have had", async () => {
    const at = scene();
    const before = footprint(at.on.root);
    const { child, end, said } = await startInCommand(at, "--ui", "plain");
    child.kill("SIGINT");
    await said(/pausing when what is under way has ended; again: stop now\. Nothing is lost\./);
    expect(isGone(at.pid)).toBe(false);
    open(at.gate);
    const { code, stdout } = await end;
    const rid = /paused {2}(r-\w+)/.exec(stdout)?.[1] ?? "";
    expect(code).toBe(130);
    expect(stdout).toContain(`ccp resume ${rid}`);
    expect(git(at.on.root, "show", `ccp/${rid}:b.txt`)).toBe("begun\nended\n");
    expect(footprint(at.on.root)).toEqual(before);

    const events = await proveResumed(at, rid);
    expect(events.filter(({ type }) => type === "tool.started")).toHaveLength(4);
    expect(footprint(at.on.root)).toEqual(before);
  });

  test("twice stops at once: nothing that it had started is left, and what was half done is done again", async () => {
    const at = scene();
    const { child, end, said } = await startInCommand(at, "--ui", "plain");
    child.kill("SIGINT");
    await said(/pausing/);
    child.kill("SIGINT");
    const { code, stdout } = await end;
    expect(code).toBe(130);
    expect(isGone(at.pid)).toBe(true);
    const rid = /paused {2}(r-\w+)/.exec(stdout)?.[1] ?? "";
    open(at.gate);
    const events = await proveResumed(at, rid);
    expect(events.filter(({ type }) => type === "tool.started")).toHaveLength(5);
  });

  test("twice while an answer is awaited charges the call that is cut off in full, and asks again on resume", async () => {
    const at = scene();
    open(at.gate);
    const transcript = join(at.on.outside, "transcript.yaml");
    const quick = readFileSync(transcript, "utf8");
    writeFileSync(transcript, quick.replace("turn: 3", "turn: 3\n    delay_ms: 3600000"));
    const { child, end, said } = start(at.on, ...at.argv, "--ui", "plain");
    await said(/bash .*exit 0/);
    child.kill("SIGINT");
    await said(/pausing/);
    child.kill("SIGINT");
    const { code, stdout } = await end;
    expect(code).toBe(130);
    const rid = /paused {2}(r-\w+)/.exec(stdout)?.[1] ?? "";
    writeFileSync(transcript, quick);
    await proveResumed(at, rid, [], { lostCalls: 1 });
  });

  test("in a terminal reaches git as well: a git that a signal has ended is called again", async () => {
    const at = scene();
    open(at.gate);
    const bin = join(at.on.outside, "bin");
    const real = git(at.on.root, "--exec-path").trim();
    mkdirSync(bin);
    const count = join(at.on.outside, "count");
    writeFileSync(
      join(bin, "git"),
      `#!/bin/sh\necho >> '${count}'\ntest $(($(wc -l < '${count}') % 3)) -ne 0 || kill -INT $$\nexec '${real}/git' "$@"\n`,
    );
    chmodSync(join(bin, "git"), 0o755);
    const env = { ...at.on.env, PATH: `${bin}${delimiter}${at.on.env.PATH}` };
    const { code, stdout, stderr } = await binary([...at.argv, "--json"], { cwd: at.on.root, env });
    expect(resultOf(stdout), stderr).toMatchObject({ status: "succeeded", exitCode: 0 });
    expect(code).toBe(0);
    expect(readFileSync(count, "utf8").length).toBeGreaterThan(20);
  });
});

describe("SIGTERM", () => {
  test("pauses at the next boundary with 143; a second one stops at once", async () => {
    for (const isPatient of [true, false]) {
      const at = scene();
      const { child, end, said } = await startInCommand(at, "--ui", "plain");
      child.kill("SIGTERM");
      await said(/pausing/);
      if (isPatient) open(at.gate);
      else child.kill("SIGTERM");
      const { code, stdout } = await end;
      expect(code).toBe(143);
      expect(isGone(at.pid)).toBe(true);
      open(at.gate);
      await proveResumed(at, /paused {2}(r-\w+)/.exec(stdout)?.[1] ?? "");
    }
  });
});

describe("kill -9", () => {
  test("in the middle of a command: resume ends what has survived, puts the files back and runs it again", async () => {
    const temporary = tempDir("ccp-tmp");
    const quiet = scene();
    const at = { ...quiet, on: { ...quiet.on, env: { ...quiet.on.env, TMPDIR: temporary } } };
    const { child, end } = await startInCommand(at, "--json");
    child.kill("SIGKILL");
    await end;
    expect(isGone(at.pid)).toBe(false);
    const left = readdirSync(temporary).filter((name) => name !== "node-compile-cache");
    expect(left, "what the command has written").toEqual([]);
    const { runs } = JSON.parse((await ccpAt(at.on, "runs", "--json")).stdout);
    expect(runs).toMatchObject([{ state: "interrupted", owned: false }]);
    const { rid } = runs[0];
    for (const command of ["apply", "bundle"]) {
      const { code, stderr } = await ccpAt(at.on, command);
      expect(code).toBe(2);
      expect(stderr).toMatch(new RegExp(`was interrupted before its end\\n.*nothing was changed; .*ccp resume ${rid}`));
    }
    const survivor = readFileSync(at.pid, "utf8");
    const resumed = start(at.on, "resume", "--json");
    await vi.waitUntil(() => readFileSync(at.pid, "utf8") !== survivor, LONG);
    expect(isEnded(Number(survivor))).toBe(true);
    resumed.child.kill("SIGKILL");
    await resumed.end;
    open(at.gate);
    await proveResumed(at, rid);
  });
});

describe("two at once", () => {
  test("the second is refused with 7 and the first goes on unharmed", async () => {
    const at = scene();
    const first = await startInCommand(at, "--json");
    const before = await traces(at.on);
    for (const command of ["resume", "discard", "apply", "bundle"]) {
      const { code, stdout, stderr } = await binary([command], { cwd: at.on.root, env: at.on.env });
      expect({ code, stdout }, command).toEqual({ code: 7, stdout: "" });
      expect(stderr).toMatch(/is being run by pid \d+ on |another process is running it/);
      expect(stderr).toMatch(/ccp view r-/);
    }
    const refused = await binary(["resume", "--json"], { cwd: at.on.root, env: at.on.env });
    expect(resultOf(refused.stdout)).toMatchObject({ status: "error", exitCode: 7 });
    expect(await traces(at.on)).toEqual(before);
    open(at.gate);
    const { code, stdout } = await first.end;
    expect(code).toBe(0);
    expect(answeredTurns(eventsOf(at.on, resultOf(stdout).rid))).toEqual([1, 2, 3, 4]);
  });

  test("of several resumes of one run exactly one wins", async () => {
    const at = scene();
    const { child, end } = await startInCommand(at, "--json");
    child.kill("SIGKILL");
    await end;
    open(at.gate);
    const resumes = [1, 2, 3].map(() => binary(["resume", "--json"], { cwd: at.on.root, env: at.on.env }));
    const ended = await Promise.all(resumes);
    const results = ended.map(({ stdout }) => resultOf(stdout)).sort((a, b) => a.exitCode - b.exitCode);
    const winner = results.filter(({ status }) => status === "succeeded");
    expect(winner).toHaveLength(1);
    // Who comes when the winner has ended is told so; who comes before, that somebody is at it.
    for (const other of results.slice(1)) expect([2, 7]).toContain(other.exitCode);
    expect(answeredTurns(eventsOf(at.on, winner[0]?.rid ?? ""))).toEqual([1, 2, 3, 4]);
  });
});

describe("a budget that is reached in the middle", () => {
  test("of time: stops what is under way, with 5, and goes on with more", async () => {
    const at = scene();
    const { code, stdout } = await binary([...at.argv, "--json", "--minutes", "0.02"], {
      cwd: at.on.root,
      env: at.on.env,
    });
    const result = resultOf(stdout);
    expect(code).toBe(5);
    expect(result).toMatchObject({ status: "budget_reached", exitCode: 5, reason: "the run's time is used up" });
    expect(result.next[0]).toBe(`ccp resume ${result.rid} --minutes +30`);
    expect(!existsSync(at.pid) || isGone(at.pid)).toBe(true);
    open(at.gate);
    const again = await ccpAt(at.on, "resume", "--json");
    expect(resultOf(again.stdout)).toMatchObject({ status: "budget_reached", exitCode: 5 });
    await proveResumed(at, result.rid, ["--minutes", "+5"]);
  });

  test("of tokens: stops before the call that does not fit, and goes on in the same conversation with more", async () => {
    const at = scene();
    open(at.gate);
    const { code, stdout } = await ccpAt(at.on, ...at.argv, "--json", "--tokens", "12000");
    const result = resultOf(stdout);
    expect(code).toBe(5);
    expect(result).toMatchObject({
      status: "budget_reached",
      exitCode: 5,
      reason: expect.stringMatching(/tokens is left/),
    });
    expect(result.tokens).toBeLessThanOrEqual(12000);
    expect(result.next[0]).toBe(`ccp resume ${result.rid} --tokens +12000`);
    const answered = answeredTurns(eventsOf(at.on, result.rid));
    expect(answered.length).toBeGreaterThan(0);
    expect(answered.length).toBeLessThan(4);
    const events = await proveResumed(at, result.rid, ["--tokens", "+12000"]);
    expect(events.filter(({ type }) => type === "step.started")).toMatchObject([
      { conversation: 1 },
      { conversation: 1 },
    ]);
  });
});

describe("a reader that goes away", () => {
  test.each([
    ["events", "--json", "| head -n 1"],
    ["the report", "--ui plain", "2>&1 >/dev/null | head -n 1"],
    ["everything", "--ui plain", "2>&1 | true"],
  ])("takes nothing with it: %s", async (_what, flag, reader) => {
    const at = scene();
    open(at.gate);
    const env = { ...at.on.env, CCP: `${process.execPath} ${BINARY}`, TASK: at.argv.at(-1) ?? "" };
    const words = at.argv.slice(0, -1).join(" ");
    const script = `$CCP ${words} ${flag} "$TASK" ${reader} > /dev/null; echo "\${PIPESTATUS[0]}"`;
    const { stdout } = spawnSync("bash", ["-c", script], {
      cwd: at.on.root,
      env,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
    expect(stdout).toBe("0\n");
    const { runs } = JSON.parse((await ccpAt(at.on, "runs", "--json")).stdout);
    expect(runs).toMatchObject([{ state: "succeeded" }]);
    expect(answeredTurns(eventsOf(at.on, runs[0].rid))).toEqual([1, 2, 3, 4]);
  });
});
