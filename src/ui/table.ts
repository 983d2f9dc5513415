import { oneLine } from "./sanitize.ts";
import { aligned, displayWidth } from "./width.ts";

/** One column of a table. */
export interface Column {
  /** May be empty; without any header there is no header line. */
  readonly header: string;
  readonly align?: "left" | "right";
  /** May be cut where the table is too wide. */
  readonly shrink?: boolean;
}

/** How a table is laid out. */
export interface TableOptions {
  readonly columns: readonly Column[];
  /** Columns of the terminal; missing: as wide as it needs. */
  readonly width?: number | undefined;
  /** Put before each line. */
  readonly indent?: string;
}

const GAP = "  ";
/** Columns that a cell keeps however narrow the table is made. */
const NARROWEST = 8;

/** Aligned columns of plain text, one line a row, no line break at the end. Cells are cleaned; wide characters count as two. */
export function renderTable(rows: readonly (readonly string[])[], options: TableOptions): string {
  const { columns, indent = "" } = options;
  const headers = columns.map((column) => column.header);
  const shown = headers.some((header) => header !== "") ? [headers, ...rows] : rows;
  const cells = shown.map((row) => columns.map((_, index) => oneLine(row[index] ?? "")));
  const widths = fitted(
    columns,
    columns.map((_, index) => Math.max(0, ...cells.map((row) => displayWidth(row[index] ?? "")))),
    options.width === undefined ? Number.POSITIVE_INFINITY : options.width - displayWidth(indent),
  );
  return cells
    .map((row) => {
      const line = columns
        .map((column, index) => aligned(row[index] ?? "", widths[index] ?? 0, column.align))
        .join(GAP);
      return `${indent}${line}`.trimEnd();
    })
    .join("\n");
}

/** Takes what is too much from the widest column that may shrink, a column at a time. */
function fitted(columns: readonly Column[], natural: readonly number[], width: number): readonly number[] {
  const widths = [...natural];
  const total = () => widths.reduce((sum, each) => sum + each, 0) + GAP.length * (widths.length - 1);
  while (total() > width) {
    const widest = columns
      .map((column, index) => ({ index, width: column.shrink ? (widths[index] ?? 0) : 0 }))
      .reduce((a, b) => (b.width > a.width ? b : a), { index: -1, width: NARROWEST });
    if (widest.index < 0) break;
    widths[widest.index] = widest.width - 1;
  }
  return widths;
}
