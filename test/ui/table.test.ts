import fc from "fast-check";
import { expect, test } from "vitest";
import { renderTable } from "../../src/ui/table.ts";
import { displayWidth } from "../../src/ui/width.ts";
import { hostileText, UNPRINTABLE } from "./hostile.ts";

const columns = [{ header: "run" }, { header: "title", shrink: true }, { header: "cost", align: "right" }] as const;

test("columns line up, wide characters counted as two, numbers to the right", () => {
  const rows = [
    ["r-1", "漢字 fix", "$0.04"],
    ["r-22", "a longer title", "$12.00"],
  ];
  expect(renderTable(rows, { columns }).split("\n")).toEqual([
    "run   title             cost",
    "r-1   漢字 fix         $0.04",
    "r-22  a longer title  $12.00",
  ]);
});

test("in a narrow terminal the columns that may shrink do", () => {
  const rows = [["r-22", "a title that goes on and on", "$12.00"]];
  expect(renderTable(rows, { columns, width: 30, indent: "  " }).split("\n")).toEqual([
    "  run   title             cost",
    "  r-22  a title that …  $12.00",
  ]);
});

test("without headers there is no header line, and missing cells are empty", () => {
  expect(renderTable([["a", "b"], ["cc"]], { columns: [{ header: "" }, { header: "" }] })).toBe("a   b\ncc");
});

test("law: one line a row, nothing unprintable, never wider than asked while there is something to shrink", () => {
  fc.assert(
    fc.property(fc.array(hostileText, { maxLength: 5 }), fc.integer({ min: 40, max: 80 }), (titles, width) => {
      const text = renderTable(
        titles.map((title) => ["r-1", title, "$0.10"]),
        { columns, width },
      );
      const lines = text.split("\n");
      expect(lines).toHaveLength(titles.length + 1);
      for (const line of lines) {
        expect(line).not.toMatch(UNPRINTABLE);
        expect(displayWidth(line)).toBeLessThanOrEqual(width);
      }
    }),
  );
});
