import type { Budget, Spend } from "../core/budget.ts";
import { formatUsd } from "../core/money.ts";
import { formatCostOf, formatDuration, formatTimeOf, formatTokens } from "./format.ts";
import type { LineKind } from "./line.ts";
import type { Paint } from "./paint.ts";
import { aligned, clip, displayWidth } from "./width.ts";

/** One step as the live list shows it. */
export interface BoardRow {
  readonly title: string;
  readonly status: "waiting" | "running" | "interrupted" | "succeeded" | "failed";
  /** What it does just now; empty for nothing to tell. */
  readonly action: string;
  readonly tokens: number;
  readonly costNanos: number;
  /** Null: not known, or none of this run's. */
  readonly elapsedMs: number | null;
}

/** All that the live list shows at one moment. */
export interface Board {
  readonly rows: readonly BoardRow[];
  /** What the engine does outside of all steps (set-up, checks on the base); null for nothing. */
  readonly engine: string | null;
  readonly spend: Spend;
  readonly budget: Budget | undefined;
  readonly activeMs: number;
}

/** The terminal that it is shown on. */
export interface BoardView {
  readonly columns: number;
  readonly rows: number;
  /** The running steps' glyph of the moment. */
  readonly spinner: string;
  readonly paint: Paint;
}

const TALLEST = 12;
const GLYPHS = { waiting: "·", interrupted: "‖", succeeded: "✓", failed: "✗" } as const;
const KINDS: Readonly<Record<BoardRow["status"], LineKind>> = {
  waiting: "detail",
  running: "note",
  interrupted: "warning",
  succeeded: "good",
  failed: "bad",
};

/** The live list: one line a step, as many as the terminal has room for, and a line of totals. No line fills the width. */
export function renderBoard(board: Board, view: BoardView): readonly string[] {
  const width = widthOf(view.columns);
  const narrow = isNarrow(view.columns);
  const height = Math.max(1, Math.min(view.rows - 2, TALLEST));
  const engine = board.engine === null ? [] : [`${view.spinner} ${clip(board.engine, width - 2)}`];
  const totals = view.paint("title", clip(totalsText(board, narrow), width));
  if (height < 3) return [totals, ...engine, ...runningLines(board, view, width)].slice(-height);

  const room = height - engine.length - 1;
  const isTwoLined = (row: BoardRow) => narrow && row.status === "running" && row.action !== "";
  const rows = chosenRows(board.rows, room - board.rows.filter(isTwoLined).length);
  const titleWidth = titleWidthOf(rows, view.columns);
  const lines = rows.flatMap((row) => [
    rowLine(row, { ...view, width, titleWidth, isNarrow: narrow }),
    ...(isTwoLined(row) ? [view.paint("detail", `  ${clip(row.action, width - 2)}`)] : []),
  ]);
  return [...lines.slice(0, room), ...engine, totals];
}

/** What stays when the screen closes: the steps without an end. Those that ended have their line in the scrollback. */
export function renderRest(board: Board, view: Omit<BoardView, "rows" | "spinner">): readonly string[] {
  const rows = board.rows.flatMap((row): readonly BoardRow[] => {
    if (row.status === "succeeded" || row.status === "failed") return [];
    return [{ ...row, action: "", status: row.status === "waiting" ? "waiting" : "interrupted" }];
  });
  const width = widthOf(view.columns);
  const titleWidth = titleWidthOf(rows, view.columns);
  return rows.map((row) => rowLine(row, { ...view, spinner: "", width, titleWidth, isNarrow: isNarrow(view.columns) }));
}

function widthOf(columns: number): number {
  return Math.max(10, columns - 1);
}

/** Below 60 columns a running step's action stands on a line of its own. */
function isNarrow(columns: number): boolean {
  return columns < 60;
}

/** The longest title's, but never so much that the figures (15 columns in a narrow list) have no room. */
function titleWidthOf(rows: readonly BoardRow[], columns: number): number {
  const room = isNarrow(columns) ? widthOf(columns) - 18 : Math.floor(columns / 2);
  return Math.max(1, Math.min(room, Math.max(0, ...rows.map((row) => displayWidth(row.title)))));
}

function runningLines(board: Board, view: BoardView, width: number): readonly string[] {
  const running = board.rows.filter((row) => row.status === "running");
  return running.map((row) => clip(`${view.spinner} ${row.title}  ${row.action}`, width));
}

/** Where not all fit: what runs or went wrong first, then what comes next, then what was done last; in their order. */
function chosenRows(rows: readonly BoardRow[], room: number): readonly BoardRow[] {
  const done = rows.filter((row) => row.status === "succeeded").reverse();
  const waiting = rows.filter((row) => row.status === "waiting");
  const urgent = rows.filter((row) => row.status !== "succeeded" && row.status !== "waiting");
  const chosen = new Set([...urgent, ...waiting, ...done].slice(0, Math.max(1, room)));
  return rows.filter((row) => chosen.has(row));
}

interface RowView extends Omit<BoardView, "rows"> {
  readonly width: number;
  readonly titleWidth: number;
  readonly isNarrow: boolean;
}

function rowLine(row: BoardRow, view: RowView): string {
  const glyph = row.status === "running" ? view.spinner : GLYPHS[row.status];
  const kind = KINDS[row.status];
  const figures = figuresText(row, view.isNarrow);
  const room = view.width - 2 - view.titleWidth - displayWidth(figures);
  if (row.status === "waiting" || room < 1) return view.paint(kind, clip(`${glyph} ${row.title}`, view.width));
  const title = aligned(row.title, view.titleWidth);
  const action = view.isNarrow || room < 8 ? " ".repeat(room) : `  ${aligned(row.action, room - 4)}  `;
  return `${view.paint(kind, `${glyph} ${title}`)}${view.paint("detail", action)}${figures}`;
}

function figuresText(row: BoardRow, isNarrow: boolean): string {
  const elapsed = aligned(row.elapsedMs === null ? "" : formatDuration(row.elapsedMs), 6, "right");
  const cost = aligned(row.tokens > 0 ? formatUsd(row.costNanos) : "", 8, "right");
  return isNarrow
    ? `${cost} ${elapsed}`
    : `${aligned(row.tokens > 0 ? formatTokens(row.tokens) : "", 6, "right")}${cost} ${elapsed}`;
}

const BAR_COLUMNS = 10;

function totalsText(board: Board, isNarrow: boolean): string {
  const { spend, budget } = board;
  const cost = formatCostOf(spend.settledNanos, budget);
  const done = board.rows.filter((row) => row.status === "succeeded").length;
  const steps = `${done}/${board.rows.length}`;
  if (isNarrow) return `${cost}  ${formatDuration(board.activeMs)}  ${steps}`;
  const held = spend.heldNanos > 0 ? ` (+${formatUsd(spend.heldNanos)} held)` : "";
  const tokens =
    budget?.maxTokens === undefined
      ? ""
      : `  ${formatTokens(spend.settledTokens)} of ${formatTokens(budget.maxTokens)} tokens`;
  return `── ${cost}${bar(spend, budget)}${held}${tokens}  ${formatTimeOf(board.activeMs, budget)}  ${steps} steps`;
}

function bar(spend: Spend, budget: Budget | undefined): string {
  const ceiling = budget?.maxCostNanos;
  if (!ceiling) return "";
  const share = Math.min(1, spend.settledNanos / ceiling);
  const full = Math.round(share * BAR_COLUMNS);
  return ` ${"▓".repeat(full)}${"░".repeat(BAR_COLUMNS - full)} ${Math.floor(share * 100)}%`;
}
