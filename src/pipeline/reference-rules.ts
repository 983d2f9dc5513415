import type { Diagnostic } from "../core/diagnostic.ts";
import { type Draft, isFaulty, type Rule } from "./draft.ts";
import { type PlannedStep, planSteps, upstreamOf } from "./plan-steps.ts";
import { type BadReference, badCommandReferences, badPromptReferences, type Names } from "./references.ts";
import type { RawCommand } from "./schema.ts";
import { type Path, problem } from "./source.ts";
import { areIdsInDoubt, pathOf } from "./step-rules.ts";

/** Prompts refer to inputs and to steps before them; commands to nothing, for they have variables. */
export const checkReferences: Rule = (draft) => {
  const steps = planSteps(draft);
  const inSteps = steps.flatMap((step) => {
    const names = namesFor(draft, steps, step);
    const at = (path: Path, bad: readonly BadReference[]) => placed(draft, path, bad);
    return [
      ...at(pathOf(step, "prompt"), badPromptReferences(step.raw.prompt ?? "", names)),
      ...at(pathOf(step, "run"), badCommandReferences(textOf(step.raw.run), names)),
      ...at(pathOf(step, "until", "run"), badCommandReferences(textOf(step.raw.until?.run), names)),
    ];
  });
  const setup = badCommandReferences(draft.raw.workspace?.setup ?? "", namesFor(draft, steps, null));
  return [...inSteps, ...placed(draft, ["workspace", "setup"], setup)];
};

/** Only an input of type `command` can stand where a command is expected: what a user types is no code otherwise. */
export const checkCommandInputs: Rule = (draft) =>
  planSteps(draft).flatMap((step) => [
    ...commandInput(draft, step.raw.run, pathOf(step, "run")),
    ...commandInput(draft, step.raw.until?.run, pathOf(step, "until", "run")),
  ]);

function commandInput(draft: Draft, command: RawCommand | undefined, path: Path): readonly Diagnostic[] {
  if (typeof command !== "object" || isFaulty(draft, ["inputs"])) return [];
  const name = command.input;
  const place = draft.source.at([...path, "input"]);
  const input = new Map(Object.entries(draft.raw.inputs ?? {})).get(name);
  if (!input) {
    const [bad] = badPromptReferences(`\${inputs.${name}}`, namesFor(draft, [], null));
    const hint = bad?.hint ?? `declare it: "inputs: { ${name}: { type: command } }"`;
    return [problem(place, `there is no input "${name}"`, hint)];
  }
  if (input.type === "command") return [];
  const message = `input "${name}" is a ${input.type ?? "string"} and cannot be executed`;
  return [problem(place, message, 'only an input of "type: command" can')];
}

/** What a text may refer to at a step; null: before the first. */
function namesFor(draft: Draft, steps: readonly PlannedStep[], step: PlannedStep | null): Names {
  return {
    inputs: Object.keys(draft.raw.inputs ?? {}),
    steps: steps.map(({ id }) => id),
    upstream: step ? upstreamOf(steps, step.id) : new Set(),
  };
}

function textOf(command: RawCommand | undefined): string {
  return typeof command === "string" ? command : "";
}

function placed(draft: Draft, path: Path, references: readonly BadReference[]): readonly Diagnostic[] {
  const inDoubt = areIdsInDoubt(draft) || isFaulty(draft, ["inputs"]);
  return references
    .filter((bad) => !(inDoubt && bad.isAboutNames))
    .map((bad) => problem(draft.source.within(path, bad.text), bad.message, bad.hint));
}
