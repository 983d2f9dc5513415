import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { CommandRequest } from "../../src/core/ports.ts";
import { childEnvironment } from "../../src/workspace/environment.ts";
import { createProcesses } from "../../src/workspace/processes.ts";
import { tempDir } from "../support/temp.ts";

const never = new AbortController().signal;

/** Commands in a directory of their own; `start` begins one, `run` also reads its output as text. */
function bench(rid = "r-test01") {
  const root = tempDir("ccp-run");
  const env = { PATH: process.env.PATH ?? "", LANG: "C.UTF-8" };
  const processes = createProcesses({ rid, family: rid, root, folder: tempDir("ccp-run"), env });
  const start = (command: string, changes: Partial<CommandRequest> = {}) =>
    processes.run({ command, env: {}, timeoutMs: null, signal: never, ...changes });
  const run = async (command: string, changes: Partial<CommandRequest> = {}) => {
    const result = await start(command, changes);
    return { ...result, stdout: decode(result.stdout), stderr: decode(result.stderr) };
  };
  return { root, processes, start, run };
}

function decode(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("utf8");
}

/** True while a process of this id is there and is no zombie. */
function lives(id: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${id}/stat`, "latin1"));
  } catch {
    return false;
  }
}

/** Ids that a command has written into a file, one a line. */
function idsIn(path: string): readonly number[] {
  const ids = readFileSync(path, "utf8").trim().split("\n").map(Number);
  onTestFinished(() => {
    for (const id of ids) if (lives(id)) process.kill(id, "SIGKILL");
  });
  return ids;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(setImmediate);
}

describe("a command", () => {
  test("gives its exit code and what it wrote, each stream for itself", async () => {
    const { run } = bench();
    const result = await run("echo out; echo err >&2; exit 3");
    expect(result).toMatchObject({ exitCode: 3, endedBy: null, stdout: "out\n", stderr: "err\n" });
  });

  test("runs in bash, in the worktree's root, with nothing to read", async () => {
    const { root, run } = bench();
    const result = await run("pwd; cat; read -r line || echo closed; [[ a == a ]] && echo {1..3}");
    expect(result.stdout).toBe(`${root}\nclosed\n1 2 3\n`);
  });

  test("keeps every byte of binary output", async () => {
    const { start } = bench();
    const result = await start(String.raw`printf '\000\377\r\n\033[31m\200'`);
    expect([...result.stdout]).toEqual([0, 255, 13, 10, 27, 91, 51, 49, 109, 128]);
  });

  test("may begin with a dash, and may have any length that the system takes", async () => {
    const { run } = bench();
    expect((await run("-x")).exitCode).toBe(127);
    expect(await run(`true ${"x".repeat(3_000_000)}`)).toMatchObject({ exitCode: 126, endedBy: null });
    expect((await run(`true ${"x".repeat(3_000_000)}`)).stderr).toContain("the command was not started");
    expect((await run("echo a\0b")).stderr).toContain("NUL");
  });

  test("that is killed by a signal has no exit code", async () => {
    const { run } = bench();
    expect(await run("kill -KILL $$")).toMatchObject({ exitCode: null, endedBy: null });
  });

  test("leaves no file outside the worktree", async () => {
    const { run } = bench();
    // A place of its own: other tests are running commands at the same time.
    const place = tempDir();
    vi.stubEnv("TMPDIR", place);
    onTestFinished(() => void vi.unstubAllEnvs());
    expect(tmpdir()).toBe(place);
    await run("echo a");
    expect(readdirSync(place)).toEqual([]);
  });

  test("in a worktree that is gone is not started", async () => {
    const processes = createProcesses({
      rid: "r-test02",
      family: "test2",
      root: "/nonexistent/tree",
      folder: tempDir("ccp-run"),
      env: {},
    });
    const result = await processes.run({ command: "true", env: {}, timeoutMs: null, signal: never });
    expect(result).toMatchObject({ exitCode: 126, endedBy: null });
    expect(decode(result.stderr)).toContain("/nonexistent/tree");
  });
});

describe("the environment of a command", () => {
  test("is what was handed in, its own variables and the marks of its run", async () => {
    const { run } = bench();
    const { stdout } = await run("env", { env: { CCP_INPUT_TASK: "a\nb" } });
    const names = [...stdout.matchAll(/^([A-Z_]+)=/gm)].map((match) => match[1]).sort();
    expect(names).toEqual(["CCP_CALL", "CCP_INPUT_TASK", "CCP_RUN", "LANG", "PATH", "PWD", "SHLVL", "_"]);
    expect(stdout).toContain("CCP_RUN=r-test01\n");
  });

  test("has none of the user's secrets in it", async () => {
    const root = tempDir();
    const source = { ...process.env, ANTHROPIC_API_KEY: "hunter2", GITHUB_TOKEN: "hunter2", LC_SECRET: "hunter2" };
    const env = childEnvironment(source, { userRoot: "/home/ann/shop", worktree: root });
    const processes = createProcesses({ rid: "r-test03", family: "test3", root, folder: tempDir("ccp-run"), env });
    const command = "env; cat /proc/self/environ";
    const { stdout } = await processes.run({ command, env: {}, timeoutMs: null, signal: never });
    expect(decode(stdout)).toContain("GIT_TERMINAL_PROMPT=0");
    expect(decode(stdout)).not.toContain("hunter2");
  });
});

describe("nothing of a command survives it", () => {
  test.each([
    ["a background child", "sleep 300 & echo $! > ids"],
    ["a child that ignores the hang-up", "nohup sleep 300 > log 2>&1 & echo $! > ids"],
    ["a child in a session of its own", "setsid sleep 300 & echo $! > ids"],
    [
      "a child of a child in a session of its own",
      "setsid bash -c 'sleep 300 & echo $! > ids; wait' & until [ -s ids ]; do :; done",
    ],
    ["a child without the mark, in the group", "env -i sleep 300 & echo $! > ids"],
    ["several at once", "for i in 1 2 3; do sleep 300 & echo $! >> ids; done"],
  ])("%s", async (_, command) => {
    const { root, run } = bench();
    const result = await run(`${command}; echo hi`);
    expect(result).toMatchObject({ exitCode: 0, endedBy: null, stdout: "hi\n" });
    expect(idsIn(join(root, "ids")).filter(lives)).toEqual([]);
  });

  test("a child that will not be terminated is killed", async () => {
    const { root, run } = bench();
    await run("bash -c 'trap \"\" TERM; echo $$ > ids; while :; do sleep 0.05; done' & until [ -s ids ]; do :; done");
    expect(idsIn(join(root, "ids")).filter(lives)).toEqual([]);
  });

  test("what a finishing pipeline still has to write is written", async () => {
    const { run } = bench();
    expect((await run("(sleep 0.03; echo late) & echo early")).stdout).toBe("early\nlate\n");
  });

  test("other processes of the same user live on", async () => {
    const { run, processes } = bench();
    const other = bench("r-other1");
    const ended = other.run("echo started > mark; sleep 300", { timeoutMs: 1_500 });
    await until(() => existsSync(join(other.root, "mark")));
    await run("setsid true; true");
    expect(await processes.killSurvivors()).toBe(0);
    expect((await ended).endedBy).toBe("timeout");
  });
});

describe("a command is ended", () => {
  test("when its time is up, with what it had written", async () => {
    const { run, root } = bench();
    const result = await run("echo $$ > ids; echo begun; sleep 300", { timeoutMs: 300 });
    expect(result).toMatchObject({ exitCode: null, endedBy: "timeout", stdout: "begun\n" });
    expect(idsIn(join(root, "ids")).filter(lives)).toEqual([]);
  });

  test("and may tidy up first", async () => {
    const { run } = bench();
    const result = await run("trap 'echo tidied; exit 0' TERM; while :; do sleep 0.02; done", { timeoutMs: 300 });
    expect(result).toMatchObject({ exitCode: null, endedBy: "timeout", stdout: "tidied\n" });
  });

  test("when it ignores that, by force", async () => {
    const { run, root } = bench();
    const result = await run("trap '' TERM; echo $$ > ids; while :; do sleep 0.05; done", { timeoutMs: 200 });
    expect(result).toMatchObject({ exitCode: null, endedBy: "timeout" });
    expect(idsIn(join(root, "ids")).filter(lives)).toEqual([]);
  });

  test("when it is no longer wanted", async () => {
    const { run, root } = bench();
    const controller = new AbortController();
    const ended = run("setsid sleep 300 & echo $! > ids; echo begun > mark; sleep 300", { signal: controller.signal });
    await until(() => existsSync(join(root, "mark")));
    controller.abort();
    expect(await ended).toMatchObject({ exitCode: null, endedBy: "abort" });
    expect(idsIn(join(root, "ids")).filter(lives)).toEqual([]);
  });

  test("before it begins, when it was not wanted any more", async () => {
    const { run, root } = bench();
    const result = await run("touch begun", { signal: AbortSignal.abort() });
    expect(result).toMatchObject({ exitCode: null, endedBy: "abort" });
    expect(existsSync(join(root, "begun"))).toBe(false);
  });

  test("when it writes without end", async () => {
    const { start } = bench();
    const result = await start("yes");
    expect(result).toMatchObject({ exitCode: null, endedBy: "output-limit" });
    expect(result.stdout.length).toBeLessThan(1_100_000);
  });
});

test.each([0, 1, 2, 3])(
  "of a long output the beginning and the end are kept, whole characters, and what is missing is counted (%i)",
  async (shift) => {
    const { root, start } = bench();
    const content = `${"-".repeat(shift)}${"üx€".repeat(300_000)} last${"-".repeat(shift)}`;
    writeFileSync(join(root, "long.txt"), content);
    const text = decode((await start("cat long.txt")).stdout);
    const [head, count, tail] = text.split(/\n… (\d+) bytes left out …\n/);
    expect(text).not.toContain("\ufffd");
    expect(content.startsWith(head ?? "?") && content.endsWith(tail ?? "?")).toBe(true);
    expect(Buffer.byteLength(`${head}${tail}`) + Number(count)).toBe(Buffer.byteLength(content));
  },
);

describe("survivors", () => {
  test("of a dead owner are found by their run and ended, and others are not", async () => {
    const root = tempDir();
    const { spawn } = await import("node:child_process");
    const start = (family: string) => {
      const options = {
        cwd: root,
        detached: true,
        stdio: "ignore",
        env: { PATH: process.env.PATH, CCP_CALL: `${family}-1` },
      } as const;
      const child = spawn("sleep", ["300"], options);
      onTestFinished(() => void child.kill("SIGKILL"));
      return child.pid ?? 0;
    };
    const mine = [start("dead0"), start("dead0")];
    const other = start("dead01");
    const processes = createProcesses({ rid: "r-dead01", family: "dead0", root, folder: tempDir("ccp-run"), env: {} });
    expect(await processes.killSurvivors()).toBe(2);
    expect(mine.filter(lives)).toEqual([]);
    expect(lives(other)).toBe(true);
    expect(await processes.killSurvivors()).toBe(0);
  });

  test("a ccp inside a command of its own run does not kill itself or what it runs in", async () => {
    const { run } = bench("r-inner1");
    const program = `
      import { createProcesses } from ${JSON.stringify(join(import.meta.dirname, "../../src/workspace/processes.ts"))};
      const inner = createProcesses({ rid: "r-inner1", family: "r-inner1", root: ".", folder: "/nonexistent", env: {} });
      console.log(await inner.killSurvivors());`;
    const command = `"$NODE" --input-type=module -e "$PROGRAM"; echo alive`;
    const result = await run(command, { env: { NODE: process.execPath, PROGRAM: program } });
    expect(result.stdout).toBe("0\nalive\n");
  });
});
