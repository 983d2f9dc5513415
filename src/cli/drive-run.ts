import { EXIT, messageOf } from "../core/errors.ts";
import { variablesNamed } from "../core/named-variables.ts";
import type { Pipeline } from "../core/pipeline.ts";
import type { Screen } from "../core/ports.ts";
import { readRun } from "../core/read-run.ts";
import type { Run } from "../core/run.ts";
import type { Engine, Listener, Past, ResumeChanges, RunSpec, Wiring } from "../wire/wire.ts";
import { askForConsent } from "./ask-for-consent.ts";
import { askToRaise } from "./ask-to-raise.ts";
import type { CommandContext } from "./command-context.ts";
import { wantsColor } from "./config.ts";
import { nextCommands } from "./next-commands.ts";
import { reportText } from "./report-text.ts";
import { answerTyped, type TypedAt } from "./typed-words.ts";
import type { UiFlags } from "./ui-flags.ts";

/** Where a drive begins. */
export type Start =
  | { readonly kind: "new"; readonly spec: RunSpec }
  | {
      readonly kind: "resume";
      readonly rid: string;
      readonly changes: ResumeChanges;
      readonly pipeline: Pipeline;
      /** True: the last page of it is on the screen already. */
      readonly isShown: boolean;
    };

/** Drives a run from its beginning or from where it stands, showing it, and reports how it ended. */
export async function driveRun(start: Start, flags: UiFlags, wiring: Wiring, context: CommandContext): Promise<number> {
  const pipeline = start.kind === "new" ? start.spec.pipeline : start.pipeline;
  const engine = await wiring.engine(variablesOf(pipeline, wiring));
  let run = await driveOnce(start, { engine, pipeline, flags, wiring, context });
  for (;;) {
    const changes = flags.json ? null : await askPerson(run, engine, wiring, context);
    if (changes === null) break;
    run = await driveOnce(
      { kind: "resume", rid: run.rid, changes, pipeline, isShown: true },
      { engine, pipeline, flags, wiring, context },
    );
  }
  await report(run, flags, wiring, context);
  return run.end?.exitCode ?? EXIT.bug;
}

/** What the person at the terminal gives, so that a run that stands still goes on; null: nothing. */
async function askPerson(
  run: Run,
  engine: Engine,
  wiring: Wiring,
  context: CommandContext,
): Promise<ResumeChanges | null> {
  const none = { budget: null, routes: {}, pipeline: null };
  const budget = await askToRaise(run, context);
  if (budget !== null) return { ...none, budget };
  const decision = await askForConsent(run, engine, await wiring.ui(), context);
  return decision && { ...none, decision };
}

/** What a drive is shown with. */
interface Stage {
  readonly engine: Engine;
  readonly pipeline: Pipeline;
  readonly flags: UiFlags;
  readonly wiring: Wiring;
  readonly context: CommandContext;
}

async function driveOnce(start: Start, { engine, pipeline, flags, wiring, context }: Stage): Promise<Run> {
  if (start.kind === "resume") engine.mendRecords(start.rid);
  const { screen, lastPage } = await openScreen(start, pipeline, flags, wiring, context);
  const control = listen(context, screen, flags);
  let now: Run | null = null;
  const typed = { engine, pipeline, wiring, run: () => now };
  const stopReading = await readWords(typed, screen, flags, context);
  try {
    const listener: Listener = {
      publish: (event, run) => {
        now = run;
        context.driven(run);
        // Not before: a run that somebody else drives, or that is over, is refused without it.
        for (const line of lastPage.splice(0)) context.surroundings.stderr.write(`${line}\n`);
        screen.event(event, run);
      },
      tell: (delta) => screen.delta(delta),
      control,
    };
    return start.kind === "new"
      ? await engine.start(start.spec, listener)
      : await engine.resume(start.rid, start.changes, listener);
  } finally {
    stopReading();
    screen.close();
    control.stop();
  }
}

/** Lets the person at the terminal say something to the run; returns what ends it. */
async function readWords(
  at: TypedAt,
  screen: Screen,
  flags: UiFlags,
  { surroundings }: CommandContext,
): Promise<() => void> {
  if (flags.json || flags.ui === "none" || !surroundings.onLine) return () => undefined;
  const mayRead = await at.wiring.isInForeground();
  return surroundings.onLine((line) => {
    screen.typed();
    answerTyped(line, at).then(
      (lines) => lines.map((text) => screen.notice(text)),
      // Whatever it is, the run goes on.
      (thrown: unknown) => screen.notice(messageOf(thrown)),
    );
  }, mayRead);
}

/** The user's values of the variables that the pipeline names. */
function variablesOf(pipeline: Pipeline, wiring: Wiring): Readonly<Record<string, string>> {
  return Object.fromEntries(
    variablesNamed(pipeline).flatMap(({ name }) => {
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
  const past = start.kind === "resume" ? await pastOf(start.rid, wiring) : undefined;
  const { mode, notice } = ui.chooseMode({
    json: flags.json === true,
    ui: flags.ui ?? "auto",
    stderrIsTty: stderr.isTTY === true,
    term: environment.TERM,
    ci: Boolean(environment.CI),
  });
  if (notice !== null) stderr.write(`ccp: ${notice}\n`);
  const isForPeople = mode === "live" || mode === "plain";
  const lastPage =
    past && isForPeople && start.kind === "resume" && !start.isShown
      ? [...ui.lastPage(past, LAST_PAGE_LINES, steps)]
      : [];
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

/** The run so far, and the last of what happened in it. */
async function pastOf(rid: string, wiring: Wiring): Promise<Past> {
  const [store, { PAST_EVENTS }] = [await wiring.store(), await wiring.ui()];
  const run = readRun(rid, store);
  return { run, events: store.events(rid, Math.max(0, run.seq - PAST_EVENTS)) };
}

/** The first Ctrl-C pauses at the next boundary, the second stops at once. */
function listen(context: CommandContext, screen: Screen, flags: UiFlags) {
  const abort = new AbortController();
  let signals = 0;
  let exitCode: 130 | 143 = EXIT.interrupted;
  const stop = context.surroundings.onSignal((signal) => {
    signals += 1;
    exitCode = signal === "SIGTERM" ? EXIT.terminated : EXIT.interrupted;
    if (signals === 1) screen.notice("pausing when what is under way has ended; again: stop now. Nothing is lost.");
    else abort.abort();
  });
  const attends = () => flags.json !== true && context.surroundings.isAttended === true;
  return { signal: abort.signal, pauseRequested: () => signals > 0, exitCode: () => exitCode, attends, stop };
}

/** The result, on standard output: a report for people, or the one `result` line. */
async function report(run: Run, flags: UiFlags, wiring: Wiring, context: CommandContext): Promise<void> {
  const { stdout } = context.surroundings;
  if (!flags.json) return void stdout.write(await reportText(run, wiring, context));
  const { resultLine } = await wiring.ui();
  const results = (await wiring.results()).pathOf(run.rid);
  stdout.write(resultLine(run, { results, next: nextCommands(run).map(({ command }) => command) }));
}
