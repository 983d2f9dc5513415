import fc from "fast-check";
import { expect, test } from "vitest";
import { reindent } from "../../src/tools/reindent.ts";

const lines = fc.array(
  fc.tuple(fc.nat({ max: 4 }), fc.constantFrom("a", "b();", "}")).map(([depth, text]) => "  ".repeat(depth) + text),
  { minLength: 1, maxLength: 8 },
);

test("lines that were written too far out or in are moved by as much, all of them", () => {
  fc.assert(
    fc.property(lines, lines, fc.nat({ max: 6 }), (sought, fresh, shift) => {
      const moved = (text: readonly string[]) => text.map((line) => " ".repeat(shift) + line);
      expect(reindent(fresh, sought, moved(sought))).toEqual(moved(fresh));
      const back = reindent(moved(fresh), moved(sought), sought);
      expect(back).toEqual(fresh);
    }),
  );
});

test("two spaces of the model's become a tab of the file's, wherever a line of both is indented", () => {
  const tabbed = (text: readonly string[]) => text.map((line) => line.replaceAll("  ", "\t"));
  fc.assert(
    fc.property(lines, lines, (sought, fresh) => {
      const known = ["  x", ...sought];
      expect(reindent(fresh, known, tabbed(known))).toEqual(tabbed(fresh));
    }),
  );
});

test("what has no certain answer has none", () => {
  expect(reindent(["x"], ["a", "b"], ["  a", "    b"])).toBeNull();
  expect(reindent(["  x"], ["a"], ["\ta"])).toBeNull();
  expect(reindent(["\t x"], ["  a"], ["\ta"])).toBeNull();
});
