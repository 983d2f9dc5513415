import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { toolBench } from "../support/tool-bench.ts";

const numbered = (amount: number, content: string) =>
  Object.fromEntries(Array.from({ length: amount }, (_, index) => [`f${String(index).padStart(5, "0")}.txt`, content]));

describe("ls", () => {
  test("shows directories, symlinks and sizes", async () => {
    const { root, call } = toolBench({ "b.txt": "12345", "src/a.ts": "", ".env": "x" });
    symlinkSync("b.txt", join(root, "link"));
    expect(await call("ls", {})).toMatchObject({
      status: "ok",
      text: ".env  1\nb.txt  5\nlink@\nsrc/",
      summary: "4 entries",
    });
    expect((await call("ls", { path: "src" })).text).toBe("a.ts  0");
  });

  test("an empty or a missing directory is said", async () => {
    const { call } = toolBench({});
    expect((await call("ls", {})).text).toBe("(the directory is empty)");
    expect(await call("ls", { path: "no" })).toMatchObject({ status: "error", text: '"no" does not exist' });
  });

  test("more than 1000 entries are cut, and that is said", async () => {
    const { call } = toolBench(numbered(1003, ""));
    const result = await call("ls", {});
    expect(result.text.split("\n")).toHaveLength(1001);
    expect(result.text).toMatch(/\n\(3 more; use glob with a pattern to narrow it down\)$/);
    expect(result.summary).toBe("1003 entries");
  });
});

describe("glob", () => {
  test("finds names, or says that there are none", async () => {
    const { call } = toolBench({ "src/a.ts": "", "src/b.js": "" });
    expect(await call("glob", { pattern: "*.ts" })).toMatchObject({ text: "src/a.ts", summary: "1 file" });
    expect(await call("glob", { pattern: "*.py" })).toMatchObject({ status: "ok", text: "No file matches *.py." });
    expect(await call("glob", { pattern: "*", path: "no" })).toMatchObject({ status: "error" });
  });

  test("more than 1000 paths are cut, and that is said", async () => {
    const { call } = toolBench(numbered(1001, ""));
    const result = await call("glob", { pattern: "*.txt" });
    expect(result.text.split("\n")).toHaveLength(1001);
    expect(result.text).toMatch(/\(the first 1000; narrow/);
    expect(result.summary).toBe("more than 1000 files");
  });
});

describe("grep", () => {
  test("finds lines with path and number, or says that there are none", async () => {
    const { call } = toolBench({ "src/a.ts": "one\ntwo\n", "b.md": "TWO\n" });
    expect(await call("grep", { pattern: "two" })).toMatchObject({ text: "src/a.ts:2: two", summary: "1 match" });
    expect((await call("grep", { pattern: "two", ignore_case: true, glob: "*.md" })).text).toBe("b.md:1: TWO");
    expect(await call("grep", { pattern: "three" })).toMatchObject({ status: "ok", text: "No line matches." });
  });

  test("more than 100 matches are cut, and that is said", async () => {
    const { call } = toolBench({ "a.txt": "hit\n".repeat(100), "b.txt": "hit\n" });
    expect((await call("grep", { pattern: "hit", path: "a.txt" })).summary).toBe("100 matches");
    const result = await call("grep", { pattern: "hit" });
    expect(result.text.split("\n")).toHaveLength(101);
    expect(result.text).toMatch(/\(the first 100; narrow/);
  });

  test("a long line is cut at 300 characters", async () => {
    const { call } = toolBench({ "a.txt": `hit ${"x".repeat(400)}\n` });
    expect((await call("grep", { pattern: "hit" })).text).toBe(`a.txt:1: hit ${"x".repeat(296)}…`);
  });

  test("an invalid pattern is an error that says why", async () => {
    const { call } = toolBench({});
    const result = await call("grep", { pattern: "(" });
    expect(result).toMatchObject({
      status: "error",
      text: "the pattern is not a valid regular expression: unclosed group",
    });
  });
});
