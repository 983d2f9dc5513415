import { type Plan, type Review, renderPlan, renderReview } from "../core/contract.ts";
import type { StepOutcome } from "../core/event.ts";
import type { AgentStep } from "../core/pipeline.ts";
import { type CommandRecord, stepState } from "../core/run.ts";
import { quoteData, renderTemplate } from "../core/template.ts";
import { type ServerListing, serverIndex } from "../core/tool-servers.ts";
import { rootAdvice } from "./advice.ts";
import { type Context, treeOf, workspaceOf } from "./context.ts";

/** What a conversation begins with. */
export interface Prompt {
  readonly system: string;
  readonly user: string;
}

/** How much of a diff a model is shown; the rest is to be read in the files. */
const DIFF_BYTES = 100 * 1024;
/** Of one command's output, its end. */
export const OUTPUT_CHARACTERS = 8 * 1024;

/** Puts together what one agent step is told: its sentences come from the pinned templates, everything else is data. */
export async function composePrompt(
  context: Context,
  step: AgentStep,
  listing: readonly ServerListing[],
): Promise<Prompt> {
  const role = context.pipeline.roles[step.role];
  if (!role) throw new Error(`role ${step.role} is not in the pipeline`);
  const fill = (template: string) => renderTemplate(template, (name) => referenceText(context, name));
  const { created } = context.log.run;
  const advice = await rootAdvice(context, step);
  const sections = [
    message(context, "task", { task: created ? context.log.readText(created.task) : "" }),
    step.prompt === null ? null : message(context, "instructions", { instructions: fill(step.prompt) }),
    advice === "" ? null : message(context, "advice", { advice }),
    listing.length === 0 ? null : message(context, "servers", { servers: serverIndex(listing) }),
    step.role === "planner" ? null : planSection(context),
    baselineSection(context),
    step.role === "reviewer" ? await changesSection(context) : null,
    step.role === "reviewer" ? checksSection(context) : null,
    ...feedbackSections(context, step),
    ...escalationSections(context, step),
  ];
  return { system: fill(role.prompt), user: sections.filter((section) => section !== null).join("\n\n") };
}

/** What a reviewer's model is shown of a step that fails; null: the pinned pipeline has no words to ask with. */
export async function composeDiagnosis(context: Context, step: AgentStep): Promise<Prompt | null> {
  const system = message(context, "diagnose", {});
  if (system === "") return null;
  const { created } = context.log.run;
  const sections = [
    message(context, "task", { task: created ? context.log.readText(created.task) : "" }),
    step.role === "planner" ? null : planSection(context),
    await changesSection(context),
    checksSection(context),
    ...feedbackSections(context, step),
    doubtSection(context, step),
  ];
  return { system, user: sections.filter((section) => section !== null).join("\n\n") };
}

/** One of the engine's own sentences, filled. */
export function message(context: Context, name: string, values: Readonly<Record<string, string>>): string {
  return renderTemplate(context.pipeline.messages[name] ?? "", (key) => values[key] ?? "").trim();
}

/** What a failure looks like to the next one who tries. */
export function failureText(
  context: Context,
  stepId: string,
  outcome: Extract<StepOutcome, { status: "failed" }>,
): string {
  const headline = `Step "${stepId}" failed (${outcome.class}): ${outcome.reason}`;
  const review = outcome.class === "rejected" && outcome.finish ? context.log.readJson<Review>(outcome.finish) : null;
  if (review) return `${headline}\n\n${quoteData("review", findingsText(review))}`;
  const command = context.log.run.commands.findLast((record) => record.stepId === stepId && record.end.exitCode !== 0);
  return command ? `${headline}\n\n${commandReport(context, command)}` : headline;
}

/** A command, how it ended and the end of what it wrote. */
function commandReport(context: Context, record: CommandRecord): string {
  return `\`${record.command}\` ended with ${exitText(record)}.\n${quoteData("output", outputTail(context, record))}`;
}

function outputTail(context: Context, record: CommandRecord): string {
  const output = context.log.readText(record.end.output).trimEnd();
  return output.length <= OUTPUT_CHARACTERS
    ? output
    : `… (only the last ${OUTPUT_CHARACTERS} characters)\n${output.slice(-OUTPUT_CHARACTERS)}`;
}

/** The checks that the engine ran on the tree as it is now, the latest of each command. */
export function currentChecks(context: Context): readonly CommandRecord[] {
  const tree = treeOf(context);
  const onThisTree = context.log.run.commands.filter((record) => record.tree === tree && record.purpose !== "setup");
  return onThisTree.filter(
    (record, index) => onThisTree.findLastIndex((other) => other.command === record.command) === index,
  );
}

