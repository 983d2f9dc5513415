import { type CheckCommand, checkOf, type Pipeline, type Step } from "./pipeline.ts";
import { type Run, stepState } from "./run.ts";

/** A step that changes nothing and says whether the tree is good: its word counts for the tree that it judged. */
export function isJudge(step: Step): boolean {
  return step.kind === "shell" ? step.check : step.role === "reviewer";
}

/** Judges that have succeeded on another tree than the run's: what they said is void. */
export function voidJudgements(pipeline: Pipeline, run: Run): readonly Step[] {
  return pipeline.steps.filter((step) => {
    const { status, judgedTree } = stepState(run, step.id);
    return isJudge(step) && status === "succeeded" && judgedTree !== run.tree;
  });
}

/** The judges that `step` builds on, near or far, in pipeline order. */
export function judgesBefore(pipeline: Pipeline, step: Step): readonly Step[] {
  const known = JUDGES_BEFORE.get(pipeline) ?? judgesByStep(pipeline);
  JUDGES_BEFORE.set(pipeline, known);
  return known.get(step.id) ?? [];
}

/** A pipeline never changes, and this is asked of each of its steps after each of them. */
const JUDGES_BEFORE = new WeakMap<Pipeline, ReadonlyMap<string, readonly Step[]>>();

/** In dependency order: what a step's needs build on is known before the step is looked at. */
function judgesByStep({ steps }: Pipeline): ReadonlyMap<string, readonly Step[]> {
  const byId = new Map(steps.map((step) => [step.id, step]));
  const before = new Map<string, readonly Step[]>();
  for (const { id, needs } of steps) {
    const found = needs.map((need) => {
      const far = before.get(need) ?? [];
      const near = byId.get(need);
      return near && isJudge(near) ? [...far, near] : far;
    });
    before.set(id, found.length === 1 ? (found[0] ?? []) : inOrder(steps, new Set(found.flat())));
  }
  return before;
}

function inOrder(steps: readonly Step[], found: ReadonlySet<Step>): readonly Step[] {
  return found.size === 0 ? [] : steps.filter((step) => found.has(step));
}

/** Of the void judgements those that `step` builds on: a reviewer is shown checks of the tree that it reviews. */
export function voidBefore(pipeline: Pipeline, run: Run, step: Step): readonly Step[] {
  const before = judgesBefore(pipeline, step);
  return voidJudgements(pipeline, run).filter((judge) => before.includes(judge));
}

/** An `until` check that was green before somebody else changed the tree; null: each is green on the run's tree. */
export function unprovenUntil(pipeline: Pipeline, run: Run): ({ readonly stepId: string } & CheckCommand) | null {
  for (const step of pipeline.steps) {
    if (step.kind !== "agent" || !step.until || stepState(run, step.id).judgedTree === run.tree) continue;
    if (!finalCheck(run, step)) return { stepId: step.id, ...checkOf(step, step.until.command) };
  }
  return null;
}

/** A step whose `until` check is red on the run's tree, though it was green when the step ended; null: none. */
export function refutedUntil(pipeline: Pipeline, run: Run): string | null {
  const refuted = pipeline.steps.find((step) => (finalCheck(run, step)?.end.exitCode ?? 0) !== 0);
  return refuted?.id ?? null;
}

/** What the step's own check, as the pipeline has it now, has said of the run's tree. */
function finalCheck(run: Run, step: Step) {
  if (step.kind !== "agent" || !step.until) return undefined;
  const { command } = step.until;
  const text = command.kind === "text" ? command.text : String(run.created?.inputs[command.name] ?? "");
  return run.commands.findLast(
    ({ purpose, stepId, tree, command: ran }) =>
      purpose === "final" && stepId === step.id && tree === run.tree && ran === text,
  );
}
