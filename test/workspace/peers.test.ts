import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Owner } from "../../src/core/store.ts";
import { createPeers } from "../../src/workspace/peers.ts";
import { startOf } from "../../src/workspace/process-table.ts";
import { tempDir } from "../support/temp.ts";

const HOST = "here";
const peers = createPeers(HOST);

/** A process that lives until somebody ends it, and how others would speak of it. */
function begin(): { readonly child: ChildProcess; readonly owner: Owner } {
  const child = spawn("sleep", ["300"], { stdio: "ignore" });
  onTestFinished(() => void child.kill("SIGKILL"));
  const pid = child.pid ?? 0;
  return { child, owner: { pid, host: HOST, startedAt: startOf(pid) } };
}

describe("a signal", () => {
  it.each(["SIGTERM", "SIGKILL"] as const)("%s reaches the process that is meant", async (name) => {
    const { child, owner } = begin();
    const ended = once(child, "exit");
    expect(peers.signal(owner, name)).toBe(true);
    expect(await ended).toEqual([null, name]);
    expect(peers.signal(owner, name)).toBe(false);
  });

  it("reaches nobody where the process is another one, on another machine, or not known well enough", async () => {
    const { child, owner } = begin();
    const [boot, ticks] = owner.startedAt?.split("/") ?? [];
    const strangers: readonly Owner[] = [
      { ...owner, startedAt: `${boot}/${Number(ticks) - 1}` },
      { ...owner, startedAt: `${owner.startedAt}0` },
      { ...owner, startedAt: `00000000-0000-0000-0000-000000000000/${ticks}` },
      { ...owner, startedAt: "" },
      { ...owner, startedAt: null },
      { ...owner, host: "elsewhere" },
    ];
    expect(strangers.map((stranger) => peers.signal(stranger, "SIGKILL"))).toEqual(strangers.map(() => false));
    const ended = once(child, "exit");
    expect(peers.signal(owner, "SIGTERM")).toBe(true);
    expect(await ended).toEqual([null, "SIGTERM"]);
  });

  it("never reaches the process itself, nor a group, nor what is no process", () => {
    expect(peers.self).toMatchObject({ pid: process.pid, host: HOST, startedAt: expect.any(String) });
    expect(peers.signal(peers.self, "SIGKILL")).toBe(false);
    for (const pid of [0, -1, -process.pid, 1.5, Number.NaN, 2 ** 30]) {
      expect(peers.signal({ ...peers.self, pid }, "SIGKILL")).toBe(false);
    }
  });

  it.skipIf(process.platform !== "linux")("does not count for a dead process that nobody has collected", async () => {
    // Its parent never waits: what ends after the shell has become `sleep` stays a zombie.
    const parent = spawn("sh", ["-c", "sleep 0.3 & echo $!; exec sleep 300"], { stdio: ["ignore", "pipe", "ignore"] });
    onTestFinished(() => void parent.kill("SIGKILL"));
    const [line] = (await once(parent.stdout, "data")) as [Buffer];
    const pid = Number(line);
    while (!/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "latin1"))) await new Promise(setImmediate);
    expect(startOf(pid)).toBeNull();
  });
});

describe("that a process has ended", () => {
  it("is said of those of this machine that are not there any more, and of no other", async () => {
    const { child, owner } = begin();
    const known: readonly Owner[] = [owner, peers.self, { ...owner, startedAt: null }];
    expect(known.map((one) => peers.hasEnded(one))).toEqual([false, false, false]);
    expect(peers.hasEnded({ ...owner, startedAt: `${owner.startedAt}0` })).toBe(true);
    expect(peers.hasEnded({ ...peers.self, startedAt: "before" })).toBe(true);
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
    expect(known.map((one) => peers.hasEnded(one))).toEqual([true, false, true]);
    expect(peers.hasEnded({ ...owner, host: "elsewhere" })).toBe(false);
  });
});

describe("the start of a process", () => {
  it.each([process.platform, "darwin"] as const)(
    "as %s tells it stays the same while the process lives",
    async (platform) => {
      const { child, owner } = begin();
      const start = startOf(owner.pid, platform);
      expect(start).toMatch(/\S/);
      expect(startOf(owner.pid, platform)).toBe(start);
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
      expect(startOf(owner.pid, platform)).toBeNull();
    },
  );

  it("is another one for a process of the same id that began at another time", () => {
    expect(startOf(process.pid)).not.toBe(startOf(process.ppid));
  });

  it.skipIf(process.platform !== "linux")("is read right where a program is named like the fields after it", () => {
    const program = join(tempDir(), ") R 1 1 1");
    copyFileSync("/bin/sleep", program);
    const child = spawn(program, ["300"], { stdio: "ignore" });
    onTestFinished(() => void child.kill("SIGKILL"));
    const ticks = Number(startOf(child.pid ?? 0)?.split("/")[1]);
    expect(ticks).toBeGreaterThanOrEqual(Number(peers.self.startedAt?.split("/")[1]));
  });
});
