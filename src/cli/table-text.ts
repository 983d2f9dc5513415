import type { Wiring } from "../wire/wire.ts";
import type { TextStream } from "./config.ts";

/** A table with a header, as wide as the stream's terminal; the last column gives way first. */
export async function tableText(
  headers: readonly string[],
  rows: readonly (readonly string[])[],
  wiring: Wiring,
  stream: TextStream,
): Promise<string> {
  const { renderTable } = await wiring.ui();
  const columns = headers.map((header, index) => ({ header, shrink: index === headers.length - 1 }));
  return `${renderTable(rows, { columns, width: stream.isTTY ? stream.columns : undefined })}\n`;
}
