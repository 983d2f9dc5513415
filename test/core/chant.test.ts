import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CHANT_STRIDE, CHANT_WINDOW, chants, chantsAtEnd } from "../../src/core/chant.ts";

const VERSE = "Let me look at the file once more to be sure. ";
/** Words of which no two are the same. */
const prose = (length: number) => Array.from({ length }, (_, index) => `word${index * 7919}`).join(" ");

describe("a text that says the same words again and again", () => {
  test.each([
    ["a sentence", VERSE.repeat(30)],
    ["a sentence after much that was said well", `${prose(500)} ${VERSE.repeat(30)}`],
    ["a sentence, and then something else", `${VERSE.repeat(60)} ${prose(400)}`],
    ["a word", "wait ".repeat(200)],
    ["a paragraph", prose(40).slice(0, 390).concat("\n\n").repeat(7)],
    ["a sentence with other white space", Array.from({ length: 30 }, (_, n) => VERSE + " ".repeat(n % 3)).join("")],
  ])("%s", (_, text) => {
    expect(chants(text)).toBe(true);
  });

  test.each([
    ["prose", prose(3000)],
    ["a few repeats", VERSE.repeat(5)],
    ["rules", "-".repeat(3000)],
    ["a table of numbers", "| 0 | 0 | 0 |\n".repeat(200)],
    ["a list whose items differ", Array.from({ length: 100 }, (_, n) => `- look at the file number ${n}`).join("\n")],
    ["nothing", ""],
  ])("%s is none", (_, text) => {
    expect(chants(text)).toBe(false);
  });

  test("is seen wherever it stands", () => {
    fc.assert(
      fc.property(fc.nat(900), fc.nat(900), (before, after) => {
        expect(chants(`${prose(before)} ${VERSE.repeat(60)}${prose(after)}`)).toBe(true);
      }),
      { numRuns: 20 },
    );
  });

  test("is seen while it arrives, within two looks after it is long enough", () => {
    const text = `${prose(200)} ${VERSE.repeat(100)}`;
    const at = prose(200).length;
    const seen = Array.from({ length: 20 }, (_, look) => look * CHANT_STRIDE).find((end) =>
      chantsAtEnd(text.slice(0, end).slice(-CHANT_WINDOW)),
    );
    expect(seen).toBeLessThan(at + 600 + 2 * CHANT_STRIDE);
  });
});
