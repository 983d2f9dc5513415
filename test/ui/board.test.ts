import fc from "fast-check";
import { expect, test } from "vitest";
import { type BoardRow, renderBoard, renderRest } from "../../src/ui/board.ts";
import { createPaint } from "../../src/ui/paint.ts";
import { oneLine } from "../../src/ui/sanitize.ts";
import { displayWidth } from "../../src/ui/width.ts";
import { hostileText } from "./hostile.ts";

const text = hostileText.map(oneLine);
const row: fc.Arbitrary<BoardRow> = fc.record({
  title: text,
  action: text,
  status: fc.constantFrom("waiting", "running", "interrupted", "succeeded", "failed"),
  tokens: fc.nat(),
  costNanos: fc.nat({ max: 9_000_000_000_000 }),
  elapsedMs: fc.option(fc.nat()),
});
const board = fc.record({
  rows: fc.array(row, { maxLength: 20 }),
  engine: fc.option(text),
  spend: fc.record({ settledNanos: fc.nat(), heldNanos: fc.nat(), settledTokens: fc.nat(), heldTokens: fc.nat() }),
  budget: fc.constantFrom(undefined, {}, { maxCostNanos: 0 }, { maxCostNanos: 10, maxTokens: 5, maxDurationMs: 1 }),
  activeMs: fc.nat(),
});
const size = { columns: fc.integer({ min: 1, max: 200 }), rows: fc.integer({ min: 1, max: 60 }) };

test("law: no line fills the width, and the list leaves room for the cursor and for what is above", () => {
  fc.assert(
    fc.property(board, size.columns, size.rows, (given, columns, rows) => {
      const lines = renderBoard(given, { columns, rows, spinner: "⠋", paint: createPaint(false) });
      for (const line of lines) expect(displayWidth(line)).toBeLessThan(Math.max(11, columns));
      expect(lines.length).toBeGreaterThan(0);
      expect(lines.length).toBeLessThanOrEqual(Math.max(1, Math.min(12, rows - 2)));
    }),
    { numRuns: 1000 },
  );
});

test("law: every step without an end is among the last lines, and no other", () => {
  fc.assert(
    fc.property(board, size.columns, (given, columns) => {
      const lines = renderRest(given, { columns, paint: createPaint(false) });
      const open = given.rows.filter((each) => !["succeeded", "failed"].includes(each.status));
      expect(lines).toHaveLength(open.length);
      for (const line of lines) expect(displayWidth(line)).toBeLessThan(Math.max(11, columns));
    }),
  );
});

test("colours change nothing but colours", () => {
  const [sample] = fc.sample(board, { numRuns: 1, seed: 7 });
  if (!sample) throw new Error("no sample");
  const view = { columns: 100, rows: 20, spinner: "⠋" };
  const painted = renderBoard(sample, { ...view, paint: createPaint(true) });
  expect(painted.join("\n")).toContain("\x1b[");
  expect(painted.map((line) => line.replace(/\x1b\[\d+m/g, ""))).toEqual(
    renderBoard(sample, { ...view, paint: createPaint(false) }),
  );
});
