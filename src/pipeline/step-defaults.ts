import type { RoleName } from "../core/pipeline.ts";
import type { PlannedStep } from "./plan-steps.ts";

/** Failed tries of a step: a model may do better in a new conversation, a command hardly ever does. */
export const DEFAULT_ATTEMPTS = { agent: 2, shell: 1 } as const;
/** Failures of a check that the same conversation may answer to. */
export const DEFAULT_UNTIL_ATTEMPTS = 3;
/** Ways back: one more round, then a person should look. */
export const DEFAULT_BACK_ATTEMPTS = 1;

const ROLE_ARTIFACTS: Readonly<Partial<Record<RoleName, string>>> = { planner: "PLAN.md", reviewer: "REVIEW.md" };

/** The artifact of each step: its own; for the first planner or reviewer that has none PLAN.md or REVIEW.md, for the next ones `<id>.md`. */
export function artifactsOf(steps: readonly PlannedStep[]): readonly (string | null)[] {
  const given = new Set<RoleName>();
  return steps.map(({ id, raw }) => {
    if (raw.artifact !== undefined) return raw.artifact;
    const name = raw.role && ROLE_ARTIFACTS[raw.role];
    if (!raw.role || name === undefined) return null;
    const isFirst = !given.has(raw.role);
    given.add(raw.role);
    return isFirst ? name : `${id}.md`;
  });
}

/** Names that a step with the project's tests is usually given. */
const TEST_STEP_IDS = ["test", "tests"];

/** True for a command that judges the tree, where the file does not say: the project's test command, or a step named after it. */
export function isCheckByDefault(step: PlannedStep, detectedInputs: readonly string[]): boolean {
  const { run } = step.raw;
  const isDetected = typeof run === "object" && detectedInputs.includes(run.input);
  return isDetected || TEST_STEP_IDS.includes(step.id);
}
