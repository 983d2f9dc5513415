import type { Budget } from "../core/budget.ts";
import type { Screen } from "../core/ports.ts";
import { LiveScreen } from "./live.ts";
import { createNdjsonScreen } from "./ndjson.ts";
import { type OutputStream, quietStream } from "./output-stream.ts";
import type { Past } from "./past.ts";
import { createPlainScreen } from "./plain.ts";
import type { StepLabel } from "./step-label.ts";

/** What shows a run. */
export type ScreenMode = "live" | "plain" | "json" | "none";
/** What a user may ask for with `--ui`; `auto` looks at the terminal. */
export type UiChoice = "auto" | Exclude<ScreenMode, "json">;

/** What a screen is made of. */
export interface ScreenOptions {
  readonly mode: ScreenMode;
  /** The result, and the lines of `json`. */
  readonly stdout: OutputStream;
  /** The talk: `live` and `plain`. */
  readonly stderr: OutputStream;
  readonly color: boolean;
  /** Where `stderr` does not know its width. */
  readonly columns?: number | undefined;
  readonly steps: readonly StepLabel[];
  /** What was on record before this process took the run, so that a resumed step's figures are whole; missing for a new run. */
  readonly past?: Past | undefined;
  readonly budget?: Budget | undefined;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** The screen of a run. Contract: it never throws, whatever becomes of the streams, and keeps no process alive. */
export function createScreen(options: ScreenOptions): Screen {
  const stderr = quietStream(options.stderr);
  switch (options.mode) {
    case "live":
      return new LiveScreen({ ...options, stream: stderr });
    case "plain":
      return createPlainScreen({ ...options, stream: stderr });
    case "json":
      return createNdjsonScreen(quietStream(options.stdout));
    case "none":
      return { event: () => {}, delta: () => {}, notice: () => {}, typed: () => {}, close: () => {} };
  }
}

/** What a mode is chosen from: the flags and the surroundings. */
export interface ModeRequest {
  /** `--json`. */
  readonly json: boolean;
  readonly ui: UiChoice;
  readonly stderrIsTty: boolean;
  /** The `TERM` of the environment. */
  readonly term: string | undefined;
  /** True in CI. */
  readonly ci: boolean;
}

/** Which screen to use, and what to say once when it is not the one that was asked for. */
export function chooseMode(request: ModeRequest): { readonly mode: ScreenMode; readonly notice: string | null } {
  const { json, ui, stderrIsTty, term, ci } = request;
  if (json) return { mode: "json", notice: null };
  const obstacle = !stderrIsTty ? "stderr is not a terminal" : term === "dumb" ? "TERM is dumb" : null;
  if (ui === "live") {
    return obstacle === null
      ? { mode: "live", notice: null }
      : { mode: "plain", notice: `${obstacle}: plain lines in place of the live list` };
  }
  if (ui !== "auto") return { mode: ui, notice: null };
  return { mode: obstacle === null && !ci ? "live" : "plain", notice: null };
}
