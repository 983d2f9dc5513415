import type { Command } from "commander";
import type { Budget } from "../core/budget.ts";
import { formatUsd } from "../core/money.ts";
import type { InputValue, Pipeline, Command as PipelineCommand, Step } from "../core/pipeline.ts";
import type { CommandContext } from "./command-context.ts";
import { loadForRun, type PipelineFlags, pipelineOptions } from "./load-pipeline.ts";
import { writeJson } from "./output.ts";
import { tableText } from "./table-text.ts";

export function registerPlan(program: Command, context: CommandContext): void {
  const command = program
    .command("plan")
    .description("print what would run: order, models, permissions and budget of each step; calls nothing");
  pipelineOptions(command)
    .option("--json", "as JSON")
    .action(async (flags: PipelineFlags & { readonly json?: boolean }) => {
      const wiring = context.wiring();
      const loaded = await loadForRun(flags, wiring);
      const { stdout } = context.surroundings;
      if (flags.json) {
        return writeJson(stdout, {
          v: 1,
          path: loaded.path,
          inputs: loaded.inputs,
          pipeline: { ...loaded.pipeline, messages: undefined },
        });
      }
      const rows = loaded.pipeline.steps.map((step) => row(step, loaded.pipeline, loaded.inputs));
      stdout.write(
        `${loaded.pipeline.name}  ${loaded.path}\nbudget ${budgetText(loaded.pipeline.budget)} · sandbox ${loaded.pipeline.sandbox}: none here, the doer's shell is not confined\n`,
      );
      stdout.write(await tableText(["step", "after", "does", "may use", "budget", "on failure"], rows, wiring, stdout));
      stdout.write("no call was made\n");
    });
}

function row(step: Step, pipeline: Pipeline, inputs: Readonly<Record<string, InputValue>>): readonly string[] {
  const after = step.needs.join(", ") || "-";
  const failure = [
    step.attempts > 1 ? `${step.attempts} attempts` : "",
    step.kind === "agent" && step.until
      ? `until \`${commandText(step.until.command, inputs)}\` (${step.until.attempts})`
      : "",
    step.onFailure ? `back to ${step.onFailure.backTo} (${step.onFailure.attempts})` : "",
  ];
  const onFailure = failure.filter((part) => part !== "").join(", ") || "stop";
  if (step.kind === "shell") {
    return [
      step.id,
      after,
      `\`${commandText(step.command, inputs)}\``,
      step.changes === "keep" ? "changes are kept" : "changes are discarded",
      "-",
      onFailure,
    ];
  }
  const role = pipeline.roles[step.role];
  return [
    step.id,
    after,
    `${step.role}: ${role?.models.join(", ") ?? ""}`,
    role?.tools.join(" ") ?? "",
    budgetText(role?.budget ?? {}),
    onFailure,
  ];
}

function commandText(command: PipelineCommand, inputs: Readonly<Record<string, InputValue>>): string {
  return command.kind === "text" ? command.text : String(inputs[command.name] ?? `(input ${command.name})`);
}

function budgetText(budget: Budget): string {
  const parts = [
    budget.maxCostNanos === undefined ? "" : formatUsd(budget.maxCostNanos),
    budget.maxTokens === undefined ? "" : `${budget.maxTokens} tokens`,
    budget.maxDurationMs === undefined ? "" : `${Math.round(budget.maxDurationMs / 60_000)}m`,
  ];
  return parts.filter((part) => part !== "").join(" / ") || "no ceiling";
}
