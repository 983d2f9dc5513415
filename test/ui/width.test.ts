import fc from "fast-check";
import { expect, test } from "vitest";
import { oneLine } from "../../src/ui/sanitize.ts";
import { aligned, clip, displayWidth, wrapWords } from "../../src/ui/width.ts";
import { hostileText } from "./hostile.ts";

test.each([
  ["abc", 3],
  ["", 0],
  ["漢字", 4],
  ["한국", 4],
  ["é", 1],
  ["e\u0301", 1],
  ["👩‍👩‍👧", 2],
  ["🇩🇪", 2],
  ["✓ · ▸ ↻ …", 9],
  ["ｆｕｌｌ", 8],
])("%j takes %i columns", (text, width) => {
  expect(displayWidth(text)).toBe(width);
});

test.each([
  ["short", 10, "short"],
  ["exactly ten", 11, "exactly ten"],
  ["one too many", 11, "one too ma…"],
  ["漢字漢字", 7, "漢字漢…"],
  ["漢字漢字", 6, "漢字…"],
  ["anything", 1, "…"],
  ["anything", 0, ""],
])("%j cut to %i columns is %j", (text, width, cut) => {
  expect(clip(text, width)).toBe(cut);
});

test("law: cut text fits, and aligned text fills its width exactly", () => {
  fc.assert(
    fc.property(hostileText.map(oneLine), fc.integer({ min: 1, max: 30 }), (text, width) => {
      expect(displayWidth(clip(text, width))).toBeLessThanOrEqual(width);
      expect(displayWidth(aligned(text, width))).toBe(width);
    }),
    { numRuns: 1000 },
  );
});

test("a letter with a page of marks does not make a line endless", () => {
  expect(clip(`a${"\u0301".repeat(100_000)}b`, 10).length).toBeLessThan(200);
});

test("words are kept whole, and what goes on is indented", () => {
  expect(wrapWords("✗ review failed  rejected: it ignores a cached miss", 24)).toEqual([
    "✗ review failed",
    "    rejected: it ignores",
    "    a cached miss",
  ]);
});

test("a path that is too long is not broken", () => {
  const path = "/home/me/.local/state/ccp/worktrees/r-9q1x7k";
  expect(wrapWords(`worktree ${path}`, 20)).toEqual(["worktree", `    ${path}`]);
});
