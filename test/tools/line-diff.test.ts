import fc from "fast-check";
import { expect, test } from "vitest";
import { diffLines } from "../../src/tools/line-diff.ts";

test("changes come with three lines of context and their numbers", () => {
  const before = ["a", "b", "c", "d", "e", "f", "g"];
  expect(diffLines(before, ["a", "b", "c", "d", "X", "Y", "f", "g"])).toEqual({
    added: 2,
    removed: 1,
    text: "@@ -2,6 +2,7 @@\n b\n c\n d\n-e\n+X\n+Y\n f\n g",
  });
});

test("changes that are far apart are hunks of their own", () => {
  const before = Array.from({ length: 20 }, (_, index) => `${index + 1}`);
  const after = before.map((line) => (line === "2" || line === "18" ? "x" : line));
  expect(diffLines(before, after).text.match(/^@@.*$/gm)).toEqual(["@@ -1,5 +1,5 @@", "@@ -15,6 +15,6 @@"]);
});

test("a first line, a last line and nothing at all", () => {
  expect(diffLines([], ["a"]).text).toBe("@@ -0,0 +1,1 @@\n+a");
  expect(diffLines(["a"], []).text).toBe("@@ -1,1 +0,0 @@\n-a");
  expect(diffLines(["a"], ["a"])).toEqual({ added: 0, removed: 0, text: "" });
});

test("a long diff is cut, and that is said", () => {
  const after = Array.from({ length: 500 }, (_, index) => `${index}`);
  const { added, text } = diffLines([], after);
  expect(added).toBe(500);
  expect(text).toMatch(/\n\(381 more lines of this diff\)$/);
});

test("texts that share nothing are compared as a whole, however long", () => {
  const lines = (name: string) => Array.from({ length: 5000 }, (_, index) => `${name}${index}`);
  expect(diffLines(lines("a"), lines("b"))).toMatchObject({ added: 5000, removed: 5000 });
});

test("what is kept and taken out is the old text, what is kept and put in the new one", () => {
  const text = fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 30 });
  fc.assert(
    fc.property(text, text, (before, after) => {
      const { text: diff, added, removed } = diffLines(before, after);
      expect(before.length - removed + added).toBe(after.length);
      const [old, now] = [[...before], [...after]];
      for (const hunk of diff.split(/^@@/m).slice(1)) {
        const [from, oldCount, to, newCount] = (/^ -(\d+),(\d+) \+(\d+),(\d+)/.exec(hunk) ?? []).slice(1).map(Number);
        const lines = hunk
          .split("\n")
          .slice(1)
          .filter((line) => line !== "");
        const side = (other: string) => lines.filter((line) => line[0] !== other).map((line) => line.slice(1));
        const start = (at: number | undefined, amount: number | undefined) => (at ?? 0) - (amount === 0 ? 0 : 1);
        expect(side("+")).toEqual(old.slice(start(from, oldCount), start(from, oldCount) + (oldCount ?? 0)));
        expect(side("-")).toEqual(now.slice(start(to, newCount), start(to, newCount) + (newCount ?? 0)));
      }
    }),
  );
});
