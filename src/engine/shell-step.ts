import type { Event, StepOutcome } from "../core/event.ts";
import type { ShellStep } from "../core/pipeline.ts";
import { artifact } from "./artifact.ts";
import { type PerformedCommand, runCommand } from "./command.ts";
import { type Context, commandText, treeOf } from "./context.ts";
import { fingerprintOf } from "./fingerprint.ts";

/** How much of a command's standard output, from its end, is its step's output. */
const OUTPUT_CHARACTERS = 32 * 1024;

/** Performs one try of a command's step. */
export async function performShellStep(context: Context, step: ShellStep, conversation: number): Promise<void> {
  const { log, pipeline } = context;
  const fingerprint = fingerprintOf(pipeline, step, log.run);
  const begun = { stepId: step.id, conversation, tree: treeOf(context), prompt: null, fingerprint };
  const command = {
    commandId: `step.${step.id}.${conversation}`,
    purpose: "step",
    stepId: step.id,
    command: commandText(context, step.command),
    env: step.env,
    network: step.network ?? "none",
    timeoutMs: step.timeoutMs,
    changes: step.changes,
    begins: [{ type: "step.started", ...begun }],
  } as const;
  const done = await runCommand(context, command, (performed) => finished(context, step, conversation, performed));
  if (!done) interrupted(context, step.id, conversation);
}

/** Leaves the step where it is: it goes on when the run is driven again. */
export function interrupted(context: Context, stepId: string, conversation: number): void {
  const reason = context.halt.reason?.reason ?? "stopped";
  context.log.record({ type: "step.interrupted", stepId, conversation, reason });
}

/** The artifact and the end of the step go on record with the end of its command: a crash cannot part them. */
function finished(
  context: Context,
  step: ShellStep,
  conversation: number,
  performed: PerformedCommand,
): readonly Event[] {
  const outcome = outcomeOf(context, performed);
  const end: Event = {
    type: "step.finished",
    stepId: step.id,
    conversation,
    outcome,
    tree: performed.finished.treeAfter,
  };
  if (step.artifact === null) return [end];
  return [artifact(step.artifact, performed.finished.end.stdout, step.id), end];
}

function outcomeOf(context: Context, { finished: { end }, stdout }: PerformedCommand): StepOutcome {
  if (end.exitCode === 0) return { status: "succeeded", output: context.log.text(tail(stdout)), finish: null };
  if (end.endedBy === "timeout") return failed("timeout", "the command ran out of time");
  if (end.endedBy === "output-limit") return failed("check-failed", "the command wrote more than it may");
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
