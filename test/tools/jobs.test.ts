import { expect, test } from "vitest";
import { EVERYTHING, toolBench } from "../support/tool-bench.ts";

const IMPATIENT = { backgroundAfterMs: 200 };

test("a command that is sent to the background is a job, and the model is told how to go on with it", async () => {
  const { call } = toolBench();
  const result = await call("bash", { command: "echo up; sleep 300", background: true });
  expect(result).toMatchObject({ status: "ok", summary: "goes on as job-1", job: "job-1" });
  expect(result.text).toMatch(/^It runs as job-1\. job_output .*; job_kill ends it\. .*:\nup$/);
});

test("one that fails at once is none", async () => {
  const { call } = toolBench();
  expect(await call("bash", { command: "exit 127", background: true })).toEqual({
    status: "ok",
    text: "exit 127\n(no output)",
    summary: "exit 127",
    finish: null,
  });
});

test("a command that takes long goes on as a job, and its end is waited for with job_output", async () => {
  const { call } = toolBench({}, { settings: IMPATIENT });
  const result = await call("bash", { command: "echo one; sleep 0.5; echo two; exit 5" });
  expect(result).toMatchObject({ status: "ok", job: "job-1" });
  expect(result.text).toMatch(/^It has not ended yet and goes on as job-1\..*:\none$/);
  expect(await call("job_output", { job: "job-1", wait_ms: 60_000 })).toMatchObject({
    status: "ok",
    text: "exit 5\ntwo",
    summary: "exit 5",
  });
});

test("job_output without waiting tells that it still runs, and does not show twice what it has shown", async () => {
  const { call } = toolBench();
  await call("bash", { command: "echo up; sleep 300", background: true });
  expect(await call("job_output", { job: "job-1" })).toMatchObject({
    status: "ok",
    text: "still running\n(no output)",
  });
});

test("job_output shows of much output the beginning and the end", async () => {
  const { call } = toolBench({}, { settings: IMPATIENT });
  await call("bash", { command: "sleep 0.5; yes | head -c 1000000" });
  const { text } = await call("job_output", { job: "job-1", wait_ms: 60_000 });
  expect(text).toMatch(/bytes left out/);
  expect(Buffer.byteLength(text)).toBeLessThan(31 * 1024);
});

test("job_kill ends a job and tells which had ended by itself", async () => {
  const { call } = toolBench({}, { settings: IMPATIENT });
  await call("bash", { command: "sleep 300", background: true });
  await call("bash", { command: "sleep 0.5; exit 7" });
  expect(await call("job_kill", { job: "job-1" })).toMatchObject({ status: "ok", summary: "ended" });
  await call("job_output", { job: "job-2", wait_ms: 60_000 });
  expect(await call("job_kill", { job: "job-2" })).toMatchObject({ summary: "had ended by itself: exit 7" });
});

test("a job that is gone, or was never there, is an error that tells so", async () => {
  const { call, jobs } = toolBench();
  expect((await call("job_output", { job: "job-1" })).text).toBe('There is no job "job-1". No job was started.');
  await call("bash", { command: "sleep 300", background: true });
  expect((await call("job_kill", { job: "7" })).text).toBe('There is no job "7". There are: job-1.');
  await jobs.end();
  expect(await call("job_output", { job: "job-1" })).toMatchObject({ status: "error", summary: "job-1 is gone" });
});

test("whoever has bash has the tools for its jobs, and nobody else", () => {
  const names = (tools: readonly string[]) =>
    toolBench()
      .tools.specs({ ...EVERYTHING, tools })
      .map(({ name }) => name);
  expect(names(["read", "bash"])).toEqual(["read", "bash", "job_output", "job_kill", "finish"]);
  expect(names(["read", "job_output"])).toEqual(["read", "finish"]);
  const grant = { ...EVERYTHING, tools: ["read"] };
  expect(toolBench({}, { grant }).check("job_kill", { job: "job-1" })).toMatchObject({ type: "denied" });
  const denied = { ...EVERYTHING, permissions: [{ tool: "bash", effect: "deny" } as const] };
  expect(toolBench({}, { grant: denied }).check("job_kill", { job: "job-1" })).toMatchObject({ type: "denied" });
});
