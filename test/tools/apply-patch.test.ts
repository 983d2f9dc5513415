import { chmodSync, existsSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EVERYTHING, toolBench } from "../support/tool-bench.ts";

const patch = (...lines: readonly string[]) => ({ patch: ["*** Begin Patch", ...lines, "*** End Patch"].join("\n") });
const update = (...lines: readonly string[]) => patch("*** Update File: a.txt", ...lines);

describe("a patch", () => {
  test("changes, adds, deletes and moves files, and shows what it did", async () => {
    const { root, call, content } = toolBench({ "a.txt": "one\ntwo\nthree\n", "old.sh": "x\ny\n", gone: "1\n2\n" });
    chmodSync(join(root, "old.sh"), 0o755);
    const result = await call(
      "apply_patch",
      patch(
        ...["*** Update File: a.txt", "@@", " one", "-two", "+2"],
        ...["*** Add File: src/new.ts", "+a", "+", "+b"],
        ...["*** Delete File: gone"],
        ...["*** Update File: old.sh", "*** Move to: bin/new.sh", "@@", " x", "-y", "+z"],
      ),
    );
    expect(result).toMatchObject({ status: "ok", summary: "4 files, +5 -4" });
    expect(result.text).toBe(
      "Updated a.txt (+1 -1).\n@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\nAdded src/new.ts: 3 lines.\nDeleted gone.\nMoved old.sh to bin/new.sh (+1 -1).\n@@ -1,2 +1,2 @@\n x\n-y\n+z",
    );
    expect(content("a.txt")).toBe("one\n2\nthree\n");
    expect(content("src/new.ts")).toBe("a\n\nb\n");
    expect(content("bin/new.sh")).toBe("x\nz\n");
    expect(statSync(join(root, "bin/new.sh")).mode & 0o777).toBe(0o755);
    expect([existsSync(join(root, "gone")), existsSync(join(root, "old.sh"))]).toEqual([false, false]);
  });

  test("may only move a file, and what it has made may be changed at once", async () => {
    const { call, content } = toolBench({ "a.txt": "one\n" });
    const moved = await call("apply_patch", patch("*** Update File: a.txt", "*** Move to: b.txt"));
    expect(moved.text).toBe("Moved a.txt to b.txt (+0 -0).");
    expect(await call("write", { path: "b.txt", content: "two\n" })).toMatchObject({ status: "ok" });
    expect(content("b.txt")).toBe("two\n");
  });

  test("is carried out whole or not at all", async () => {
    const { root, call, content } = toolBench({ "a.txt": "one\n", "b.txt": "two\n" });
    const result = await call(
      "apply_patch",
      patch(
        ...["*** Update File: a.txt", "-one", "+1", "*** Add File: c.txt", "+c"],
        ...["*** Update File: b.txt", "-three", "+3"],
      ),
    );
    expect(result).toMatchObject({ status: "error", summary: "not applied" });
    expect(result.text).toContain("The hunk of b.txt: its lines are not in the file.");
    expect(result.text).toContain("Nothing was changed in any file.");
    expect([content("a.txt"), existsSync(join(root, "c.txt"))]).toEqual(["one\n", false]);
  });

  test("is literal, whatever signs are in it", async () => {
    const { call, content } = toolBench({ "a.txt": "($x.*)\n" });
    await call("apply_patch", update("-($x.*)", "+$& $1 $$ $`"));
    expect(content("a.txt")).toBe("$& $1 $$ $`\n");
  });

  test("may stand in a fence or a here-document", async () => {
    const { call, content } = toolBench({ "a.txt": "one\n" });
    const { patch: text } = update("-one", "+1");
    expect(await call("apply_patch", { patch: `apply_patch <<'EOF'\n${text}\nEOF\n` })).toMatchObject({ status: "ok" });
    expect(content("a.txt")).toBe("1\n");
  });
});

