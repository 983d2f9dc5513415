import { expect, test } from "vitest";
import {
  formatBudget,
  formatBytes,
  formatDuration,
  formatEnd,
  formatLimit,
  formatTokens,
  formatUsage,
  ordinal,
} from "../../src/ui/format.ts";
import { usage } from "./sample-run.ts";

test.each([
  [0, "0.0s"],
  [-5, "0.0s"],
  [999, "0.9s"],
  [1000, "1s"],
  [59_999, "59s"],
  [60_000, "1m00s"],
  [3_599_999, "59m59s"],
  [3_900_000, "1h05m"],
  [360_000_000, "100h00m"],
])("%i ms is %s", (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});

test.each([
  [1_800_000, "30m"],
  [90_000, "1m30s"],
  [7_200_000, "2h"],
  [7_260_000, "2h01m"],
  [36_000_000, "10h"],
])("a ceiling of %i ms is %s", (ms, text) => {
  expect(formatLimit(ms)).toBe(text);
});

test.each([
  [0, "0"],
  [999, "999"],
  [1000, "1.0k"],
  [999_949, "999.9k"],
  [999_950, "1.0M"],
])("%i tokens are %s", (tokens, text) => {
  expect(formatTokens(tokens)).toBe(text);
});

test("estimated usage is called so", () => {
  expect(formatUsage(usage(100, 0, 5))).toBe("100 in, 5 out");
  expect(formatUsage({ ...usage(100, 20, 5), source: "estimated" })).toBe("120 in (20 cached), 5 out (estimated)");
});

test.each([
  [{ maxCostNanos: 2_000_000_000, maxTokens: 5000, maxDurationMs: 60_000 }, "$2.00, 5.0k tokens, 1m"],
  [{}, "no ceiling"],
  [undefined, "no ceiling"],
])("a budget reads %j as %s", (budget, text) => {
  expect(formatBudget(budget)).toBe(text);
});

test.each([
  [{ exitCode: 0, endedBy: null }, "passed"],
  [{ exitCode: 3, endedBy: null }, "exit 3"],
  [{ exitCode: null, endedBy: null }, "ended by a signal"],
  [{ exitCode: 0, endedBy: "timeout" }, "timed out"],
  [{ exitCode: null, endedBy: "abort" }, "stopped"],
  [{ exitCode: null, endedBy: "output-limit" }, "stopped, too much output"],
  [{ exitCode: null, endedBy: "process-limit" }, "stopped, too many processes"],
  [{ exitCode: null, endedBy: "disk-limit" }, "stopped, too little room on the disk"],
] as const)("a command that ended as %j reads %s", (end, text) => {
  expect(formatEnd(end)).toBe(text);
});

test.each([
  [1, "1st"],
  [2, "2nd"],
  [3, "3rd"],
  [4, "4th"],
  [11, "11th"],
  [21, "21st"],
  [112, "112th"],
])("%i is the %s", (n, text) => {
  expect(ordinal(n)).toBe(text);
});

test.each([
  [0, "0 B"],
  [2100, "2.1 kB"],
  [50_000_000, "50.0 MB"],
])("%i bytes are %s", (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});
