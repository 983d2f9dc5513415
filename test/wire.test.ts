import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { runAt, site } from "./support/proof.ts";
import { RED_PROJECT, WORK } from "./support/scenario.ts";

const spoolsOpen = process.platform === "linux" ? () => readdirSync("/proc/self/fd").length : () => 0;

test("a run holds no file open for a call that is settled: one of a thousand calls would run out of them", async () => {
  const calls = 20;
  const turns = Array.from({ length: calls }, (_, index) => ({
    role: "doer",
    turn: index + 1,
    calls: [
      index + 1 < calls
        ? { tool: "write", args: { path: "a.txt", content: `${index}\n` } }
        : { tool: "finish", args: WORK },
    ],
  }));
  const on = site(RED_PROJECT);
  const before = spoolsOpen();
  await runAt(on, { turns });
  expect(spoolsOpen() - before).toBeLessThan(calls / 2);
});
