/** The room's front: all that `wire.ts` hands out of it. listr2 is loaded only once a live screen is made. */
export { formatBytes, formatDuration, formatTokens } from "./format.ts";
export { lastPage } from "./last-page.ts";
export type { Line, LineContext, LineKind } from "./line.ts";
export { lineOf } from "./lines.ts";
export { eventLine, resultLine } from "./ndjson.ts";
export { type OutputStream, quietStream } from "./output-stream.ts";
export { foldProgress, type Progress, type StepProgress, stepProgress, totalElapsed } from "./progress.ts";
export { type NextCommand, type ReportExtra, renderReport } from "./report.ts";
export { manyLines, oneLine } from "./sanitize.ts";
export {
  chooseMode,
  createScreen,
  type ModeRequest,
  type ScreenMode,
  type ScreenOptions,
  UI_CHOICES,
  type UiChoice,
} from "./screen.ts";
export { type StepLabel, stepLabels } from "./step-label.ts";
export { type Column, renderTable, type TableOptions } from "./table.ts";
export { renderTranscript, type TranscriptOptions } from "./transcript.ts";
