import { describe, expect, test } from "vitest";
import { toolBench } from "../support/tool-bench.ts";

const HIDDEN = "safe\u202e\u001b[2K\u200b";
const SHOWN = "safe⟨U+202E⟩⟨U+001B⟩[2K⟨U+200B⟩";
const NOTICE = "(3 characters that cannot be seen are shown as a mark such as ⟨U+200B⟩)";

describe("what a file hides is shown as marks, with a word about them", () => {
  const bench = () => toolBench({ "a.txt": `${HIDDEN}\nsecond\n` });

  test("by read", async () => {
    const { call } = bench();
    expect((await call("read", { path: "a.txt" })).text).toBe(`1\t${SHOWN}\n2\tsecond\n${NOTICE}`);
    expect((await call("read", { path: "a.txt", offset: 2 })).text).toBe("2\tsecond");
  });

  test("by grep and edit, whose bytes stay as they are", async () => {
    const { call, content } = bench();
    expect((await call("grep", { pattern: "safe" })).text).toBe(`a.txt:1: ${SHOWN}\n${NOTICE}`);
    const edited = await call("edit", { path: "a.txt", edits: [{ old: "second", new: "2nd" }] });
    expect(edited.text).toContain(` ${SHOWN}\n-second\n+2nd\n${NOTICE}`);
    expect(content("a.txt")).toBe(`${HIDDEN}\n2nd\n`);
  });

  test("in the names of files and in a list of work", async () => {
    const { call } = toolBench({ "a\u202etxt.exe": "" });
    const notice = "(1 character that cannot be seen is shown as a mark such as ⟨U+200B⟩)";
    expect((await call("ls", {})).text).toBe(`a⟨U+202E⟩txt.exe  0\n${notice}`);
    expect((await call("glob", { pattern: "*" })).text).toBe(`a⟨U+202E⟩txt.exe\n${notice}`);
    const items = [{ text: "one\u200b", status: "done" }];
    expect((await call("todo", { items })).text).toBe(`[x] one⟨U+200B⟩\n${notice}`);
  });
});
