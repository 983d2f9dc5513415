import fc from "fast-check";
import { expect, test } from "vitest";
import { matchesPath } from "../../src/core/glob.ts";
import { HOLE, readGlob } from "../../src/core/permission-glob.ts";

const patterns = fc
  .array(fc.constantFrom("a", "b", "/", "*", "**", "**/", "?", "{a,b}", "."), { maxLength: 6 })
  .map((pieces) => pieces.join(""));
const texts = fc.array(fc.constantFrom("a", "b", "/", "."), { maxLength: 6 }).map((pieces) => pieces.join(""));

test("a path matches as everywhere else in ccp", () => {
  fc.assert(
    fc.property(patterns, texts, (pattern, text) => {
      // Three stars and more are told apart elsewhere; nobody writes them.
      fc.pre(!pattern.includes("***"));
      expect(readGlob(pattern, "path").match(text) === "certain").toBe(matchesPath(pattern, text));
    }),
    { numRuns: 2_000 },
  );
});

test.each([
  ["git push*", "git push origin a/b\nrm -rf /", true],
  ["npm test", "npm test; rm x", false],
  ["git push *", "git push", true],
  ["git push *", "git push -f", true],
  ["git push *", "git pushx", false],
  ["* --force*", "git push --force", true],
  ["a.c", "abc", false],
  ["(x)+[y]$", "(x)+[y]$", true],
])("the command %j and %j: %s", (pattern, text, matches) => {
  expect(readGlob(pattern, "command").match(text) === "certain").toBe(matches);
});

test("what is not known may come to anything: none means never, certain means always", () => {
  const holed = fc.array(fc.constantFrom("a", "b", "/", " ", HOLE), { maxLength: 5 }).map((pieces) => pieces.join(""));
  fc.assert(
    fc.property(patterns, fc.constantFrom("path", "command"), holed, texts, (pattern, kind, text, value) => {
      const glob = readGlob(pattern, kind);
      const known = glob.match(text.replaceAll(HOLE, value));
      const unknown = glob.match(text);
      if (unknown === "none") expect(known).toBe("none");
      if (unknown === "certain") expect(known).toBe("certain");
    }),
    { numRuns: 3_000 },
  );
});

test("a long text takes no longer than it has to", () => {
  const glob = readGlob(`${"*a".repeat(20)}b`, "command");
  expect(glob.match("a".repeat(20_000))).toBe("none");
});
