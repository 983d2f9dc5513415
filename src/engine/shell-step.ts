import type { Event, StepOutcome } from "../core/event.ts";
import { type NextShellStep, nextShellStep } from "../core/next.ts";
import type { ShellStep } from "../core/pipeline.ts";
import type { Run } from "../core/run.ts";
import { artifact, recordWithFiles } from "./artifact.ts";
import { carryOut, commandIntent, type EngineCommand, type PerformedCommand } from "./command.ts";
import { type Context, commandText, treeOfRun } from "./context.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { isRefusedCommand, lookAtPolicy } from "./policy.ts";

/** How much of a command's standard output, from its end, is its step's output. */
const OUTPUT_CHARACTERS = 32 * 1024;

/** A try of a command's step, and the facts that it begins with. */
interface Try {
  readonly step: ShellStep;
  readonly conversation: number;
  readonly command: EngineCommand;
  readonly begun: readonly Event[];
}

/**
 * Performs one try of a command's step, and what follows on it for as long as that is a command alone: its intent goes
 * on record with the end of the one before it, in one flush.
 */
export async function performShellStep(context: Context, step: ShellStep, conversation: number): Promise<void> {
  await lookAtPolicy(context, step.id);
  if (isRefusedCommand(context, step.id, commandText(context, step.command))) return;
  let current: Try | null = tryOf(context, { step, conversation }, context.log.run);
  context.log.record(...current.begun);
  while (current) {
    const performed = await carryOut(context, current.command);
    if (!performed) {
      interrupted(context, current.step.id, current.conversation);
      return;
    }
    const ended = [performed.finished, ...finished(context, current, performed)];
    const next = nextTry(context, ended);
    recordWithFiles(context, ...ended, ...(next?.begun ?? []));
    current = next;
  }
}

/** What comes next, if it is a command alone. Null: it is not, or is not to be decided yet. */
function nextTry(context: Context, ended: readonly Event[]): Try | null {
  const { log, pipeline, deps, halt } = context;
  if (halt.reason || !deps.executor.looksAhead) return null;
  const run = log.foresee(...ended);
  const next = nextShellStep(pipeline, run);
  if (next === null || isRefusedCommand(context, next.step.id, commandText(context, next.step.command))) return null;
  return tryOf(context, next, run);
}

/** `run`: as it stands when the try begins. */
function tryOf(context: Context, { step, conversation }: NextShellStep, run: Run): Try {
  const command: EngineCommand = {
    commandId: `step.${step.id}.${conversation}`,
    purpose: "step",
    stepId: step.id,
    command: commandText(context, step.command),
    env: step.env,
    network: step.network ?? "none",
    timeoutMs: step.timeoutMs,
    changes: step.changes,
  };
  const fingerprint = fingerprintOf(context.pipeline, step, run);
  const started = { stepId: step.id, conversation, tree: treeOfRun(run), prompt: null, fingerprint };
  return { step, conversation, command, begun: [{ type: "step.started", ...started }, commandIntent(command, run)] };
}

/** Leaves the step where it is: it goes on when the run is driven again. */
export function interrupted(context: Context, stepId: string, conversation: number): void {
  const reason = context.halt.reason?.reason ?? "stopped";
  context.log.record({ type: "step.interrupted", stepId, conversation, reason });
}

/** The artifact and the end of the step go on record with the end of its command: a crash cannot part them. */
function finished(context: Context, { step, conversation }: Try, performed: PerformedCommand): readonly Event[] {
  const outcome = outcomeOf(context, performed);
  const tree = performed.finished.treeAfter;
  const end: Event = { type: "step.finished", stepId: step.id, conversation, outcome, tree };
  if (step.artifact === null) return [end];
  return [artifact(step.artifact, performed.finished.end.stdout, step.id), end];
}

function outcomeOf(context: Context, { finished: { end }, stdout }: PerformedCommand): StepOutcome {
  if (end.exitCode === 0) return { status: "succeeded", output: context.log.text(tail(stdout)), finish: null };
  if (end.endedBy === "timeout") return failed("timeout", "the command ran out of time");
  if (end.endedBy === "output-limit") return failed("check-failed", "the command wrote more than it may");
  if (end.endedBy === "process-limit") return failed("check-failed", "the command had more processes than it may");
  if (end.endedBy === "disk-limit") return failed("check-failed", "the command took more of the disk than it may");
  return failed(
    "check-failed",
    end.exitCode === null ? "the command was killed" : `the command ended with exit code ${end.exitCode}`,
  );
}

function failed(failure: "timeout" | "check-failed", reason: string): StepOutcome {
  return { status: "failed", class: failure, reason, finish: null };
}

function tail(text: string): string {
  return text.length <= OUTPUT_CHARACTERS ? text : text.slice(-OUTPUT_CHARACTERS);
}
