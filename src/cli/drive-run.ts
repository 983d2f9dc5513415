import { EXIT } from "../core/errors.ts";
import type { Pipeline } from "../core/pipeline.ts";
import type { Screen } from "../core/ports.ts";
import type { Run } from "../core/run.ts";
import type { Listener, ResumeChanges, RunSpec, Wiring } from "../wire.ts";
import type { CommandContext } from "./command-context.ts";
import { wantsColor } from "./config.ts";
import { nextCommands } from "./next-commands.ts";
import { reportText } from "./report-text.ts";
import type { UiFlags } from "./ui-flags.ts";

/** Where a drive begins. */
export type Start =
  | { readonly kind: "new"; readonly spec: RunSpec }
  | { readonly kind: "resume"; readonly rid: string; readonly changes: ResumeChanges; readonly pipeline: Pipeline };

/** Drives a run from its beginning or from where it stands, showing it, and reports how it ended. */
export async function driveRun(start: Start, flags: UiFlags, wiring: Wiring, context: CommandContext): Promise<number> {
  const pipeline = start.kind === "new" ? start.spec.pipeline : start.pipeline;
  const engine = await wiring.engine(variablesOf(pipeline, wiring));
  if (start.kind === "resume") engine.mendRecords(start.rid);
  const { screen, lastPage } = await openScreen(start, pipeline, flags, wiring, context);
  const control = listen(context, screen);
  try {
    const listener: Listener = {
      publish: (event, run) => {
        context.driven(run);
        // Not before: a run that somebody else drives, or that is over, is refused without it.
        for (const line of lastPage.splice(0)) context.surroundings.stderr.write(`${line}\n`);
        screen.event(event, run);
      },
      tell: (delta) => screen.delta(delta),
      control,
    };
    const run =
      start.kind === "new"
        ? await engine.start(start.spec, listener)
        : await engine.resume(start.rid, start.changes, listener);
    screen.close();
    await report(run, flags, wiring, context);
    return run.end?.exitCode ?? EXIT.bug;
  } finally {
    screen.close();
    control.stop();
  }
}

/** The user's values of the variables that the pipeline's steps name. */
function variablesOf(pipeline: Pipeline, wiring: Wiring): Readonly<Record<string, string>> {
  const names = pipeline.steps.flatMap((step) => step.env);
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = wiring.config.environment[name];
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
}

/** A resumed run first shows the last page of what it had shown. */
async function openScreen(
  start: Start,
  pipeline: Pipeline,
  flags: UiFlags,
  wiring: Wiring,
  context: CommandContext,
): Promise<{ readonly screen: Screen; readonly lastPage: string[] }> {
  const { stdout, stderr, environment } = context.surroundings;
  const ui = await wiring.ui();
  const steps = ui.stepLabels(pipeline);
  const past = start.kind === "resume" ? (await wiring.store()).events(start.rid) : [];
  const { mode, notice } = ui.chooseMode({
    json: flags.json === true,
    ui: flags.ui ?? "auto",
    stderrIsTty: stderr.isTTY === true,
    term: environment.TERM,
    ci: Boolean(environment.CI),
  });
  if (notice !== null) stderr.write(`ccp: ${notice}\n`);
  const isForPeople = mode === "live" || mode === "plain";
  const lastPage = past.length > 0 && isForPeople ? [...ui.lastPage(past, LAST_PAGE_LINES, steps)] : [];
  const screen = ui.createScreen({
    mode,
    stdout,
    stderr,
    color: wantsColor(stderr, environment),
    columns: stderr.columns,
    steps,
    past,
    budget: pipeline.budget,
    now: () => wiring.chance.now(),
  });
  return { screen, lastPage };
}

const LAST_PAGE_LINES = 20;

/** The first Ctrl-C pauses at the next boundary, the second stops at once. */
function listen(context: CommandContext, screen: Screen) {
  const abort = new AbortController();
  let signals = 0;
  let exitCode: 130 | 143 = EXIT.interrupted;
  const stop = context.surroundings.onSignal((signal) => {
    signals += 1;
    exitCode = signal === "SIGTERM" ? EXIT.terminated : EXIT.interrupted;
    if (signals === 1) screen.notice("pausing when what is under way has ended; again: stop now. Nothing is lost.");
    else abort.abort();
  });
  return { signal: abort.signal, pauseRequested: () => signals > 0, exitCode: () => exitCode, stop };
}

/** The result, on standard output: a report for people, or the one `result` line. */
async function report(run: Run, flags: UiFlags, wiring: Wiring, context: CommandContext): Promise<void> {
  const { stdout } = context.surroundings;
  if (!flags.json) return void stdout.write(await reportText(run, wiring, context));
  const { resultLine } = await wiring.ui();
  const results = (await wiring.results()).pathOf(run.rid);
  stdout.write(resultLine(run, { results, next: nextCommands(run).map(({ command }) => command) }));
}