function referenceText(context: Context, name: string): string {
  const [kind, id = ""] = name.split(".");
  if (kind === "inputs") return String(context.log.run.created?.inputs[name.slice("inputs.".length)] ?? "");
  const { outcome } = stepState(context.log.run, id);
  return quoteData(name, outcome?.status === "succeeded" ? context.log.readText(outcome.output) : "");
}

/** The latest plan of any planner. */
function planSection(context: Context): string | null {
  const plans = context.pipeline.steps.flatMap((step) => {
    if (step.kind !== "agent" || step.role !== "planner") return [];
    const { outcome } = stepState(context.log.run, step.id);
    return outcome?.status === "succeeded" && outcome.finish ? [context.log.readJson<Plan>(outcome.finish)] : [];
  });
  const plan = plans.at(-1);
  return plan ? message(context, "plan", { plan: quoteData("PLAN.md", renderPlan(plan)) }) : null;
}

function baselineSection(context: Context): string | null {
  const records = context.log.run.commands.filter((record) => record.purpose === "baseline");
  if (records.length === 0) return null;
  const checks = records.map((record) =>
    record.end.exitCode === 0
      ? `\`${record.command}\`: already green before any change.`
      : `\`${record.command}\`: already red before any change. ${commandReport(context, record)}`,
  );
  return message(context, "baseline", { checks: checks.join("\n\n") });
}

async function changesSection(context: Context): Promise<string> {
  const workspace = workspaceOf(context);
  const tree = treeOf(context);
  const from = context.log.run.created?.base.tree ?? tree;
  const bytes = await workspace.diff(from, tree);
  const diff = new TextDecoder().decode(bytes.subarray(0, DIFF_BYTES));
  const cut = bytes.length > DIFF_BYTES ? `\n… (${bytes.length - DIFF_BYTES} bytes left out: read the files)` : "";
  const { files, added, removed } = await workspace.diffStat(from, tree);
  const stat = `${files.length} files changed, +${added} -${removed}\n${files.join("\n")}`;
  return message(context, "changes", {
    tree,
    stat: quoteData("files", stat),
    diff: quoteData("Diff.patch", `${diff}${cut}`),
  });
}

function checksSection(context: Context): string {
  const checks = currentChecks(context).map((record) => commandReport(context, record));
  return message(context, "checks", {
    checks: checks.length > 0 ? checks.join("\n\n") : "No check was run on this tree.",
  });
}

/** What came back from a later step, then what this step's own last try failed of. A rejection is the reviewer's own word and no failing. */
function feedbackSections(context: Context, step: AgentStep): readonly string[] {
  const { feedback, outcome } = stepState(context.log.run, step.id);
  const own =
    outcome?.status === "failed" && outcome.class !== "rejected" ? failureText(context, step.id, outcome) : null;
  const back = feedback ? context.log.readText(feedback) : null;
  return [back, own].filter((text) => text !== null).map((failure) => message(context, "feedback", { failure }));
}

/** What was decided about the next try: that the last finish is doubted, what a reviewer advises, another way to go at it. */
function escalationSections(context: Context, step: AgentStep): readonly string[] {
  const { advice, tactic } = stepState(context.log.run, step.id).escalation;
  const advised =
    advice && message(context, "diagnosis", { advice: quoteData("advice", context.log.readText(advice)) });
  const told = tactic && message(context, `tactic-${tactic}`, {});
  return [doubtSection(context, step), advised, told].filter((section) => section !== null);
}

/** Its last try had finished, and is to be gone on from all the same. */
function doubtSection(context: Context, step: AgentStep): string | null {
  const { outcome } = stepState(context.log.run, step.id);
  if (outcome?.status !== "succeeded") return null;
  const { confidence, uncertainty, output } = outcome;
  const figure = confidence === undefined ? `uncertainty ${uncertainty ?? "unknown"}` : `confidence ${confidence}`;
  return message(context, "doubted", { figure, said: quoteData("said", context.log.readText(output)) });
}

function findingsText(review: Review): string {
  return renderReview(review, { tree: "", checks: [] }).split("## Checklist")[0] ?? "";
}

function exitText(record: CommandRecord): string {
  if (record.end.endedBy !== null) return `no exit code (${record.end.endedBy})`;
  return record.end.exitCode === null ? "a signal" : `exit code ${record.end.exitCode}`;
}
