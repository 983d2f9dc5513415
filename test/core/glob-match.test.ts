import fc from "fast-check";
import { expect, test } from "vitest";
import { globMatcher } from "../../src/core/glob-match.ts";

/** What a pattern means, said as a regular expression: right, but slow on patterns with many stars. */
function meaning(pattern: string): RegExp {
  const literal = (text: string) => text.replace(/[.*+?^$()|[\]\\{}]/g, "\\$&");
  const source = pattern.replace(/\*\*\/|\*\*|\*|\?|\{[^{}]*\}|[.+^$()|[\]\\{}]/g, (token) => {
    if (token === "**/") return "(?:[^]*/)?";
    if (token === "**") return "[^]*";
    if (token === "*") return "[^/]*";
    if (token === "?") return "[^/]";
    return token.length > 1 ? `(?:${token.slice(1, -1).split(",").map(literal).join("|")})` : literal(token);
  });
  return new RegExp(`^${source}$`);
}

test("a pattern matches what it means", () => {
  const part = fc.constantFrom("a", "b", "/", "*", "**", "**/", "?", "{a,b/}", "{a,}", "{", "}", ".", "\\", "\n", "é");
  const letter = fc.constantFrom("a", "b", "/", ".", "{", "}", "\\", "\n", "é");
  fc.assert(
    fc.property(fc.array(part, { maxLength: 7 }), fc.array(letter, { maxLength: 9 }), (parts, letters) => {
      const [pattern, path] = [parts.join(""), letters.join("")];
      expect(globMatcher(pattern)(path)).toBe(meaning(pattern).test(path));
    }),
    { numRuns: 3000 },
  );
});

test("a pattern that is made to take long does not", () => {
  const long = "a".repeat(4000);
  expect(globMatcher(`${"*a".repeat(60)}*b`)(long)).toBe(false);
  expect(globMatcher(`${"**/".repeat(60)}b`)("a/".repeat(2000))).toBe(false);
  expect(globMatcher(`${"{a,aa}".repeat(60)}b`)(long)).toBe(false);
});
