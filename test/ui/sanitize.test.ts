import fc from "fast-check";
import { expect, test } from "vitest";
import { manyLines, oneLine } from "../../src/ui/sanitize.ts";
import { hostileText, UNPRINTABLE } from "./hostile.ts";

test.each([
  ["colours go, their text stays", "\x1b[31mred\x1b[0m", "red"],
  ["the scrollback cannot be cleared", "a\x1b[3J\x1b[2Jb", "ab"],
  ["a window title cannot be set", "a\x1b]0;pwned\x07b", "ab"],
  ["the clipboard cannot be written", "a\x1b]52;c;aGk=\x1b\\b", "ab"],
  ["one-byte control characters of C1 count", "a\x9b2Jb\x9d0;t\x9cc", "abc"],
  ["a sequence without an end hides nothing behind it", "a\x1b]0;all the rest", "a0;all the rest"],
  ["a terminal cannot be reset", "a\x1bcb", "ab"],
  ["many lines become one", "a\r\n  b\n\nc", "a   b c"],
  ["text cannot be turned around", "a\u202etxt.exe", "atxt.exe"],
  ["nothing hides between letters", "pass\u200bword\ufeff", "password"],
  ["half a character is shown as what it is", "a\ud800b", "a\ufffdb"],
  ["ordinary text is left alone", "  src/ä ö/漢字.ts: +6 −1 👩‍👧", "  src/ä ö/漢字.ts: +6 −1 👩‍👧"],
])("%s", (_, hostile, shown) => {
  expect(oneLine(hostile)).toBe(shown);
});

test.each([
  ["::error::no", ": :error::no"],
  ["  ::stop-commands::x", "  : :stop-commands::x"],
  [":\u200b:set-env name=A::b", ": :set-env name=A::b"],
  ["a\n::error::no", "a ::error::no"],
  ["see ##[group] and ##vso[task]", "see # #[group] and # #vso[task]"],
  ["std::vector", "std::vector"],
])("a CI runner does not obey %j", (hostile, shown) => {
  expect(oneLine(hostile)).toBe(shown);
});

test("in a text of many lines each line is broken of its commands", () => {
  expect(manyLines("a\r\n::error::b\rover\n\tc")).toEqual(["a", ": :error::b", "over", "  c"]);
});

test("law: no control character ever comes out, and no line begins a command", () => {
  fc.assert(
    fc.property(hostileText, (text) => {
      for (const line of [oneLine(text), ...manyLines(text)]) {
        expect(line).not.toMatch(UNPRINTABLE);
        expect(line).not.toMatch(/^\s*::|##\[|##vso\[/i);
        expect(line.isWellFormed()).toBe(true);
      }
    }),
    { numRuns: 2000 },
  );
});

test("law: what is clean stays as it is", () => {
  fc.assert(
    fc.property(hostileText, (text) => {
      expect(oneLine(oneLine(text))).toBe(oneLine(text));
    }),
  );
});

test("a megabyte of introducers is read in one go", () => {
  const bomb = "\x1b]".repeat(200_000) + "\x9d".repeat(200_000) + "\x1b[0".repeat(100_000);
  expect(oneLine(bomb)).not.toMatch(UNPRINTABLE);
});
