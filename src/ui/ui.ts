/** The room's front: all that `wire.ts` hands out of it. listr2 is loaded only once a live screen is made. */
export { lastPage } from "./last-page.ts";
export { resultLine } from "./ndjson.ts";
export { PAST_EVENTS, type Past } from "./past.ts";
export { type NextCommand, renderReport } from "./report.ts";
export { renderReusePlan } from "./reuse-plan.ts";
export { manyLines, oneLine } from "./sanitize.ts";
export { chooseMode, createScreen, type UiChoice } from "./screen.ts";
export { stepLabels } from "./step-label.ts";
export { renderTable } from "./table.ts";
export { renderTranscript } from "./transcript.ts";
