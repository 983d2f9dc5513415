import type { Diagnostic } from "../core/diagnostic.ts";
import { ROLE_NAMES, type RoleName } from "../core/pipeline.ts";
import type { LoadContext } from "./context.ts";
import { type Draft, isFaulty } from "./draft.ts";
import { type PlannedStep, upstreamOf } from "./plan-steps.ts";
import { badPromptReferences } from "./references.ts";
import { problem, sourceOfText } from "./source.ts";
import { areIdsInDoubt } from "./step-rules.ts";

/** The prompts that could be read, and what is wrong with the others. */
export interface RolePrompts {
  readonly prompts: Readonly<Partial<Record<RoleName, string>>>;
  readonly diagnostics: readonly Diagnostic[];
}

/** The system prompt of every role that takes part: its own file's, or the built-in one. */
export function rolePrompts(draft: Draft, steps: readonly PlannedStep[], context: LoadContext): RolePrompts {
  const prompts: Partial<Record<RoleName, string>> = {};
  const diagnostics: Diagnostic[] = [];
  for (const role of ROLE_NAMES) {
    const path = draft.raw.roles?.[role]?.prompt;
    if (path === undefined) {
      prompts[role] = context.templates[`roles/${role}`];
      continue;
    }
    const text = context.readPrompt(path);
    if (text === null) diagnostics.push(unreadable(draft, role, path));
    else {
      prompts[role] = text;
      diagnostics.push(...wrongReferences(draft, steps, role, path, text));
    }
  }
  return { prompts, diagnostics };
}

function unreadable(draft: Draft, role: RoleName, path: string): Diagnostic {
  const hint = "the path starts at the pipeline file's folder and stays in the repository";
  return problem(draft.source.at(["roles", role, "prompt"]), `the prompt "${path}" cannot be read`, hint);
}

/** A role's prompt is used by all its steps: it may refer only to what has been done before every one of them. */
function wrongReferences(
  draft: Draft,
  steps: readonly PlannedStep[],
  role: RoleName,
  path: string,
  text: string,
): readonly Diagnostic[] {
  const ofRole = steps.filter((step) => step.raw.role === role).map((step) => upstreamOf(steps, step.id));
  const upstream = new Set(steps.map(({ id }) => id).filter((id) => ofRole.every((before) => before.has(id))));
  const names = { inputs: Object.keys(draft.raw.inputs ?? {}), steps: steps.map(({ id }) => id), upstream };
  const inDoubt = areIdsInDoubt(draft) || isFaulty(draft, ["inputs"]);
  const { atOffset } = sourceOfText(path, text);
  if (text.trim() === "") return [problem(atOffset(0), "the prompt is empty")];
  return badPromptReferences(text, names)
    .filter((bad) => !(inDoubt && bad.isAboutNames))
    .map((bad) => problem(atOffset(bad.offset), bad.message, bad.hint));
}
