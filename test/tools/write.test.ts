import { chmodSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { toolBench } from "../support/tool-bench.ts";

test("a new file is created with its directories", async () => {
  const { call, content } = toolBench();
  const result = await call("write", { path: "src/lib/a.ts", content: "one\ntwo\n" });
  expect(result).toMatchObject({ status: "ok", text: "Created src/lib/a.ts: 2 lines.", summary: "created, 2 lines" });
  expect(content("src/lib/a.ts")).toBe("one\ntwo\n");
});

test("a file that is there is replaced, and how much changed is said", async () => {
  const { root, call, content } = toolBench({ "run.sh": "one\ntwo\nthree" });
  chmodSync(join(root, "run.sh"), 0o755);
  const result = await call("write", { path: "run.sh", content: "one\n2\nthree\nfour" });
  const text = "Replaced run.sh: 4 lines (+2 -1).\n@@ -1,3 +1,4 @@\n one\n-two\n+2\n three\n+four";
  expect(result).toMatchObject({ text, summary: "replaced, +2 -1" });
  expect(content("run.sh")).toBe("one\n2\nthree\nfour");
  expect(statSync(join(root, "run.sh")).mode & 0o777).toBe(0o755);
});

test("what read does not show is kept: CRLF and the byte order mark", async () => {
  const { call, content } = toolBench({ "a.txt": "\ufeffone\r\ntwo\r\n" });
  await call("write", { path: "a.txt", content: "one\n2\n" });
  expect(content("a.txt")).toBe("\ufeffone\r\n2\r\n");
});

test("the content that is there already is not written again", async () => {
  const { call } = toolBench({ "a.txt": "one\n" });
  expect(await call("write", { path: "a.txt", content: "one\n" })).toMatchObject({
    status: "ok",
    summary: "unchanged",
  });
});

test("an empty file can be written", async () => {
  const { call, content } = toolBench();
  expect((await call("write", { path: "empty", content: "" })).text).toBe("Created empty: 0 lines.");
  expect(content("empty")).toBe("");
});

test("a placeholder in place of code is refused, unless the file has it already", async () => {
  const { call, content } = toolBench({ "old.ts": "// existing code\n" });
  const refused = await call("write", { path: "old.ts", content: "a\n// ... rest of the code ...\n" });
  expect(refused).toMatchObject({ status: "error", text: expect.stringContaining('"// ... rest of the code ..."') });
  expect(content("old.ts")).toBe("// existing code\n");
  expect(await call("write", { path: "old.ts", content: "a\n// existing code\n" })).toMatchObject({ status: "ok" });
});

test("a directory and a place outside are refused", async () => {
  const { call } = toolBench({ "src/a.ts": "" });
  expect((await call("write", { path: "src", content: "" })).text).toBe('"src" is a directory. Nothing was written.');
  expect(await call("write", { path: "/etc/ccp-test", content: "" })).toMatchObject({ status: "error" });
});

test("a file that cannot be read is not replaced unseen", async () => {
  const { root, call } = toolBench({ "big/a.txt": "" });
  truncateSync(join(root, "big/a.txt"), 101 * 1024 * 1024);
  const result = await call("write", { path: "big/a.txt", content: "x" });
  expect(result).toMatchObject({ status: "error", text: expect.stringContaining("Nothing was written.") });
  expect(statSync(join(root, "big/a.txt")).size).toBe(101 * 1024 * 1024);
});
