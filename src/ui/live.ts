import type { Budget } from "../core/budget.ts";
import type { Delta, StoredEvent } from "../core/event.ts";
import type { Screen } from "../core/ports.ts";
import { newRun, type Run, stepState, totalSpend } from "../core/run.ts";
import { totalTokens } from "../core/usage.ts";
import { type Activity, activityAfterDelta, activityAfterEvent, shownActivity } from "./activity.ts";
import { type Board, type BoardRow, renderBoard, renderRest } from "./board.ts";
import { type Line, noticeLine } from "./line.ts";
import { LineFeed } from "./line-feed.ts";
import { LiveRegion } from "./live-region.ts";
import type { OutputStream } from "./output-stream.ts";
import { createPaint, type Paint } from "./paint.ts";
import type { Past } from "./past.ts";
import { stepProgress } from "./progress.ts";
import { oneLine } from "./sanitize.ts";
import { type StepLabel, stepTitle } from "./step-label.ts";
import { timesText } from "./step-lines.ts";
import type { ListedStep, StepList, Ticker } from "./step-list.ts";
import { totalElapsed } from "./step-progress.ts";
import { clip, wrapWords } from "./width.ts";

/** What a live screen is made of. */
export interface LiveOptions {
  readonly stream: OutputStream;
  readonly steps: readonly StepLabel[];
  readonly past?: Past | undefined;
  /** Until the run says its own. */
  readonly budget?: Budget | undefined;
  readonly color: boolean;
  /** Where the stream does not know its width. */
  readonly columns?: number | undefined;
  readonly now: () => number;
  /** Default: a timer that keeps no process alive. */
  readonly ticker?: Ticker;
}

const SPINNER = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
/** Milliseconds that a spinner's glyph stands: enough to see that something is alive, little to send. */
const SPIN_MS = 200;

const unreferenced: Ticker = (ms, tick) => {
  const timer = setInterval(tick, ms).unref();
  return () => clearInterval(timer);
};

/** Facts as lines that stay in the scrollback, and below them the list of the steps while they run. */
export class LiveScreen implements Screen {
  /** Resolved once the list is there; lines are shown before. */
  readonly ready: Promise<void>;
  readonly #options: LiveOptions;
  readonly #feed: LineFeed;
  readonly #region: LiveRegion;
  readonly #paint: Paint;
  #run: Run = newRun("");
  #activity: Activity = {};
  #waiting: Line[] = [];
  #list: StepList | null = null;
  #hasFrame = false;
  #isClosed = false;

  constructor(options: LiveOptions) {
    this.#options = options;
    this.#feed = new LineFeed(options.steps, options.past);
    this.#region = new LiveRegion(options.stream);
    this.#paint = createPaint(options.color);
    // Without the list the lines still come: a screen never ends a run.
    this.ready = this.#start().catch(() => {});
  }

  event(event: StoredEvent, run: Run): void {
    this.#run = run;
    this.#activity = activityAfterEvent(this.#activity, event);
    this.#print(this.#feed.event(event, run));
    this.#updateList();
  }

  delta(delta: Delta): void {
    this.#activity = activityAfterDelta(this.#activity, delta);
    this.#print(this.#feed.delta(delta));
    this.#updateList();
  }

  notice(text: string): void {
    this.#print([noticeLine(text)]);
  }

  typed(): void {
    this.#region.typed();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#waiting.push(...this.#feed.flush());
    const rest = this.#hasFrame && this.#run.end === null ? this.#rest() : [];
    this.#region.show([...this.#takeLines(), ...rest], []);
    this.#list?.end();
  }

  /** listr2 is loaded only here: a run in a pipe does not pay for it. */
  async #start(): Promise<void> {
    const { StepList } = await import("./step-list.ts");
    if (this.#isClosed) return;
    this.#list = new StepList({
      steps: this.#listed(),
      ticker: this.#options.ticker ?? unreferenced,
      draw: (steps) => this.#draw(steps),
    });
  }

  #draw(steps: readonly ListedStep[]): void {
    if (this.#isClosed || this.#run.created === null) return;
    this.#hasFrame = true;
    const { now } = this.#options;
    const spinner = SPINNER[Math.floor(now() / SPIN_MS) % SPINNER.length] ?? "";
    const rows = this.#options.stream.rows || 24;
    const view = { columns: this.#columns(), rows, spinner, paint: this.#paint };
    this.#region.show(this.#takeLines(), renderBoard(this.#board(steps), view));
  }

  #rest(): readonly string[] {
    return renderRest(this.#board(this.#listed()), { columns: this.#columns(), paint: this.#paint });
  }

  /** Before the first frame a line is written at once; later the next frame takes it along. */
  #print(lines: readonly Line[]): void {
    this.#waiting.push(...lines);
    if (!this.#hasFrame) this.#region.show(this.#takeLines(), []);
  }

  #takeLines(): readonly string[] {
    const width = Math.max(10, this.#columns() - 1);
    const lines = this.#waiting.flatMap(({ kind, text }) =>
      (kind === "detail" ? [clip(text, width)] : wrapWords(text, width)).map((part) => this.#paint(kind, part)),
    );
    this.#waiting = [];
    return lines;
  }

  #board(steps: readonly ListedStep[]): Board {
    const run = this.#run;
    const sinceLast = run.status === "running" ? Math.max(0, this.#options.now() - run.lastAt) : 0;
    return {
      rows: this.#options.steps.map((label, index) =>
        this.#row(label.id, steps[index] ?? { title: label.id, action: "" }),
      ),
      engine: shownActivity(this.#activity, "") || null,
      spend: totalSpend(run),
      budget: run.budgets.run ?? this.#options.budget,
      activeMs: run.activeMs + sinceLast,
    };
  }

  #row(stepId: string, listed: ListedStep): BoardRow {
    const state = stepState(this.#run, stepId);
    const progress = stepProgress(this.#feed.progress, stepId);
    const isTimed = progress.isTotalWhole && state.reusedFrom === null;
    return {
      ...listed,
      status: state.status === "pending" ? "waiting" : state.status,
      tokens: totalTokens(state.usage),
      costNanos: this.#run.spend[`step:${stepId}`]?.settledNanos ?? 0,
      elapsedMs: isTimed ? totalElapsed(progress, this.#options.now()) : null,
    };
  }

  #updateList(): void {
    for (const [index, step] of this.#listed().entries()) this.#list?.update(index, step);
  }

  #listed(): readonly ListedStep[] {
    return this.#options.steps.map(({ id }) => ({
      title: oneLine(stepTitle(this.#options.steps, id) + timesText(stepState(this.#run, id).conversation)),
      action: shownActivity(this.#activity, id),
    }));
  }

  /** A terminal without a size says 0. */
  #columns(): number {
    return this.#options.stream.columns || this.#options.columns || 80;
  }
}
