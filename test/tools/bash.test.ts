import { expect, test } from "vitest";
import { toolBench } from "../support/tool-bench.ts";

test("a command that fails has run: its exit code is the result", async () => {
  const { call } = toolBench();
  expect(await call("bash", { command: "echo out; echo err >&2; exit 3" })).toEqual({
    status: "ok",
    text: "exit 3\nout\nstderr:\nerr",
    summary: "exit 3",
    finish: null,
  });
});

test.each([
  ["true", "exit 0\n(no output)", "exit 0"],
  ["echo only >&2", "exit 0\nstderr:\nonly", "exit 0"],
  ["echo text; kill -KILL $$", "ended by a signal\ntext", "ended by a signal"],
  [String.raw`printf '\033[31mred\033[0m \033]0;title\007a\0b\r\nnext\tx'`, "exit 0\nred ab\nnext\tx", "exit 0"],
])("%s", async (command, text, summary) => {
  const { call } = toolBench();
  expect(await call("bash", { command })).toMatchObject({ status: "ok", text, summary });
});

test("of a long output the beginning and the end are shown, and how many bytes are missing", async () => {
  const { call } = toolBench();
  const { text } = await call("bash", { command: "echo first; yes ü | head -n 20000; echo last" });
  const missing = Number(/\n… (\d+) bytes left out …\n/.exec(text)?.[1]);
  expect(text).toMatch(/^exit 0\nfirst\nü\n/);
  expect(text).toMatch(/\nü\nlast$/);
  expect(text).not.toContain("\ufffd");
  const shown = Buffer.byteLength(text.replace(/^exit 0\n/, "").replace(/\n… \d+ bytes left out …\n/, ""));
  expect(shown).toBeLessThanOrEqual(30 * 1024);
  expect(shown + missing).toBe("first\n".length + 20_000 * 3 + "last".length);
});

test("what was missing before it came here is counted too", async () => {
  const { call } = toolBench();
  const { text } = await call("bash", { command: "yes 1234567 | head -n 400000" });
  const missing = Number(/\n… (\d+) bytes left out …\n/.exec(text)?.[1]);
  expect(text.match(/left out/g)).toHaveLength(1);
  const shown = Buffer.byteLength(text.replace(/^exit 0\n/, "").replace(/\n… \d+ bytes left out …\n/, ""));
  expect(shown + missing).toBe(400_000 * 8 - 1);
});

test("a long stdout leaves stderr whole, and the other way round", async () => {
  const { call } = toolBench();
  const long = "yes x | head -c 100000";
  expect((await call("bash", { command: `${long}; echo why >&2` })).text).toMatch(/\nx\nstderr:\nwhy$/);
  expect((await call("bash", { command: `echo result; ${long} >&2` })).text).toMatch(/^exit 0\nresult\nstderr:\nx\n/);
});

test("a command whose time is up says so, what it had written, and what to do", async () => {
  const { call } = toolBench();
  const result = await call("bash", { command: "echo begun; sleep 300", timeout_ms: 300 });
  expect(result).toMatchObject({ status: "error", summary: "timed out after 0.3 s" });
  expect(result.text).toMatch(/^Not finished after 300 ms.*longer timeout_ms.*\nbegun$/);
});

test("a command that writes without end is ended, and advised", async () => {
  const { call } = toolBench();
  const result = await call("bash", { command: "yes" });
  expect(result).toMatchObject({ status: "error", summary: "wrote too much" });
  expect(result.text.length).toBeLessThan(35_000);
});

test("a call that is aborted before it begins does nothing", async () => {
  const { call, workspace } = toolBench();
  const result = await call("bash", { command: "touch mark" }, AbortSignal.abort());
  expect(result).toMatchObject({ status: "error", summary: "stopped" });
  expect(await workspace.list(".")).toEqual({ ok: true, value: [] });
});

test("a call that is aborted while it runs is stopped", async () => {
  const { call, workspace } = toolBench();
  const controller = new AbortController();
  const running = call("bash", { command: "touch mark; sleep 300" }, controller.signal);
  for (let listed = await workspace.list("."); listed.ok && listed.value.length === 0; )
    listed = await workspace.list(".");
  controller.abort();
  expect(await running).toMatchObject({ status: "error", summary: "stopped" });
});
