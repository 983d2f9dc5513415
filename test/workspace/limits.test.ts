import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isTooFull } from "../../src/workspace/command-watch.ts";
import { COMMAND_LIMITS, type Limits } from "../../src/workspace/limits.ts";
import { createProcesses } from "../../src/workspace/processes.ts";
import { tempDir } from "../support/temp.ts";

const MIB = 1024 ** 2;
let benches = 0;

/** Commands in a directory of their own, under limits so low that reaching them harms nobody. */
function bench(limits: Partial<Limits>) {
  const root = tempDir("ccp-run");
  const family = `limits-${process.pid}-${benches++}`;
  const env = { PATH: process.env.PATH ?? "", LANG: "C.UTF-8" };
  const processes = createProcesses({ rid: "r-limit1", family, root, folder: tempDir("ccp-run"), env, limits });
  const run = async (command: string) => {
    const result = await processes.run({ command, env: {}, timeoutMs: 60_000, signal: new AbortController().signal });
    return { ...result, stdout: Buffer.from(result.stdout).toString(), stderr: Buffer.from(result.stderr).toString() };
  };
  const left = () =>
    readdirSync("/proc").filter((name) => {
      if (!/^\d+$/.test(name)) return false;
      try {
        const isDead = /\) [ZX] /.test(readFileSync(`/proc/${name}/stat`, "latin1"));
        return !isDead && readFileSync(`/proc/${name}/environ`, "latin1").includes(`CCP_CALL=${family}-`);
      } catch {
        return false;
      }
    });
  return { root, run, left };
}

const hasProc = existsSync("/proc/self/environ");

describe.skipIf(!hasProc)("too many processes", () => {
  test("of a fork bomb end the command, and none of them is left", async () => {
    const { run, left } = bench({ processes: 40 });
    // Of itself it would come to 2^10 processes and end after a minute.
    const bomb = "bomb() { if [ $1 -gt 0 ]; then bomb $(($1 - 1)) & bomb $(($1 - 1)) & fi; sleep 60; }; bomb 9";
    expect(await run(bomb)).toMatchObject({ exitCode: null, endedBy: "process-limit" });
    expect(left()).toEqual([]);
  });

  test("that have left their group are found as well", async () => {
    const { run, left } = bench({ processes: 40 });
    const result = await run("for i in $(seq 200); do setsid sleep 60 & done; sleep 60");
    expect(result).toMatchObject({ exitCode: null, endedBy: "process-limit" });
    expect(left()).toEqual([]);
  });

  test("of which there are fewer than it may have are left alone", async () => {
    const { run } = bench({ processes: 40 });
    expect(await run("for i in $(seq 20); do sleep 0.4 & done; wait; echo done")).toMatchObject({
      exitCode: 0,
      endedBy: null,
      stdout: "done\n",
    });
  });
});

describe("the disk", () => {
  test.skipIf(!hasProc)("of which a command writes too much is kept from it", async () => {
    const { run, root } = bench({ writtenBytes: 24 * MIB });
    const result = await run("while :; do head -c 4000000 /dev/urandom >> big; sync big; sleep 0.02; done");
    expect(result).toMatchObject({ exitCode: null, endedBy: "disk-limit" });
    expect(statSync(join(root, "big")).size).toBeLessThan(2_000 * MIB);
  });

  test("takes no file that is too large", async () => {
    const { run, root } = bench({ fileBytes: MIB });
    expect((await run("head -c 4000000 /dev/zero > big")).exitCode).not.toBe(0);
    expect(statSync(join(root, "big")).size).toBe(MIB);
  });

  const { freeBytes, freePart } = COMMAND_LIMITS;
  test.each([
    ["half full", { size: 100e9, free: 50e9 }, { size: 100e9, free: 30e9 }, false],
    ["filled to the floor", { size: 100e9, free: 50e9 }, { size: 100e9, free: freeBytes - 1 }, true],
    ["small and filled to its part", { size: 1e9, free: 0.5e9 }, { size: 1e9, free: 1e9 * freePart - 1 }, true],
    ["small and not filled", { size: 1e9, free: 0.5e9 }, { size: 1e9, free: 1e9 * freePart + 1 }, false],
    ["nearly full from the beginning", { size: 100e9, free: 0.4e9 }, { size: 100e9, free: 0.35e9 }, false],
    ["nearly full, and filled further", { size: 100e9, free: 0.4e9 }, { size: 100e9, free: 0.2e9 }, true],
    ["of which nothing is known", null, { size: 100e9, free: 0 }, false],
  ])("that is %s", (_, before, now, isFull) => {
    expect(isTooFull(before, now, COMMAND_LIMITS)).toBe(isFull);
  });

  test("that has as much room as before is never too full", () => {
    const sizes = fc.tuple(fc.nat(1e12), fc.nat(1e12));
    fc.assert(
      fc.property(sizes, ([a, b]) => {
        const room = { size: Math.max(a, b), free: Math.min(a, b) };
        expect(isTooFull(room, room, COMMAND_LIMITS)).toBe(false);
      }),
    );
  });
});

test("the system keeps what it can of the limits, for all that a command starts", async () => {
  const { run } = bench({});
  const { stdout } = await run("bash -c 'ulimit -c; ulimit -f; ulimit -Hn; cat /proc/self/oom_score_adj'");
  const [core, blocks, files, score] = stdout.trim().split("\n").map(Number);
  expect(core).toBe(0);
  expect(blocks).toBe(COMMAND_LIMITS.fileBytes / 1024);
  expect(files).toBeLessThanOrEqual(COMMAND_LIMITS.openFiles);
  if (hasProc) expect(score).toBe(500);
});

test("the words that set limits leave no trace: no variable, no output, no shell in between", async () => {
  const { run } = bench({});
  const result = await run('echo "$0 $# $SHLVL ${tasks-none}"; echo "$-" | tr -d hB');
  expect(result).toMatchObject({ exitCode: 0, stderr: "" });
  expect(result.stdout).toMatch(/^\S*sh 0 \d+ none\nc?\n$/);
});