describe("the place of a hunk", () => {
  const TWICE = "class A:\n    def f():\n        pass\n\nclass B:\n    def f():\n        pass\n";

  test("is below the line after @@, where its lines stand in several places", async () => {
    const { call, content } = toolBench({ "a.txt": TWICE });
    await call("apply_patch", update("@@ class B:", "@@     def f():", "-        pass", "+        return 1"));
    expect(content("a.txt")).toBe(TWICE.replace(/pass\n$/, "return 1\n"));
  });

  test("is below the hunk before, or at the end of the file where that is said", async () => {
    const { call, content } = toolBench({ "a.txt": "x\na\nx\nb\nx\n" });
    await call("apply_patch", update("@@", " a", "-x", "+1", "@@", "-x", "+2", "*** End of File"));
    expect(content("a.txt")).toBe("x\na\n1\nb\n2\n");
  });

  test("is below the hunk before, where its lines stand above that too", async () => {
    const { call, content } = toolBench({ "a.txt": "x\na\nx\n" });
    await call("apply_patch", update("@@", "-a", "+b", "@@", "-x", "+y"));
    expect(content("a.txt")).toBe("x\nb\ny\n");
  });

  test.each([true, false])("is not guessed: what could be in several is refused with their lines", async (hasRead) => {
    const { call, content } = toolBench({ "a.txt": TWICE }, { hasRead });
    const result = await call("apply_patch", update("-        pass", "+        return 1"));
    expect(result.text).toContain("The hunk of a.txt: its place could be any of 2 (lines 3, 7). Add lines of context");
    expect(content("a.txt")).toBe(TWICE);
  });

  test("is found though the numbers after @@ are wrong and hunks come in another order", async () => {
    const { call, content } = toolBench({ "a.txt": "one\ntwo\nthree\nfour\n" });
    await call("apply_patch", update("@@ -90,2 +90,2 @@", "-four", "+4", "@@", "-one", "+1"));
    expect(content("a.txt")).toBe("1\ntwo\nthree\n4\n");
  });

  test.each([
    ["taken out and put in again", ["-two", "-", "+2", "+"], "one\n2\n"],
    ["taken out", ["-two", "-", "+2"], "one\n2\n"],
    ["kept", ["-two", "+2", " "], "one\n2\n"],
  ])("takes no account of the empty line that models see after the last newline, %s", async (_, lines, after) => {
    const { call, content } = toolBench({ "a.txt": "one\ntwo\n" });
    await call("apply_patch", update("@@", " one", ...lines));
    expect(content("a.txt")).toBe(after);
  });

  test("is nowhere where an empty line is meant that is not there, and the file goes on", async () => {
    const { call, content } = toolBench({ "a.txt": "one\ntwo\nthree\n" });
    const result = await call("apply_patch", update("@@", "-two", "-", "+2"));
    expect(result.text).toContain("its lines are not in the file");
    expect(content("a.txt")).toBe("one\ntwo\nthree\n");
  });

  test("of lines that only come is below @@, or at the end", async () => {
    const { call, content } = toolBench({ "a.txt": "one\ntwo\n" });
    await call("apply_patch", update("@@ one", "+1.5"));
    await call("apply_patch", update("@@", "+three"));
    expect(content("a.txt")).toBe("one\n1.5\ntwo\nthree\n");
  });

  test("may be found but for white space, and that is said; the lines that stay keep theirs", async () => {
    const { call, content } = toolBench({ "a.txt": "if (x) {\n\tgo();\t \n\tstop();\n}\n" });
    const result = await call("apply_patch", update(" if (x) {", "   go();", "-  stop();", "+  halt();", " }"));
    expect(result.text).toContain(
      "Note: the hunk of a.txt matched lines 1-4 only but for white space. Check the diff.",
    );
    expect(content("a.txt")).toBe("if (x) {\n\tgo();\t \n\thalt();\n}\n");
  });

  test("is not found loosely in a file that was never read, nor where the indentation is unclear", async () => {
    const unread = toolBench({ "a.txt": "\tgo();\n" }, { hasRead: false });
    const refused = await unread.call("apply_patch", update("-  go();", "+  stop();"));
    expect(refused).toMatchObject({ status: "error", text: expect.stringContaining("read it first") });
    expect(await unread.call("apply_patch", update("-\tgo();", "+\tstop();"))).toMatchObject({ status: "ok" });
    const unclear = toolBench({ "a.txt": "  a\n      b\n" });
    const result = await unclear.call("apply_patch", update("-a", "-b", "+a", "+c"));
    expect(result.text).toContain("how its new lines are to be indented is not clear");
  });

  test("that is nowhere is answered with the closest lines and their numbers", async () => {
    const { call } = toolBench({ "a.txt": "one\ndef total(items):\n    return sum(items)\n" });
    const hunks = ["@@", "-one", "+1", "@@", "-def totals(item):", "+def totals(items):"];
    const { text } = await call("apply_patch", update(...hunks));
    expect(text).toContain(
      "Hunk 2 of 2 of a.txt: its lines are not in the file. What comes closest, with line numbers:",
    );
    expect(text).toContain("2\tdef total(items):");
  });
});

