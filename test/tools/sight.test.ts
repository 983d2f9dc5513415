import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { toolBench } from "../support/tool-bench.ts";

const change = (old: string, replacement: string) => ({ path: "a.txt", edits: [{ old, new: replacement }] });

describe("a file that changed since it was last seen", () => {
  test.each([
    ["edit", change("one", "1")],
    ["write", { path: "a.txt", content: "mine\n" }],
    ["apply_patch", { patch: "*** Begin Patch\n*** Update File: a.txt\n@@\n-one\n+1\n*** End Patch" }],
    ["apply_patch", { patch: "*** Begin Patch\n*** Delete File: a.txt\n*** End Patch" }],
  ])("is not changed by %s until it is read again", async (tool, args) => {
    const { call, content } = toolBench({ "a.txt": "one\ntwo\n" });
    await call("bash", { command: "echo three >> a.txt" });
    const refused = await call(tool, args);
    expect(refused).toMatchObject({ status: "error", summary: "changed since it was last seen" });
    expect(refused.text).toMatch(/a\.txt has changed since you last saw it.*read it again first/);
    expect(content("a.txt")).toBe("one\ntwo\nthree\n");
    await call("read", { path: "a.txt", offset: 2, limit: 1 });
    expect(await call(tool, args)).toMatchObject({ status: "ok" });
  });

  test("is one that was only touched in no way", async () => {
    const { root, call } = toolBench({ "a.txt": "one\n" });
    await call("bash", { command: "echo x > a.txt; echo one > a.txt" });
    chmodSync(join(root, "a.txt"), 0o600);
    expect(await call("edit", change("one", "1"))).toMatchObject({ status: "ok" });
  });

  test("by the conversation's own edits can go on being changed", async () => {
    const { call, content } = toolBench({ "a.txt": "one\n" });
    await call("edit", change("one", "two"));
    await call("edit", change("two", "three"));
    await call("write", { path: "a.txt", content: "four\n" });
    await call("edit", change("four", "five"));
    expect(content("a.txt")).toBe("five\n");
  });
});

describe("a file that was never read", () => {
  const bench = () => toolBench({ "a.txt": "\tone\n", empty: "" }, { hasRead: false });

  test("is not replaced whole, unless there is nothing in it", async () => {
    const { call, content } = bench();
    const refused = await call("write", { path: "a.txt", content: "x\n" });
    expect(refused.text).toBe(
      "a.txt exists, and you have not read it yet: nothing was written. Read it first; then write it whole, or change parts of it with edit.",
    );
    expect(content("a.txt")).toBe("\tone\n");
    expect(await call("write", { path: "empty", content: "x\n" })).toMatchObject({ status: "ok" });
    await call("read", { path: "./a.txt" });
    expect(await call("write", { path: "a.txt", content: "x\n" })).toMatchObject({ status: "ok" });
  });

  test("is edited only where its exact words are quoted", async () => {
    const { call, content } = bench();
    const refused = await call("edit", change("    one", "    1"));
    expect(refused).toMatchObject({ status: "error", text: expect.stringContaining("read it first") });
    expect(await call("edit", change("one", "1"))).toMatchObject({ status: "ok" });
    expect(content("a.txt")).toBe("\t1\n");
  });

  test("and is created may be changed at once", async () => {
    const { call, content } = bench();
    await call("write", { path: "new.txt", content: "one\n" });
    await call("edit", { path: "./new.txt", edits: [{ old: "one", new: "two" }] });
    expect(content("new.txt")).toBe("two\n");
  });
});

test("a file is the same by whatever name it is called", async () => {
  const { root, call, seen } = toolBench({ "src/a.txt": "one\n" }, { hasRead: false });
  await call("read", { path: `${root}//src/./a.txt` });
  expect(Object.keys(seen())).toEqual(["src/a.txt"]);
  writeFileSync(join(root, "src/a.txt"), "two\n");
  const refused = await call("edit", { path: "./src/a.txt", edits: [{ old: "two", new: "3" }] });
  expect(refused.status).toBe("error");
});

test("a file that is called like what every object has was not seen for that", async () => {
  const { call, content } = toolBench({ constructor: "one\n" }, { hasRead: false });
  const edits = [{ old: "one", new: "two" }];
  expect(await call("edit", { path: "constructor", edits })).toMatchObject({ status: "ok" });
  expect(content("constructor")).toBe("two\n");
});

test("what was not shown was not seen", async () => {
  const { call, seen } = toolBench({ "a.bin": Uint8Array.from([0, 1]), "a.txt": "one\n" }, { hasRead: false });
  await call("read", { path: "a.bin" });
  await call("read", { path: "a.txt", offset: 9 });
  await call("grep", { pattern: "one" });
  expect(seen()).toEqual({});
});
