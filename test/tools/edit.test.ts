import { chmodSync, statSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { toolBench } from "../support/tool-bench.ts";

const one = (old: string, replacement: string, more: object = {}) => ({
  path: "a.txt",
  edits: [{ old, new: replacement, ...more }],
});

describe("an exact match", () => {
  test("is replaced, and the diff is shown", async () => {
    const { call, content } = toolBench({ "a.txt": "one\ntwo\nthree\n" });
    const result = await call("edit", one("two", "2"));
    expect(result).toEqual({
      status: "ok",
      text: "Edited a.txt (+1 -1).\n@@ -1,3 +1,3 @@\n one\n-two\n+2\n three",
      summary: "+1 -1",
      finish: null,
    });
    expect(content("a.txt")).toBe("one\n2\nthree\n");
  });

  test("is replaced literally, whatever signs are in it", async () => {
    const { call, content } = toolBench({ "a.txt": "price: ($x.*)\n" });
    await call("edit", one("($x.*)", "$& $1 $$ $` \\n"));
    expect(content("a.txt")).toBe("price: $& $1 $$ $` \\n\n");
  });

  test("may be part of a line, of several lines, or end the file without a newline", async () => {
    const { call, content } = toolBench({ "a.txt": "a b c\nd e f" });
    await call("edit", one("c\nd", "C\nnew\nD"));
    await call("edit", one("f", "F"));
    expect(content("a.txt")).toBe("a b C\nnew\nD e F");
  });

  test("may be taken out", async () => {
    const { call, content } = toolBench({ "a.txt": "one\ntwo\nthree\n" });
    await call("edit", one("two\n", ""));
    expect(content("a.txt")).toBe("one\nthree\n");
  });

  test("that stands in several places is refused with their lines, or replaced everywhere with all", async () => {
    const { call, content } = toolBench({ "a.txt": "x\ny\nx\nx x\n" });
    const refused = await call("edit", one("x", "z"));
    expect(refused).toMatchObject({ status: "error", summary: "not applied" });
    expect(refused.text).toContain("stands in 4 places of 4 lines (lines 1, 3, 4, 4)");
    expect(refused.text).toContain("Nothing was changed in a.txt.");
    expect(content("a.txt")).toBe("x\ny\nx\nx x\n");
    expect(await call("edit", one("x", "z", { all: true }))).toMatchObject({ status: "ok", summary: "+3 -3" });
    expect(content("a.txt")).toBe("z\ny\nz\nz z\n");
  });
});

describe("several edits", () => {
  test("are applied in order, each on what the one before left", async () => {
    const { call, content } = toolBench({ "a.txt": "one\ntwo\n" });
    const edits = [
      { old: "one", new: "first" },
      { old: "first\ntwo", new: "both" },
    ];
    expect(await call("edit", { path: "a.txt", edits })).toMatchObject({ status: "ok" });
    expect(content("a.txt")).toBe("both\n");
  });

  test("are applied all or not at all", async () => {
    const { call, content } = toolBench({ "a.txt": "one\ntwo\n" });
    const edits = [
      { old: "one", new: "1" },
      { old: "missing", new: "2" },
    ];
    const result = await call("edit", { path: "a.txt", edits });
    expect(result).toMatchObject({ status: "error" });
    expect(result.text).toContain("Edit 2 of 2");
    expect(content("a.txt")).toBe("one\ntwo\n");
  });

  test("that undo each other are refused", async () => {
    const { call } = toolBench({ "a.txt": "one\n" });
    const edits = [
      { old: "one", new: "two" },
      { old: "two", new: "one" },
    ];
    expect((await call("edit", { path: "a.txt", edits })).text).toContain("would not change");
  });
});

describe("what is not the text stays as it is", () => {
  test("CRLF, also in what is new", async () => {
    const { call, content } = toolBench({ "a.txt": "one\r\ntwo\r\nthree\r\n" });
    const result = await call("edit", one("one\ntwo", "one\nnew\n2"));
    expect(content("a.txt")).toBe("one\r\nnew\r\n2\r\nthree\r\n");
    expect(result.text).not.toContain("\r");
  });

  test("each kind of line end where both are mixed", async () => {
    const { call, content } = toolBench({ "a.txt": "a\r\nb\r\nc\nd\ne\r\n" });
    await call("edit", one("a\nb", "A\nB"));
    await call("edit", one("c\nd\n", "C\nD\n"));
    await call("edit", one("e", "E\nF"));
    expect(content("a.txt")).toBe("A\r\nB\r\nC\nD\nE\r\nF\r\n");
  });

  test("old text written with CRLF is found in a file with LF", async () => {
    const { call, content } = toolBench({ "a.txt": "a\nb\n" });
    await call("edit", one("a\r\nb", "c\r\nd"));
    expect(content("a.txt")).toBe("c\nd\n");
  });

  test("mode, byte order mark and a missing final newline", async () => {
    const { root, call, content } = toolBench({ "a.txt": "\ufeffone\ntwo" });
    chmodSync(join(root, "a.txt"), 0o755);
    await call("edit", one("one", "1"));
    expect(content("a.txt")).toBe("\ufeff1\ntwo");
    expect(statSync(join(root, "a.txt")).mode & 0o777).toBe(0o755);
  });

  test("bytes of another encoding", async () => {
    const { call, content } = toolBench({ "a.txt": Uint8Array.from([0xe4, 0xff, 10, 120, 10, 0xa0, 10]) });
    await call("edit", one("x", "é"));
    expect(content("a.txt", "latin1")).toBe("\xe4\xff\n\xc3\xa9\n\xa0\n");
  });

  test("everything outside of the places that were named", async () => {
    const piece = fc.constantFrom("a", "b", "\r\n", "\n", "\r", " ", "\t", "é", "\u00a0", "$&", "\ufeff", "x\n", "end");
    const text = fc.array(piece, { maxLength: 12 }).map((parts) => parts.join(""));
    const fresh = text.map((value) => value.replace(/\r+/g, "\r").replace(/\r(?!\n)/g, ""));
    const bench = toolBench();
    await fc.assert(
      fc.asyncProperty(text, text, fresh, async (head, tail, replacement) => {
        await bench.workspace.writeFile("a.txt", Buffer.from(`${head}<MARK>${tail}`));
        await bench.call("read", { path: "a.txt" });
        const result = await bench.call("edit", one("<MARK>", replacement));
        expect(result.status).toBe("ok");
        const now = bench.content("a.txt", "latin1");
        const [before, after] = [Buffer.from(head).toString("latin1"), Buffer.from(tail).toString("latin1")];
        expect(now.startsWith(before) && now.endsWith(after)).toBe(true);
        const middle = Buffer.from(now.slice(before.length, now.length - after.length), "latin1").toString();
        expect(middle.replaceAll("\r\n", "\n")).toBe(replacement.replaceAll("\r\n", "\n"));
      }),
      { numRuns: 150 },
    );
  });
});

test("an edit turned round gives the file back, byte for byte", async () => {
  const piece = fc.constantFrom("a", "\r\n", "\n", " ", "\t", "é", "$&", "\ufeff", "x\n", "<", "end");
  const text = fc.array(piece, { maxLength: 12 }).map((parts) => parts.join(""));
  const line = fc.string({ maxLength: 5 }).map((value) => value.replace(/[\r\n]/g, ""));
  const bench = toolBench();
  await fc.assert(
    fc.asyncProperty(text, text, line, line, async (head, tail, before, after) => {
      const [old, replacement] = [`<MARK${before}>`, `<SIGN${after}>`];
      const bytes = Buffer.from(`${head}${old}${tail}`);
      await bench.workspace.writeFile("a.txt", bytes);
      await bench.call("read", { path: "a.txt" });
      expect((await bench.call("edit", one(old, replacement))).status).toBe("ok");
      expect((await bench.call("edit", one(replacement, old))).status).toBe("ok");
      expect(bench.content("a.txt", "latin1")).toBe(bytes.toString("latin1"));
    }),
    { numRuns: 100 },
  );
});

describe("a match but for white space", () => {
  test("of whole lines is taken when it is the only one, indented to fit, and said", async () => {
    const { call, content } = toolBench({ "a.txt": "function f() {\n    if (x) {\n        go();\n    }\n}\n" });
    const result = await call(
      "edit",
      one("if (x) {\n    go();\n}", "if (x) {\n    stop();\n    if (y) {\n        go();\n    }\n}"),
    );
    expect(content("a.txt")).toBe(
      "function f() {\n    if (x) {\n        stop();\n        if (y) {\n            go();\n        }\n    }\n}\n",
    );
    expect(result.text).toContain("Note: the edit did not match exactly, only but for white space, at lines 2-4");
  });

  test("turns the model's spaces into the file's tabs, and back", async () => {
    const tabs = toolBench({ "a.txt": "\tif (x) {\n\t\tgo();\n\t}\n" });
    await tabs.call("edit", one("  if (x) {\n    go();\n  }", "  if (x) {\n    if (y) {\n      go();\n    }\n  }"));
    expect(tabs.content("a.txt")).toBe("\tif (x) {\n\t\tif (y) {\n\t\t\tgo();\n\t\t}\n\t}\n");
    const spaces = toolBench({ "a.txt": "  if x:\n    go()\n" });
    await spaces.call("edit", one("\tif x:\n\t\tgo()", "\tif x:\n\t\tif y:\n\t\t\tgo()"));
    expect(spaces.content("a.txt")).toBe("  if x:\n    if y:\n      go()\n");
  });

  test("takes a line that is further out than all that were sought to where it belongs", async () => {
    const { call, content } = toolBench({ "a.txt": "    f() {\n        go();\n" });
    await call("edit", one("    go(); ", "    go();\n  }\n}"));
    expect(content("a.txt")).toBe("    f() {\n        go();\n      }\n    }\n");
    const tabs = toolBench({ "a.txt": "\tgo();\n" });
    expect(await tabs.call("edit", one("    go();", "    stop();\n  }"))).toMatchObject({ status: "error" });
  });

  test("forgives trailing white space and a final newline that is not there", async () => {
    const { call, content } = toolBench({ "a.txt": "one  \ntwo" });
    await call("edit", one("one\ntwo\n", "1\n2\n"));
    expect(content("a.txt")).toBe("1\n2");
  });

  test("keeps CRLF and takes whole lines out", async () => {
    const { call, content } = toolBench({ "a.txt": "a\r\n\tb\r\nc\r\n" });
    await call("edit", one("  b\n", ""));
    expect(content("a.txt")).toBe("a\r\nc\r\n");
  });

  test("is refused when there are several, when only part of a line matches, or when the indentation is unclear", async () => {
    const several = toolBench({ "a.txt": "\tgo();\n  go();\n" });
    expect(await several.call("edit", one("    go();", "stop();"))).toMatchObject({ status: "error" });
    const part = toolBench({ "a.txt": "if (x)   return  1;\n" });
    expect(await part.call("edit", one("(x) return", "(y) return"))).toMatchObject({ status: "error" });
    const unclear = toolBench({ "a.txt": "  a\n      b\n" });
    expect(await unclear.call("edit", one("a\nb", "a\nc"))).toMatchObject({ status: "error" });
    expect(unclear.content("a.txt")).toBe("  a\n      b\n");
    const unit = toolBench({ "a.txt": "\ta\n" });
    expect(await unit.call("edit", one("a  ", "a\n  b"))).toMatchObject({ status: "error" });
  });

  test("does not take a byte of a letter for white space", async () => {
    const { call, content } = toolBench({ "a.txt": "à x\n" });
    expect(await call("edit", one("àx", "y"))).toMatchObject({ status: "error" });
    expect(content("a.txt")).toBe("à x\n");
  });
});

describe("text that is not there", () => {
  test("is answered with the closest places and their numbers, and nothing is guessed", async () => {
    const source =
      "import a\n\ndef total(items):\n    return sum(items)\n\ndef mean(items):\n    return sum(items) / len(items)\n";
    const { call, content } = toolBench({ "a.txt": source });
    const result = await call("edit", one("def totals(item):\n    return sum(item)", "x"));
    expect(result.status).toBe("error");
    expect(result.text).toContain(
      "its old text is not in the file. What comes closest, with line numbers:\n3\tdef total(items):\n4\t    return sum(items)\n---\n6\t",
    );
    expect(content("a.txt")).toBe(source);
  });

  test("shows three places at most, none twice", async () => {
    const { call } = toolBench({ "a.txt": "some value = 1\n".repeat(30) });
    const { text } = await call("edit", one("some values = 1", "x"));
    expect(text.match(/^\d+\t/gm)).toHaveLength(3);
  });

  test("and is like nothing there is answered with advice", async () => {
    const { call } = toolBench({ "a.txt": "one\ntwo\n" });
    expect((await call("edit", one("§§§§§§", "x"))).text).toContain("nor anything like it. Read the file again.");
  });
});

describe("refused, with nothing changed", () => {
  test.each([
    ["the same text twice", "one", "one", "the same text as old and new"],
    ["a change of line ends only", "one\ntwo", "one\r\ntwo", "line ends are kept"],
    ["an ellipsis in place of code", "one", "1\n// ... rest of code ...", "in place of code"],
  ])("%s", async (_, old, replacement, reason) => {
    const { call, content } = toolBench({ "a.txt": "one\ntwo\n" });
    const result = await call("edit", one(old, replacement));
    expect(result).toMatchObject({ status: "error", text: expect.stringContaining(reason) });
    expect(content("a.txt")).toBe("one\ntwo\n");
  });

  test("a file that is not there, with a word about write", async () => {
    const { call } = toolBench();
    expect((await call("edit", one("a", "b"))).text).toBe(
      '"a.txt" does not exist. Nothing was changed; write creates files.',
    );
  });
});