describe("what a patch does not speak of stays as it is", () => {
  test("CRLF, byte order mark, mode and a missing final newline", async () => {
    const { root, call, content } = toolBench({ "a.txt": "\ufeffone\r\ntwo\r\nthree" });
    chmodSync(join(root, "a.txt"), 0o755);
    await call("apply_patch", update("-one", "+1", "+1.5", " two", "-three", "+3", "+4"));
    expect(content("a.txt")).toBe("\ufeff1\r\n1.5\r\ntwo\r\n3\r\n4");
    expect(statSync(join(root, "a.txt")).mode & 0o777).toBe(0o755);
  });

  test("each kind of line end where both are mixed, and bytes of another encoding", async () => {
    const { call, content } = toolBench({ "a.txt": Uint8Array.from(Buffer.from("a\r\nb\n\xe4\nc\r\n", "latin1")) });
    await call("apply_patch", update(" b", "+é", "@@", "-c", "+C"));
    expect(content("a.txt", "latin1")).toBe("a\r\nb\n\xc3\xa9\n\xe4\nC\r\n");
  });

  test("every other line; and a patch turned round gives the file back", async () => {
    const word = fc.constantFrom("a", "b", "  c", "\td", "", "é", "$&", "x y", "a ");
    const ending = fc.constantFrom("\n", "\r\n");
    const line = fc.tuple(word, ending);
    const lines = fc.array(line, { maxLength: 6 });
    const bench = toolBench();
    const fresh = fc.array(fc.constantFrom("new", "  lines", ""), { minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(lines, lines, fresh, fc.boolean(), async (head, tail, added, isEnded) => {
        const raw = (part: typeof head) => part.map(([text, end]) => text + end).join("");
        const after = isEnded ? raw(tail) : raw(tail).replace(/\r?\n$/, "");
        const before = Buffer.from(`${raw(head)}<OLD>\n${after}`);
        await bench.workspace.writeFile("a.txt", before);
        await bench.call("read", { path: "a.txt" });
        const [out, back] = [["-<OLD>"], ["+<OLD>"]];
        const there = [`<<NEW>>`, ...added];
        const done = await bench.call("apply_patch", update("@@", ...out, ...there.map((text) => `+${text}`)));
        expect(done.status, done.text).toBe("ok");
        const now = bench.content("a.txt");
        expect(now.startsWith(raw(head)) && now.endsWith(after)).toBe(true);
        const middle = now.slice(raw(head).length, now.length - after.length);
        expect(middle).toBe(there.map((text) => `${text}\n`).join(""));
        const undone = await bench.call("apply_patch", update("@@", ...there.map((text) => `-${text}`), ...back));
        expect(undone.status, undone.text).toBe("ok");
        expect(bench.content("a.txt", "latin1")).toBe(before.toString("latin1"));
      }),
      { numRuns: 100 },
    );
  });
});

test("any change of lines is carried out as it is written, and the same with its signs turned round undoes it", async () => {
  const sign = fc.constantFrom(" ", "-", "+");
  const text = fc.constantFrom("a", "b", "  c", "\td", "", "@@ e", "*** f", "-g", "+h", " ", "$&", "é");
  const bench = toolBench();
  const bytesOf = (lines: readonly (readonly [string, string])[], gone: string, end: string, isEnded: boolean) => {
    const kept = lines.filter(([own]) => own !== gone).map(([, line]) => line);
    return kept.length === 0 ? "" : kept.join(end) + (isEnded ? end : "");
  };
  const turned = { " ": " ", "-": "+", "+": "-" } as const;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(sign, text), { minLength: 1, maxLength: 8 }),
      fc.constantFrom("\n", "\r\n"),
      fc.boolean(),
      async (lines, end, isEnded) => {
        const [before, after] = [bytesOf(lines, "+", end, isEnded), bytesOf(lines, "-", end, isEnded)];
        fc.pre(before !== after && before !== "" && after !== "");
        // Where the last line is empty and not ended there is no such line.
        fc.pre(isEnded || !(before.endsWith("\n") || after.endsWith("\n")));
        // A single line tells nothing of how lines end.
        fc.pre(end === "\n" || (before.includes(end) && after.includes(end)));
        await bench.workspace.writeFile("a.txt", Buffer.from(before));
        await bench.call("read", { path: "a.txt" });
        const hunk = lines.map(([own, line]) => own + line);
        const done = await bench.call("apply_patch", update("@@", ...hunk));
        expect(done.status, done.text).toBe("ok");
        expect(bench.content("a.txt")).toBe(after);
        const back = lines.map(([own, line]) => turned[own as keyof typeof turned] + line);
        const undone = await bench.call("apply_patch", update("@@", ...back));
        expect(undone.status, undone.text).toBe("ok");
        expect(bench.content("a.txt")).toBe(before);
      },
    ),
    { numRuns: 150 },
  );
});

