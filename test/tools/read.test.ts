import { expect, test } from "vitest";
import { toolBench } from "../support/tool-bench.ts";

const manyLines = (amount: number) => Array.from({ length: amount }, (_, index) => `line ${index + 1}\n`).join("");

test("lines come with their numbers", async () => {
  const { call } = toolBench({ "a.txt": "one\n\n\tthree" });
  expect(await call("read", { path: "a.txt" })).toEqual({
    status: "ok",
    text: "1\tone\n2\t\n3\t\tthree",
    summary: "3 lines",
    finish: null,
  });
});

test("a part is shown with what comes next", async () => {
  const { call } = toolBench({ "a.txt": manyLines(10) });
  const part = await call("read", { path: "a.txt", offset: 3, limit: 2 });
  expect(part.text).toBe("3\tline 3\n4\tline 4\n(lines 3-4 of 10; go on with offset 5)");
  expect(part.summary).toBe("lines 3-4 of 10");
  expect((await call("read", { path: "a.txt", offset: 9 })).text).toBe("9\tline 9\n10\tline 10");
});

test("no more than 2000 lines come at once", async () => {
  const { call } = toolBench({ "a.txt": manyLines(4100) });
  const { text } = await call("read", { path: "a.txt" });
  expect(text).toMatch(/\n2000\tline 2000\n\(lines 1-2000 of 4100; go on with offset 2001\)$/);
});

test("no more than 50 KB come at once, and going on misses no line", async () => {
  const { call } = toolBench({ "a.txt": `${"x".repeat(999)}\n`.repeat(120) });
  const seen: number[] = [];
  for (let offset: number | undefined = 1; offset !== undefined; ) {
    const { text } = await call("read", { path: "a.txt", offset });
    expect(Buffer.byteLength(text)).toBeLessThan(52 * 1024);
    seen.push(...[...text.matchAll(/^(\d+)\t/gm)].map((match) => Number(match[1])));
    const next = /go on with offset (\d+)/.exec(text)?.[1];
    offset = next === undefined ? undefined : Number(next);
  }
  expect(seen).toEqual(Array.from({ length: 120 }, (_, index) => index + 1));
});

test("of a very long line the beginning comes, no character halved, and how much is missing", async () => {
  const { call } = toolBench({ "a.txt": `${"x".repeat(1999)}😀${"y".repeat(500)}\nend` });
  const { text } = await call("read", { path: "a.txt" });
  expect(text).toBe(`1\t${"x".repeat(1999)}… (502 more characters in this line)\n2\tend`);
});

test.each([
  ["empty.txt", "ok", "(the file is empty)"],
  ["picture.png", "error", "picture.png is a binary file of 4 bytes; it is not shown."],
  ["dir", "error", "dir is a directory; use ls."],
  ["missing.txt", "error", '"missing.txt" does not exist'],
  ["../x", "error", '"../x" has ".." in it; give paths from the worktree\'s root'],
])("%s", async (path, status, text) => {
  const files = { "empty.txt": "", "picture.png": Uint8Array.from([137, 80, 0, 1]), "dir/a": "" };
  const { call } = toolBench(files);
  expect(await call("read", { path })).toMatchObject({ status, text });
});

test("an offset past the end says how long the file is", async () => {
  const { call } = toolBench({ "a.txt": "one\n" });
  const result = await call("read", { path: "a.txt", offset: 5 });
  expect(result).toMatchObject({ status: "error", text: "a.txt has 1 line; offset 5 is past its end." });
});

test("CRLF is not shown but mentioned, as are bytes that are not UTF-8", async () => {
  const { call } = toolBench({ "crlf.txt": "a\r\nb\r\n", "latin.txt": Uint8Array.from([0xe4, 10]) });
  expect((await call("read", { path: "crlf.txt" })).text).toBe(
    "1\ta\n2\tb\n(the lines end in CRLF, which edit and write keep)",
  );
  expect((await call("read", { path: "latin.txt" })).text).toContain("some bytes are not UTF-8");
});

test("a byte order mark is not shown", async () => {
  const { call } = toolBench({ "a.txt": "\ufeffone\n" });
  expect((await call("read", { path: "a.txt" })).text).toBe("1\tone");
});
