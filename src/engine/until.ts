import type { Event, StepOutcome } from "../core/event.ts";
import type { AgentStep } from "../core/pipeline.ts";
import { stepState } from "../core/run.ts";
import { quoteData } from "../core/template.ts";
import { type PerformedCommand, runCommand } from "./command.ts";
import { type Context, commandText, treeOf } from "./context.ts";
import { message, OUTPUT_CHARACTERS } from "./prompt.ts";

/** Longest time for a check, in milliseconds, where its step has no timeout. */
const CHECK_TIMEOUT_MS = 15 * 60_000;

/**
 * The check decides, not the claim. While it is red the same conversation goes on with its output (`again`), until the
 * step's check attempts are used up.
 */
export async function checkUntil(
  context: Context,
  step: AgentStep,
  conversation: number,
  judged: StepOutcome,
): Promise<StepOutcome | "again" | "stopped"> {
  const { until } = step;
  if (!until) return judged;
  const failures = stepState(context.log.run, step.id).checkFailures;
  // A crash may have come after it was red for the last time.
  if (failures >= until.attempts) return redFor(context, until);
  const isLast = failures + 1 >= until.attempts;
  const command = {
    commandId: `until.${step.id}.${conversation}.${failures + 1}`,
    purpose: "until",
    stepId: step.id,
    command: commandText(context, until.command),
    env: step.env,
    network: step.network ?? "none",
    timeoutMs: step.timeoutMs ?? CHECK_TIMEOUT_MS,
    changes: "discard",
  } as const;
  // Or after it was green, and before the step was finished.
  const known = context.log.run.commands.findLast((record) => record.commandId === command.commandId);
  if (known?.end.exitCode === 0 && known.tree === treeOf(context)) return judged;
  const done = await runCommand(context, command, (performed) =>
    isGreen(performed) || isLast ? [] : [feedback(context, step, performed, failures + 1, until.attempts)],
  );
  if (!done) return "stopped";
  if (isGreen(done)) return judged;
  if (!isLast) return "again";
  return redFor(context, until);
}

function redFor(context: Context, until: NonNullable<AgentStep["until"]>): StepOutcome {
  const reason = `\`${commandText(context, until.command)}\` failed ${until.attempts} times`;
  return { status: "failed", class: "check-failed", reason, finish: null };
}

function isGreen({ finished }: PerformedCommand): boolean {
  return finished.end.exitCode === 0;
}

/** On record with the end of the check: a crash between them would count the same failure twice. */
function feedback(
  context: Context,
  step: AgentStep,
  { finished }: PerformedCommand,
  attempt: number,
  attempts: number,
): Event {
  const text = message(context, "check-failed", {
    command: finished.command,
    exitCode: String(finished.end.exitCode ?? finished.end.endedBy ?? "none"),
    output: quoteData("output", context.log.readText(finished.end.output).slice(-OUTPUT_CHARACTERS)),
    attempt: String(attempt),
    attempts: String(attempts),
  });
  return { type: "message.added", stepId: step.id, why: "check-failed", text: context.log.text(text) };
}
