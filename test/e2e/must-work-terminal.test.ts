import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, constants, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { BINARY, binary, ccp, finished } from "../support/cli.ts";
import { ccpAt, doerWho, doneFrom, runAt, type Site, scripted, site } from "../support/proof.ts";

const FILES = { "a.txt": "one\n" };
const CHANGE = { turns: doerWho("echo two >> a.txt") };

/** The real binary, with standard input as it is given. */
function start(on: Site, stdin: "ignore" | "pipe" | number, ...argv: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, [BINARY, ...argv], {
    cwd: on.cwd,
    env: on.env,
    stdio: [stdin, "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

/** The real binary, started by a shell that does with its descriptors what `redirections` say. */
function startThroughShell(on: Site, redirections: string, ...argv: readonly string[]): ChildProcess {
  const child = spawn("/bin/sh", ["-c", `exec "$@" ${redirections}`, "-", process.execPath, BINARY, ...argv], {
    cwd: on.cwd,
    env: on.env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

test("a run needs no standard input: closed, empty or at the end of a file", async () => {
  const on = site(FILES);
  const argv = ["run", ...scripted(on, CHANGE), "--json", "Do it."];
  expect(await finished(startThroughShell(on, "<&-", ...argv))).toMatchObject({ code: 0 });
  expect(await finished(start(on, "ignore", ...argv))).toMatchObject({ code: 0 });
});

test("a run does not wait for a standard input that never ends", async () => {
  const on = site(FILES);
  const fifo = join(on.outside, "fifo");
  execFileSync("mkfifo", [fifo]);
  // Open for reading and writing, it never comes to an end.
  const open = openSync(fifo, constants.O_RDWR);
  onTestFinished(() => closeSync(open));
  const result = await finished(start(on, open, "run", ...scripted(on, CHANGE), "--json", "Do it."));
  expect(result).toMatchObject({ code: 0, signal: null });
});

test("a run leaves a pipe on standard input unread, whatever is in it", async () => {
  const on = site(FILES);
  const child = start(on, "pipe", "run", ...scripted(on, CHANGE), "--json", "Do it.");
  child.stdin?.on("error", () => undefined);
  child.stdin?.write("Do something else.\n".repeat(100_000));
  const done = doneFrom(await finished(child));
  expect(done.record).toMatchObject({ status: "succeeded", title: "Do it." });
});

test("- reads the task from standard input, line breaks and letters as they are", async () => {
  const on = site(FILES);
  const task = "Mäh das Gras.\n\n- erst links\n- dann rechts  \n";
  const argv = ["run", ...scripted(on, CHANGE), "--json", "-"];
  const child = start(on, "pipe", ...argv);
  child.stdin?.end(task);
  const done = doneFrom(await finished(child));
  expect(done.record).toMatchObject({ title: "Mäh das Gras." });
  const shown = await ccpAt(on, "view", "--step", "doer", "--json");
  expect(JSON.parse(shown.stdout).entries.find((entry: { kind: string }) => entry.kind === "prompt").text).toContain(
    task.trim(),
  );
});

test("- with nothing to read is no task: nothing is started", async () => {
  const on = site(FILES);
  const argv = ["run", ...scripted(on, CHANGE), "-"];
  const refusal = { code: 2, stdout: "", stderr: expect.stringContaining("no task") };
  expect(await finished(start(on, "ignore", ...argv))).toMatchObject(refusal);
  expect(await finished(startThroughShell(on, "<&-", ...argv))).toMatchObject(refusal);
});

test("a command of a run has an empty standard input of its own, whatever ccp's is", async () => {
  const on = site(FILES);
  const turns = doerWho('timeout 20 cat > seen.txt; echo "$?" >> seen.txt');
  const child = start(on, "pipe", "run", ...scripted(on, { turns }), "--json", "Do it.");
  child.stdin?.on("error", () => undefined);
  child.stdin?.write("not for you\n");
  const { rid } = doneFrom(await finished(child));
  const diff = await ccpAt(on, "diff", rid);
  expect(diff.stdout).toContain("+0\n");
  expect(diff.stdout).not.toContain("not for you");
});

test("without a terminal there is not one escape code, whatever TERM says, and results and progress are apart", async () => {
  const on = site(FILES);
  const env = { ...on.env, TERM: "xterm-256color", COLORTERM: "truecolor" };
  const result = await binary(["run", ...scripted(on, CHANGE), "Do it."], { cwd: on.root, env });
  expect(result).toMatchObject({ code: 0 });
  expect(result.stdout + result.stderr).not.toContain("\x1b");
  expect(result.stdout).toMatch(/^✓ succeeded {2}r-\w{6}/);
  expect(result.stderr).toContain("doer  bash echo two >> a.txt: exit 0");
});

test("output that nobody takes does not stop a run", async () => {
  const on = site(FILES);
  const argv = ["run", ...scripted(on, CHANGE), "Do it."];
  for (const redirections of [">&-", "2>&-", ">&- 2>&- <&-"]) {
    expect(await finished(startThroughShell(on, redirections, ...argv))).toMatchObject({ code: 0 });
  }
  const gone = start(on, "ignore", ...argv, "--json");
  gone.stdout?.destroy();
  gone.stderr?.destroy();
  expect(await once(gone, "exit")).toEqual([0, null]);
  const { stdout } = await ccpAt(on, "runs", "--json");
  expect(JSON.parse(stdout).runs.map((run: { state: string }) => run.state)).toEqual(Array(4).fill("succeeded"));
});

test("a patch that is longer than a pipe holds arrives whole", async () => {
  const on = site(FILES);
  const { results } = await runAt(on, { turns: doerWho("seq 1 300000 > long.txt; printf 'caf\\xe9\\n' > latin1.txt") });
  const child = start(on, "ignore", "diff");
  const chunks: Buffer[] = [];
  child.stdout?.on("data", (chunk: Buffer) => chunks.push(chunk));
  expect(await once(child, "close")).toEqual([0, null]);
  const patch = readFileSync(join(results, "Diff.patch"));
  expect(patch.length).toBeGreaterThan(1_000_000);
  expect(Buffer.concat(chunks).equals(patch)).toBe(true);
});

test("output that the disk has no room for is not taken for written", async () => {
  const on = site(FILES);
  await runAt(on, CHANGE);
  const full = openSync("/dev/full", "w");
  onTestFinished(() => closeSync(full));
  const child = spawn(process.execPath, [BINARY, "diff"], {
    cwd: on.root,
    env: on.env,
    stdio: ["ignore", full, "pipe"],
  });
  expect(await once(child, "exit")).toEqual([9, null]);
});

test("--task-file reads a task of many lines, and a task may look like a flag behind --", async () => {
  const on = site(FILES);
  writeFileSync(join(on.outside, "task.md"), "\n  First line\nsecond\n");
  const flags = [...scripted(on, CHANGE), "--json"];
  const fromFile = await ccpAt(on, "run", ...flags, "--task-file", join(on.outside, "task.md"));
  expect(doneFrom(fromFile).record).toMatchObject({ title: "First line" });
  const dashes = await ccp(["run", ...flags, "--", "--help me"], { cwd: on.root, env: on.env });
  expect(doneFrom(dashes).record).toMatchObject({ title: "--help me" });
});
