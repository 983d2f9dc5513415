import type { Infer, JsonSchema } from "./json.ts";
import type { RoleName } from "./pipeline.ts";

const fraction = { type: "number", minimum: 0, maximum: 1 } as const satisfies JsonSchema;
const sentence = { type: "string", minLength: 1 } as const satisfies JsonSchema;

/** What a planner hands over. The engine renders PLAN.md from it. */
const PLAN_SCHEMA = {
  type: "object",
  additionalProperties: false,
  required: ["plan", "tasks", "acceptance", "uncertainty"],
  properties: {
    plan: {
      ...sentence,
      description: "The approach in Markdown: what is wrong or wanted, where it lives, how to change it.",
    },
    tasks: {
      type: "array",
      items: sentence,
      minItems: 1,
      description: "Steps for the doer, in order, each naming its files.",
    },
    acceptance: {
      type: "array",
      items: sentence,
      minItems: 1,
      description: "How anyone can tell that the task is done.",
    },
    uncertainty: { ...fraction, description: "0: certain of the plan. 1: a guess." },
  },
} as const satisfies JsonSchema;

/** What a doer claims. The step's check decides whether it is so. */
const WORK_SCHEMA = {
  type: "object",
  additionalProperties: false,
  required: ["status", "summary", "evidence", "confidence"],
  properties: {
    status: { type: "string", enum: ["done", "blocked", "failed"], description: "blocked: a person is needed." },
    summary: { ...sentence, description: "What was changed and why, for the reviewer." },
    evidence: { type: "array", items: sentence, description: "Commands you ran and what they showed." },
    confidence: { ...fraction, description: "1: certain that the task is done." },
  },
} as const satisfies JsonSchema;

const judgement = {
  type: "object",
  additionalProperties: false,
  required: ["ok", "note"],
  properties: { ok: { type: "boolean" }, note: sentence },
} as const satisfies JsonSchema;

/** A reviewer's answer. It counts only for the tree that the reviewer was shown. */
const REVIEW_SCHEMA = {
  type: "object",
  additionalProperties: false,
  required: ["verdict", "findings", "checklist"],
  properties: {
    verdict: { type: "string", enum: ["approve", "request_changes", "reject"] },
    findings: {
      type: "array",
      description: "Worst first. Anything but approve needs at least one.",
      items: {
        type: "object",
        additionalProperties: false,
        required: ["file", "line", "severity", "reason"],
        properties: {
          file: { ...sentence, description: "Path from the repository's root." },
          line: { type: "integer", minimum: 0, description: "Line in the new file; 0 for the file as a whole." },
          severity: { type: "string", enum: ["blocker", "major", "minor", "nit"] },
          reason: { ...sentence, description: "What is wrong, why it matters, what to do instead." },
        },
      },
    },
    checklist: {
      type: "object",
      additionalProperties: false,
      required: ["style", "safety", "risk"],
      properties: { style: judgement, safety: judgement, risk: judgement },
    },
  },
} as const satisfies JsonSchema;

/** A planner's finish value. */
export type Plan = Infer<typeof PLAN_SCHEMA>;
/** A doer's finish value. */
export type Work = Infer<typeof WORK_SCHEMA>;
/** A reviewer's finish value. */
export type Review = Infer<typeof REVIEW_SCHEMA>;

/** The shape in which each role must finish. */
export const FINISH_SCHEMAS: Readonly<Record<RoleName, JsonSchema>> = {
  planner: PLAN_SCHEMA,
  doer: WORK_SCHEMA,
  reviewer: REVIEW_SCHEMA,
};

/** Contradictions that a schema cannot see; null when the review is consistent. */
export function reviewContradiction(review: Review): string | null {
  const blocker = review.findings.find((finding) => finding.severity === "blocker");
  if (review.verdict === "approve" && blocker) return `verdict "approve" with a blocker in ${blocker.file}`;
  if (review.verdict !== "approve" && review.findings.length === 0)
    return `verdict "${review.verdict}" without a finding`;
  return null;
}

/** PLAN.md. A function of the plan alone: the same plan gives the same bytes. */
export function renderPlan(plan: Plan): string {
  const tasks = plan.tasks.map((task, index) => `${index + 1}. ${task}`);
  const acceptance = plan.acceptance.map((line) => `- ${line}`);
  return lines(
    "# Plan",
    "",
    plan.plan.trim(),
    "",
    "## Tasks",
    "",
    ...tasks,
    "",
    "## Acceptance",
    "",
    ...acceptance,
    "",
    `Uncertainty: ${plan.uncertainty}`,
  );
}

/** The doer's document: its summary and what it offers as evidence. */
export function renderWork(work: Work): string {
  const evidence = work.evidence.length > 0 ? ["", "## Evidence", "", ...work.evidence.map((line) => `- ${line}`)] : [];
  return lines(
    "# Work",
    "",
    `Status: ${work.status}, confidence ${work.confidence}`,
    "",
    work.summary.trim(),
    ...evidence,
  );
}

/** What a review was bound to when it was asked for. */
export interface ReviewBinding {
  /** Hash of the tree that the reviewer was shown. */
  readonly tree: string;
  /** The checks that the engine had run on it. */
  readonly checks: readonly { readonly command: string; readonly exitCode: number | null }[];
}

/** REVIEW.md. */
export function renderReview(review: Review, binding: ReviewBinding): string {
  const findings = review.findings.map(
    (finding) =>
      `- **${finding.severity}** \`${finding.file}${finding.line > 0 ? `:${finding.line}` : ""}\`: ${finding.reason}`,
  );
  const checklist = (["style", "safety", "risk"] as const).map(
    (name) => `- [${review.checklist[name].ok ? "x" : " "}] ${name}: ${review.checklist[name].note}`,
  );
  const checks = binding.checks.map(
    ({ command, exitCode }) => `- \`${command}\`: ${exitCode === 0 ? "passed" : `exit ${exitCode ?? "none"}`}`,
  );
  return lines(
    "# Review",
    "",
    `Verdict: **${review.verdict}**`,
    "",
    "## Findings",
    "",
    ...(findings.length > 0 ? findings : ["None."]),
    "",
    "## Checklist",
    "",
    ...checklist,
    "",
    "## Bound to",
    "",
    `- tree \`${binding.tree}\``,
    ...checks,
  );
}

function lines(...text: readonly string[]): string {
  return `${text.join("\n")}\n`;
}