test("a file of very many lines is patched and edited like any other", async () => {
  const { call, content } = toolBench({ "a.txt": "x\n".repeat(300_000), "b.txt": "x\n".repeat(300_000) });
  const middle = Array.from({ length: 3 }, () => "-x");
  expect(await call("apply_patch", update("@@", ...middle, "+end", "*** End of File"))).toMatchObject({ status: "ok" });
  expect(content("a.txt")).toBe(`${"x\n".repeat(299_997)}end\n`);
  const several = await call("edit", { path: "b.txt", edits: [{ old: "x", new: "y" }] });
  expect(several.text).toContain("stands in 300000 places of 300000 lines (lines 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, …)");
});

describe("refused, with nothing changed", () => {
  test.each([
    ["no beginning", "*** Update File: a.txt\n-one\n+1", 'does not begin with "*** Begin Patch"'],
    ["no end", "*** Begin Patch\n*** Update File: a.txt\n-one\n+1", "seems to be cut off"],
    ["no file", patch().patch, "it names no file"],
    ["a line of no file", patch("-one").patch, 'line 2 belongs to no file: "-one"'],
    ["a line without a sign", update("one").patch, 'line 3 begins with none of " ", "-", "+" and "@@": "one"'],
    ["an update without a change", update().patch, "nothing about how a.txt changes"],
    ["a hunk without a change", update("@@", " one").patch, "neither takes a line out nor puts one in"],
    ["a change that is none", update("-one", "+one").patch, "leave a.txt as it is"],
    ["lines of a new file without +", patch("*** Add File: b.txt", "b").patch, "line 3 does not"],
    ["a new file that is there", patch("*** Add File: a.txt", "+b").patch, "a.txt exists already"],
    ["a move to what is there", update("*** Move to: b.txt").patch, "b.txt exists already"],
    ["a file that is not there", patch("*** Delete File: c.txt").patch, '"c.txt" does not exist'],
    ["an update of nothing", patch("*** Update File: c.txt", "-a").patch, "needs *** Add File"],
    ["a file named twice", patch("*** Delete File: a.txt", "*** Update File: ./a.txt", "-one").patch, "a.txt twice"],
    ["hunks that overlap", update("-one", "-two", "@@", " one", "-two", "+2").patch, "another hunk changes too"],
    ["an ellipsis", update("-one", "+# ... rest of the code ...").patch, "in place of code"],
    ["an ellipsis in a new file", patch("*** Add File: c", "+// ... existing code ...").patch, "in place of code"],
    ["a way out", patch("*** Update File: a.txt", "-one", "+1", "*** Add File: ../x", "+x").patch, '".." in it'],
  ])("%s", async (_, text, reason) => {
    const { call, content } = toolBench({ "a.txt": "one\ntwo\n", "b.txt": "b\n" });
    const result = await call("apply_patch", { patch: text });
    expect(result).toMatchObject({ status: "error", text: expect.stringContaining(reason) });
    expect([content("a.txt"), content("b.txt")]).toEqual(["one\ntwo\n", "b\n"]);
  });
});

test("where a file cannot be written after all, what was done before is said", async () => {
  const { root, call, content } = toolBench({ "a.txt": "one\n", "b.txt": "two\n" });
  symlinkSync("b.txt", join(root, "link"));
  const lines = ["*** Update File: a.txt", "-one", "+1", "*** Delete File: link"];
  const { status, text } = await call("apply_patch", patch(...lines));
  expect(status).toBe("error");
  expect(text).toContain("goes through a symlink");
  expect(text).toContain("Done before that: Updated a.txt (+1 -1).");
  expect([content("a.txt"), content("b.txt")]).toEqual(["1\n", "two\n"]);
});

describe("permission", () => {
  const deny = (tool: string, match: string) => ({
    ...EVERYTHING,
    permissions: [{ tool, match, effect: "deny" as const, reason: "not yours" }],
  });
  const moves = patch("*** Update File: a.txt", "*** Move to: locked/b.txt", "*** Add File: c.txt", "+c");

  test.each(["apply_patch", "edit", "write", "*"])("is asked for every path, by the rules of %s too", (tool) => {
    const { check } = toolBench({}, { grant: deny(tool, "locked/**") });
    expect(check("apply_patch", moves)).toMatchObject({ type: "denied", text: expect.stringContaining("not yours") });
    expect(check("apply_patch", update("-one"))).toMatchObject({ type: "ready", subject: "a.txt", effect: "write" });
  });

  test("is not given for .git, and a rule about another tool binds nothing", () => {
    const { check } = toolBench({}, { grant: deny("read", "**") });
    expect(check("apply_patch", patch("*** Add File: .git/hooks/x", "+x"))).toMatchObject({ type: "denied" });
    expect(check("apply_patch", moves)).toMatchObject({ type: "ready", subject: "a.txt, locked/b.txt, c.txt" });
  });
});
