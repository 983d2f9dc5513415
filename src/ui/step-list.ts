import { Listr, type ListrRenderer, type ListrTaskObject, type ListrTaskWrapper } from "listr2";

/** A step as listr2 has it. */
export interface ListedStep {
  readonly title: string;
  /** What it does just now. */
  readonly action: string;
}

/** Calls `tick` every `ms` until the returned function is called. */
export type Ticker = (ms: number, tick: () => void) => () => void;

/** What a list is made of. */
export interface StepListOptions {
  readonly steps: readonly ListedStep[];
  readonly ticker: Ticker;
  /** Puts a frame on the terminal. Called at most once a tick. */
  readonly draw: (steps: readonly ListedStep[]) => void;
}

/** Ten frames a second; one in which nothing changed is not written. */
const FRAME_MS = 100;

interface RendererOptions {
  readonly list: StepListOptions;
}

type ListedTask = ListrTaskObject<unknown, typeof FrameRenderer, typeof FrameRenderer>;
type Wrapper = ListrTaskWrapper<unknown, typeof FrameRenderer, typeof FrameRenderer>;

/**
 * A renderer for listr2 in the place of its default one, which holds back everything written to stdout and stderr
 * until the list ends, knows only stdout as a terminal, and forgets a finished task's output.
 */
class FrameRenderer implements ListrRenderer {
  /** Whether there is a terminal was decided before; listr2 would ask stdout, which may be a pipe. */
  static nonTTY = true;
  static rendererOptions: RendererOptions;
  static rendererTaskOptions: Record<never, never>;

  readonly #tasks: readonly ListedTask[];
  readonly #list: StepListOptions;
  #stop: (() => void) | null = null;

  constructor(tasks: ListedTask[], options: RendererOptions) {
    this.#tasks = tasks;
    this.#list = options.list;
  }

  /** No need to hear of each change: a clock runs on every line, so every frame is made anew. */
  render(): void {
    this.#stop = this.#list.ticker(FRAME_MS, () => {
      this.#list.draw(this.#tasks.map((task) => ({ title: task.title ?? "", action: task.output ?? "" })));
    });
  }

  end(): void {
    this.#stop?.();
    this.#stop = null;
  }
}

/** The steps as a list of listr2 tasks. Lives until `end`. */
export class StepList {
  readonly #wrappers: (Wrapper | undefined)[] = [];
  readonly #wanted: ListedStep[];
  readonly #ended = Promise.withResolvers<void>();
  readonly finished: Promise<void>;

  constructor(options: StepListOptions) {
    this.#wanted = [...options.steps];
    const tasks = options.steps.map((step, index) => ({
      title: step.title,
      task: (_context: unknown, task: Wrapper) => this.#perform(index, task),
    }));
    const listr = new Listr<unknown, typeof FrameRenderer, typeof FrameRenderer>(tasks, {
      concurrent: true,
      exitOnError: false,
      // Ctrl-C is the command's to answer; listr2 would end the process.
      registerSignalListeners: false,
      renderer: FrameRenderer,
      rendererOptions: { list: options },
    });
    this.finished = listr.run().then(
      () => {},
      () => {},
    );
  }

  update(index: number, step: ListedStep): void {
    this.#wanted[index] = step;
    this.#tell(index);
  }

  end(): void {
    this.#ended.resolve();
  }

  /**
   * A way back performs a step again, and a listr2 task cannot be started twice: so each is open as long as the list,
   * and how its step stands is said by title and output.
   */
  #perform(index: number, task: Wrapper): Promise<void> {
    this.#wrappers[index] = task;
    this.#tell(index);
    return this.#ended.promise;
  }

  #tell(index: number): void {
    const task = this.#wrappers[index];
    const step = this.#wanted[index];
    if (!task || !step) return;
    if (task.title !== step.title) task.title = step.title;
    if (task.output !== step.action) task.output = step.action;
  }
}
