import { spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { CommandRequest, JobNews } from "../../src/core/ports.ts";
import { createProcesses } from "../../src/workspace/processes.ts";
import { tempDir } from "../support/temp.ts";

const never = new AbortController().signal;
const SOURCE = join(import.meta.dirname, "../../src/workspace/processes.ts");
let benches = 0;

function bench(begun = 0) {
  const root = tempDir("ccp-run");
  const family = `jobs-${process.pid}-${benches++}`;
  const env = { PATH: process.env.PATH ?? "", LANG: "C.UTF-8" };
  const processes = createProcesses({ rid: "r-jobs01", family, root, folder: tempDir("ccp-run"), env });
  const jobs = processes.openJobs(begun);
  onTestFinished(() => jobs.end());
  const start = async (command: string, patienceMs = 0, changes: Partial<CommandRequest> = {}) => {
    const request = { command, env: {}, timeoutMs: null, signal: never, ...changes };
    const { id, news } = await jobs.run(request, patienceMs);
    return { id: id ?? "", news: textOf(news) };
  };
  const read = async (id: string, waitMs = 0) => {
    const news = await jobs.read(id, { waitMs, signal: never });
    return news && textOf(news);
  };
  return { root, family, processes, jobs, start, read };
}

function textOf({ end, stdout, stderr }: JobNews) {
  return { end, stdout: Buffer.from(stdout).toString(), stderr: Buffer.from(stderr).toString() };
}

function lives(id: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${id}/stat`, "latin1"));
  } catch {
    return false;
  }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

const idIn = (path: string) => Number(readFileSync(path, "utf8"));
const hasText = (path: string) => existsSync(path) && readFileSync(path, "utf8").endsWith("\n");

describe("a command", () => {
  test("that ends in time is no job", async () => {
    const { start, jobs } = bench();
    const { id, news } = await start("echo out; echo err >&2; exit 3", 60_000);
    expect([id, news]).toMatchObject(["", { end: { exitCode: 3, endedBy: null }, stdout: "out\n", stderr: "err\n" }]);
    expect(jobs.list()).toEqual([]);
  });

  test("that takes longer goes on as a job, and its output is read piece by piece", async () => {
    const { root, start, read } = bench();
    const step = (name: string) => `until [ -e ${name} ]; do sleep 0.01; done; echo ${name}`;
    const { id, news } = await start(`echo begun; ${step("a")}; ${step("b")}; exit 4`, 500);
    expect([id, news]).toEqual(["job-1", { end: null, stdout: "begun\n", stderr: "" }]);
    expect(await read(id)).toEqual({ end: null, stdout: "", stderr: "" });
    writeFileSync(join(root, "a"), "");
    let seen = "";
    while (seen === "") seen = (await read(id, 20))?.stdout ?? "?";
    expect(seen).toBe("a\n");
    writeFileSync(join(root, "b"), "");
    expect(await read(id, 60_000)).toMatchObject({ end: { exitCode: 4, endedBy: null }, stdout: "b\n" });
    expect(await read(id)).toMatchObject({ end: { exitCode: 4 }, stdout: "" });
  });

  test("is not ended by the end of the call that it was started with, once it is a job", async () => {
    const call = new AbortController();
    const { start, read } = bench();
    const { id } = await start("echo begun; sleep 0.3; echo done", 0, { signal: call.signal });
    call.abort();
    expect(await read(id, 60_000)).toMatchObject({ end: { exitCode: 0, endedBy: null } });
  });

  test("is ended with its call before that", async () => {
    const call = new AbortController();
    const { root, start } = bench();
    const ended = start("echo > begun; sleep 300", 60_000, { signal: call.signal });
    await until(() => existsSync(join(root, "begun")));
    call.abort();
    expect(await ended).toMatchObject({ id: "", news: { end: { exitCode: null, endedBy: "abort" } } });
  });
});

describe("a job", () => {
  test("shows whole lines while it runs: no word is torn in two", async () => {
    const { root, start, read } = bench();
    const { id, news } = await start("printf 'one\\ntw'; until [ -e go ]; do sleep 0.01; done; echo o", 300);
    expect(news.stdout).toBe("one\n");
    writeFileSync(join(root, "go"), "");
    expect((await read(id, 60_000))?.stdout).toBe("two\n");
  });

  test("shows a private key only when it is all there", async () => {
    const { root, start, read } = bench();
    const key = "echo -----BEGIN PRIVATE KEY-----; echo abc";
    const { id, news } = await start(`echo a; ${key}; until [ -e go ]; do sleep 0.01; done; echo -----END-----`, 300);
    expect(news.stdout).toBe("a\n");
    writeFileSync(join(root, "go"), "");
    expect((await read(id, 60_000))?.stdout).toBe("-----BEGIN PRIVATE KEY-----\nabc\n-----END-----\n");
  });

  test("whose line never ends is shown all the same", async () => {
    const { start } = bench();
    const { news } = await start("head -c 40000 /dev/zero | tr '\\0' x; sleep 300", 500);
    expect(news.stdout.length).toBe(40_000);
  });

  test("is ended with all that it has started, also what has left its group", async () => {
    const { root, start, jobs } = bench();
    const { id } = await start("setsid sleep 300 & echo $! > id; sleep 300");
    await until(() => hasText(join(root, "id")));
    expect(textOf((await jobs.kill(id)) as JobNews).end).toMatchObject({ exitCode: null, endedBy: "abort" });
    expect(lives(idIn(join(root, "id")))).toBe(false);
    expect(jobs.list()).toEqual([{ id, isRunning: false }]);
  });

  test("is under the limits of every command", async () => {
    const { start, read } = bench();
    const { id } = await start("sleep 300", 0, { timeoutMs: 200 });
    expect(await read(id, 60_000)).toMatchObject({ end: { exitCode: null, endedBy: "timeout" } });
  });

  test("does not go on while a tree is recorded", async () => {
    const { root, start, processes } = bench();
    await start("while :; do echo x >> grows; done");
    await until(() => existsSync(join(root, "grows")));
    const size = () => readFileSync(join(root, "grows")).length;
    await processes.whilePaused(async () => {
      // A signal is there at once, but the write that it meets is still made.
      await new Promise((resolve) => setTimeout(resolve, 50));
      const before = size();
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(size()).toBe(before);
    });
    const paused = size();
    await until(() => size() > paused);
  });

  test("that there is not is not there, and one that there was is gone", async () => {
    const { jobs, start } = bench(2);
    expect((await start("sleep 300")).id).toBe("job-3");
    expect(await jobs.kill("job-1")).toBeNull();
    expect(["job-1", "job-2", "job-3", "job-4", "x"].map(jobs.isGone)).toEqual([true, true, false, false, false]);
    await jobs.end();
    expect(jobs.isGone("job-3")).toBe(true);
  });
});

test("the end of its conversation leaves nothing of a job", async () => {
  const { root, start, jobs } = bench();
  await start("setsid sleep 300 & echo $! > first; sleep 300");
  await start("trap '' TERM; echo $$ > second; while :; do sleep 0.05; done");
  await until(() => hasText(join(root, "first")) && hasText(join(root, "second")));
  await jobs.end();
  expect([idIn(join(root, "first")), idIn(join(root, "second"))].filter(lives)).toEqual([]);
});

test.skipIf(!existsSync("/proc/self/environ"))("a ccp that is killed leaves nothing of a job", async () => {
  const { root, family } = bench();
  const program = `
    import { createProcesses } from ${JSON.stringify(SOURCE)};
    const spec = { rid: "r-jobs02", family: ${JSON.stringify(family)}, root: ${JSON.stringify(root)}, folder: "/nonexistent", env: { PATH: process.env.PATH } };
    const request = { command: "setsid sleep 300 & echo $! > id; sleep 300", env: {}, timeoutMs: null, signal: new AbortController().signal };
    await createProcesses(spec).openJobs(0).run(request, 0);
    console.log("started");`;
  const ccp = spawn(process.execPath, ["--input-type=module", "-e", program], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void ccp.kill("SIGKILL"));
  await new Promise((resolve) => ccp.stdout.once("data", resolve));
  await until(() => hasText(join(root, "id")));
  const id = idIn(join(root, "id"));
  onTestFinished(() => void (lives(id) && process.kill(id, "SIGKILL")));
  expect(lives(id)).toBe(true);
  ccp.kill("SIGKILL");
  await until(() => !lives(id));
});
