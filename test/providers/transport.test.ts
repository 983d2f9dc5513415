import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterEach, describe, expect, it, vi } from "vitest";
import { StallWatch } from "../../src/providers/stall-watch.ts";
import { wireServer } from "../support/wire-server.ts";
import { STORIES } from "../support/wire-stories.ts";
import { contentTypeOf, framed, memorySpool, REAL_WIRES, recording } from "../support/wires.ts";

describe("the spool", () => {
  it("has a chunk before anyone can read it", async () => {
    const server = await wireServer({ chunks: ["one ", "two ", "three"] });
    const spool = memorySpool();
    const transport = recording({ spool });
    const response = await transport.fetch(server.url, { method: "POST", body: "{}" });
    let read = "";
    for await (const bytes of response.body ?? []) {
      read += Buffer.from(bytes).toString();
      expect(spool.text("c-1").split("\n").slice(1).join("\n").startsWith(read)).toBe(true);
    }
    transport.close();
    expect(read).toBe("one two three");
  });
});

describe("stall timers", () => {
  afterEach(() => void vi.useRealTimers());

  function watched(): { readonly watch: StallWatch; readonly stalls: () => number } {
    vi.useFakeTimers();
    let stalls = 0;
    const watch = new StallWatch({ firstEventTimeoutMs: 600, idleTimeoutMs: 100 }, () => stalls++);
    watch.start();
    return { watch, stalls: () => stalls };
  }

  it("give a slow beginning all the time it has, and not more, whatever heartbeats come", () => {
    const { watch, stalls } = watched();
    for (let passed = 0; passed < 599; passed++) {
      watch.sawBytes();
      vi.advanceTimersByTime(1);
    }
    expect(stalls()).toBe(0);
    vi.advanceTimersByTime(1);
    expect(stalls()).toBe(1);
    expect(watch.stall).toMatchObject({ class: "timeout" });
  });

  it("end an answer that falls silent", () => {
    const { watch, stalls } = watched();
    watch.sawEvent(true);
    vi.advanceTimersByTime(99);
    watch.sawEvent(true);
    vi.advanceTimersByTime(99);
    expect(stalls()).toBe(0);
    vi.advanceTimersByTime(1);
    expect(watch.stall).toMatchObject({ class: "stalled" });
    expect(stalls()).toBe(1);
  });

  it("let heartbeats stretch a silence, but not for ever", () => {
    const { watch, stalls } = watched();
    watch.sawEvent(true);
    for (let passed = 0; passed < 499; passed++) {
      watch.sawBytes();
      vi.advanceTimersByTime(1);
    }
    expect(stalls()).toBe(0);
    vi.advanceTimersByTime(1);
    expect(watch.stall?.message).toContain("nothing of it came");
  });

  it("take events without content for heartbeats", () => {
    const { watch, stalls } = watched();
    for (let passed = 0; passed < 500; passed++) {
      watch.sawEvent(false);
      vi.advanceTimersByTime(1);
    }
    expect(stalls()).toBe(1);
    expect(watch.stall?.message).toContain("nothing of it came");
  });

  it("wait a little for a report after the end, and no longer, whatever comes", () => {
    const { watch, stalls } = watched();
    watch.sawEvent(true);
    for (let passed = 0; passed < 100; passed++) {
      expect(stalls()).toBe(0);
      watch.sawEnd();
      watch.sawEvent(true);
      watch.sawBytes();
      vi.advanceTimersByTime(1);
    }
    expect(stalls()).toBe(1);
  });

  it("leave an answer alone while it goes on", () => {
    const { watch, stalls } = watched();
    for (let passed = 0; passed < 20; passed++) {
      watch.sawEvent(true);
      vi.advanceTimersByTime(99);
    }
    expect(stalls()).toBe(0);
  });

  it("are silent once stopped", () => {
    const { watch, stalls } = watched();
    watch.sawEvent(true);
    watch.stop();
    vi.advanceTimersByTime(10_000);
    expect(stalls()).toBe(0);
  });
});

describe.each(REAL_WIRES)("%s", (wire) => {
  it("a process ends as soon as its call has, connection open or not", async () => {
    const headers = { "content-type": contentTypeOf(wire) };
    const server = await wireServer({ headers, chunks: [framed(wire, STORIES[wire])], ending: "silence" });
    const script = `
      import { SENDERS, lane, recording, request, endOf } from "./test/support/wires.ts";
      const lane1 = lane(${JSON.stringify(wire)}, { baseUrl: ${JSON.stringify(server.url)} });
      const end = await endOf(SENDERS[${JSON.stringify(wire)}](lane1, request(), recording()));
      process.stdout.write(end.type);
    `;
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script], {
      cwd: `${import.meta.dirname}/../..`,
      timeout: 15_000,
    });
    expect(stdout).toBe("answered");
  });
});
