import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { visibleText } from "../../src/core/visible-text.ts";

describe("what acts without being seen is written as a mark", () => {
  test.each([
    ["a code of a terminal", "a\u001b[31mb\u0007", "a⟨U+001B⟩[31mb⟨U+0007⟩", 2],
    ["a lone carriage return", "a\rb", "a⟨U+000D⟩b", 1],
    ["a turn of direction", "x\u202e)y\u2066", "x⟨U+202E⟩)y⟨U+2066⟩", 2],
    ["zero width in Latin text", "ig\u200dno\u200bre\ufeff", "ig⟨U+200D⟩no⟨U+200B⟩re⟨U+FEFF⟩", 3],
    ["tags, which spell words", "a\u{e0068}\u{e0069}", "a⟨U+E0068⟩⟨U+E0069⟩", 2],
    ["selectors that hide bytes", "a\ufe01😀\ufe0f\ufe0f\u{e0101}", "a⟨U+FE01⟩😀\ufe0f⟨U+FE0F⟩⟨U+E0101⟩", 3],
    ["a separator of lines that is none", "a\u2028b\u0085", "a⟨U+2028⟩b⟨U+0085⟩", 2],
    ["a blank letter", "a\u3164b", "a⟨U+3164⟩b", 1],
  ])("%s", (_, text, shown, marks) => {
    expect(visibleText(text)).toEqual({ text: shown, marks });
  });
});

test.each(["plain\n\ttext", "naïve – “quoted”", "👩🏽‍💻 ❤️ 🏳️‍🌈 1️⃣", "می‌خواهم", "क्‍ष", "日本語"])(
  "%j stays as it is",
  (text) => {
    expect(visibleText(text)).toEqual({ text, marks: 0 });
  },
);

test("once is as good as twice", () => {
  const piece = fc.constantFrom("a", "\n", "\u200d", "\ufe0f", "😀", "\u202e", "\u001b", "\u{e0041}", "ی", "⟨U+202E⟩");
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      const once = visibleText(pieces.join("")).text;
      expect(visibleText(once).text).toBe(once);
    }),
  );
});
