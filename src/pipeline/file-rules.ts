import type { Diagnostic } from "../core/diagnostic.ts";
import { type Draft, isFaulty, type Rule, sorted } from "./draft.ts";
import { checkEditChecks } from "./edit-checks.ts";
import { checkEscalation } from "./escalation.ts";
import { describe } from "./explain.ts";
import { checkRoleServers, checkServers } from "./mcp-servers.ts";
import { checkPermissionSamples } from "./permission-samples.ts";
import { planSteps } from "./plan-steps.ts";
import { checkCommandInputs, checkReferences } from "./reference-rules.ts";
import { checkPermissions, checkRoleBudgets, checkTools } from "./role-rules.ts";
import type { RawInput } from "./schema.ts";
import { type Path, problem } from "./source.ts";
import { artifactsOf } from "./step-defaults.ts";
import { checkCycles, checkIds, checkKinds, checkNeeds, checkWaysBack, pathOf } from "./step-rules.ts";

/** Names that ccp itself writes into a run's folder. */
const RESERVED = ["diff.patch", "run.json", "events.ndjson", "steps"];

/** An input's default has its type, and what it says about being required makes sense. */
const checkInputs: Rule = (draft) =>
  Object.entries(draft.raw.inputs ?? {}).flatMap(([name, input]) => {
    const path = ["inputs", name];
    return [...wrongDefault(draft, input, path), ...wrongRequirement(draft, input, path)];
  });

function wrongDefault(draft: Draft, input: RawInput, path: Path): readonly Diagnostic[] {
  const type = input.type ?? "string";
  const wanted = type === "command" ? "string" : type;
  if (input.default === undefined || typeof input.default === wanted || isFaulty(draft, [...path, "type"])) return [];
  const hint = wanted === "string" ? `put it in quotes: "${input.default}"` : null;
  const message = `the default of a ${type} cannot be ${describe(input.default)}`;
  return [problem(draft.source.at([...path, "default"]), message, hint)];
}

function wrongRequirement(draft: Draft, input: RawInput, path: Path): readonly Diagnostic[] {
  const at = (key: string) => draft.source.at([...path, key], "key");
  if (input.detect !== undefined && input.type !== "command") {
    return [problem(at("detect"), 'only an input of "type: command" can be detected')];
  }
  if (input.required === true && input.default !== undefined) {
    return [problem(at("required"), "an input with a default is never missing", 'take out "required" or "default"')];
  }
  if (input.required === false && input.default === undefined && input.detect === undefined) {
    return [problem(at("required"), "an input that may be missing needs a default", 'for example: default: ""')];
  }
  return [];
}

/** Two steps do not write the same file, and none writes one of ccp's. */
const checkArtifacts: Rule = (draft) => {
  const steps = planSteps(draft);
  const names = artifactsOf(steps);
  return steps.flatMap((step, position) => {
    const name = names[position]?.toLowerCase();
    if (name === undefined) return [];
    const place = draft.source.at(step.raw.artifact === undefined ? pathOf(step) : pathOf(step, "artifact"));
    if (RESERVED.includes(name)) return [problem(place, `"${names[position]}" is a file that ccp writes itself`)];
    const first = steps[names.findIndex((other) => other?.toLowerCase() === name)];
    if (!first || first === step) return [];
    return [
      problem(
        place,
        `"${names[position]}" is written by step "${first.id}" already`,
        'give one of them another "artifact"',
      ),
    ];
  });
};

/** A worktree gets nothing from outside of the repository. */
const checkCopies: Rule = (draft) =>
  (draft.raw.workspace?.copy ?? []).flatMap((glob, index) => {
    const leaves = glob.startsWith("/") || glob.startsWith("~") || glob.split("/").includes("..");
    if (!leaves && !glob.split("/").includes(".git")) return [];
    const place = draft.source.at(["workspace", "copy", index]);
    return [problem(place, `"${glob}" leads out of the working tree`, "write it from the root of the repository")];
  });

const RULES: readonly Rule[] = [
  checkKinds,
  checkIds,
  checkNeeds,
  checkCycles,
  checkWaysBack,
  checkReferences,
  checkCommandInputs,
  checkInputs,
  checkTools,
  checkPermissions,
  checkPermissionSamples,
  checkRoleBudgets,
  checkArtifacts,
  checkCopies,
  checkEditChecks,
  checkEscalation,
  checkServers,
  checkRoleServers,
];

/** All that is wrong with a file, its structure included, in the order of the file. */
export function faultsOf(draft: Draft): readonly Diagnostic[] {
  const structural = draft.faults.map((fault) => fault.diagnostic);
  return sorted(draft.source.file, [...structural, ...RULES.flatMap((rule) => rule(draft))]);
}
