import type { Diagnostic } from "../core/diagnostic.ts";
import type { PermissionRule } from "../core/permission.ts";
import { ruleName } from "../core/permission-decision.ts";
import { trySample } from "../core/permission-sample.ts";
import { ROLE_NAMES, type RoleName } from "../core/pipeline.ts";
import { type Draft, isFaulty, type Rule } from "./draft.ts";
import type { RawRole } from "./schema.ts";
import { type Path, problem } from "./source.ts";

type RawRule = NonNullable<RawRole["permissions"]>[number];

/** The calls that stand beside a rule are tried on it whenever the file is read. */
export const checkPermissionSamples: Rule = (draft) =>
  ROLE_NAMES.flatMap((role) =>
    rawRules(draft, role).flatMap((raw, index) => {
      const path = ["roles", role, "permissions", index];
      if (raw.test === undefined || isFaulty(draft, path)) return [];
      const { match = [], not_match: others = [] } = raw.test;
      return [
        ...match.flatMap((sample, at) => missed(draft, role, index, { sample, path: [...path, "test", "match", at] })),
        ...others.flatMap((sample, at) => hit(draft, raw, { sample, path: [...path, "test", "not_match", at] })),
      ];
    }),
  );

/** A rule without its samples: they are held against it, and are no part of the plan. */
export function withoutSamples({ test: _, ...rule }: RawRule): PermissionRule {
  return rule;
}

interface Sample {
  readonly sample: string;
  readonly path: Path;
}

function rawRules(draft: Draft, role: RoleName): readonly RawRule[] {
  return draft.raw.roles?.[role]?.permissions ?? [];
}

/** What matched in its stead helps to see why. */
function missed(draft: Draft, role: RoleName, index: number, { sample, path }: Sample): readonly Diagnostic[] {
  const rules = rawRules(draft, role);
  const raw = rules[index];
  if (raw === undefined) return [];
  const { matches, read } = trySample(withoutSamples(raw), sample);
  if (matches) return [];
  const others = rules
    .map((other, at) => ({ other, at }))
    .filter(({ other, at }) => at !== index && trySample(withoutSamples(other), sample).matches)
    .map(({ other, at }) => `${ruleName(other)} on line ${draft.source.at(["roles", role, "permissions", at]).line}`);
  const instead = others.length > 0 ? `what matches it is ${others.join(", ")}` : "no rule of the role matches it";
  const message = `the rule ${ruleName(raw)} does not match ${JSON.stringify(sample)}, which its test says it does: ${instead}`;
  return [problem(draft.source.at(path), message, `it is read as ${shown(read)}`)];
}

function hit(draft: Draft, raw: RawRule, { sample, path }: Sample): readonly Diagnostic[] {
  const { matches, read } = trySample(withoutSamples(raw), sample);
  if (!matches) return [];
  const message = `the rule ${ruleName(raw)} matches ${JSON.stringify(sample)}, which its test says it does not`;
  return [problem(draft.source.at(path), message, `what it matches is ${shown(read)}`)];
}

function shown(texts: readonly string[]): string {
  return [...new Set(texts)].map((text) => `\`${text}\``).join(" and ") || "nothing";
}
