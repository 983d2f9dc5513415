import type { Command } from "commander";
import type { Budget } from "../core/budget.ts";
import { refusalsOf } from "../core/candidates.ts";
import { activeSandbox, sandboxText } from "../core/confinement.ts";
import { formatUsd } from "../core/money.ts";
import type { InputValue, Pipeline, Command as PipelineCommand, Step } from "../core/pipeline.ts";
import type { PolicyInForce } from "../core/policy.ts";
import { underPolicy } from "../core/policy-limits.ts";
import { plural } from "../core/words.ts";
import type { CommandContext } from "./command-context.ts";
import { loadForRun } from "./load-pipeline.ts";
import { budgetFrom, type PipelineFlags, pipelineOptions } from "./pipeline-flags.ts";
import { tableText } from "./table-text.ts";
import { policyNotices, refuseBudget } from "./under-policy.ts";
import { writeJson } from "./write-json.ts";

/** Adds `ccp plan`. */
export function registerPlan(program: Command, context: CommandContext): void {
  const command = program
    .command("plan")
    .description("print what would run: order, models, permissions and budget of each step; calls nothing");
  pipelineOptions(command)
    .option("--json", "as JSON")
    .action(async (flags: PipelineFlags & { readonly json?: boolean }) => {
      const wiring = context.wiring();
      const found = await loadForRun(flags, wiring);
      const policy = (await wiring.policies(null)).now();
      refuseBudget(budgetFrom(flags), policy);
      const loaded = { ...found, pipeline: underPolicy(found.pipeline, policy) };
      for (const notice of policyNotices(found.pipeline, policy))
        context.surroundings.stderr.write(`policy: ${(await wiring.ui()).oneLine(notice)}\n`);
      const { stdout } = context.surroundings;
      const { name: holder, detail } = await wiring.sandbox();
      const { sandbox } = loaded.pipeline;
      const active = activeSandbox(sandbox, holder);
      if (flags.json) {
        return writeJson(stdout, {
          v: 1,
          path: loaded.path,
          inputs: loaded.inputs,
          sandbox: { asked: sandbox, active },
          pipeline: { ...loaded.pipeline, messages: undefined },
        });
      }
      const rows = loaded.pipeline.steps.map((step) => row(step, loaded.pipeline, loaded.inputs));
      stdout.write(
        `${loaded.pipeline.name}  ${loaded.path}\nbudget ${budgetText(loaded.pipeline.budget)} · ${sandboxText(sandbox, active)}${active === "none" && sandbox !== "off" ? ` (${detail})` : ""}\n`,
      );
      stdout.write(await tableText(["step", "after", "does", "may use", "budget", "on failure"], rows, wiring, stdout));
      for (const line of escalationLines(loaded.pipeline, policy)) stdout.write(`${line}\n`);
      stdout.write("no call was made\n");
    });
}

type Inputs = Readonly<Record<string, InputValue>>;

function row(step: Step, { roles }: Pipeline, inputs: Inputs): readonly string[] {
  const after = step.needs.join(", ") || "-";
  const onFailure = failureText(step, inputs);
  if (step.kind === "shell") {
    const changes = step.changes === "keep" ? "changes are kept" : "changes are discarded";
    return [step.id, after, `\`${commandText(step.command, inputs)}\``, changes, "-", onFailure];
  }
  const role = roles[step.role];
  const does = `${step.role}: ${role?.models.join(", ") ?? ""}`;
  return [step.id, after, does, role?.tools.join(" ") ?? "", budgetText(role?.budget ?? {}), onFailure];
}

/** What is done where a role's work is stuck, a line a role. */
function escalationLines({ roles }: Pipeline, policy: PolicyInForce): readonly string[] {
  return Object.values(roles).flatMap(({ name, escalation }) => {
    if (!escalation) return [`stuck ${name}: tried again, no more`];
    const { limit, diagnose, confidence, uncertainty } = escalation;
    const models = escalation.models.filter((model) => refusalsOf([model], policy).length === 0);
    const doubt = { doer: `confidence < ${confidence}`, planner: `uncertainty > ${uncertainty}`, reviewer: "" }[name];
    const parts = [
      models.length > 0 && limit > 0 ? `${models.join(", ")} (at most ${plural(limit, "time")} a run)` : "",
      diagnose ? "a reviewer's diagnosis" : "",
    ].filter((part) => part !== "");
    const then = parts.length > 0 ? `other tactics, then ${parts.join(", then ")}` : "other tactics";
    return [`stuck ${name}${doubt === "" ? "" : ` (or ${doubt})`}: ${then}`];
  });
}

function failureText(step: Step, inputs: Inputs): string {
  const parts = [
    step.attempts > 1 ? `${step.attempts} attempts` : "",
    step.kind === "agent" && step.until
      ? `until \`${commandText(step.until.command, inputs)}\` (${step.until.attempts})`
      : "",
    step.onFailure ? `back to ${step.onFailure.backTo} (${step.onFailure.attempts})` : "",
  ];
  return parts.filter((part) => part !== "").join(", ") || "stop";
}

function commandText(command: PipelineCommand, inputs: Inputs): string {
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
