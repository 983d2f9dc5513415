import type { PermissionRule } from "./permission.ts";
import { decide, type JudgedPart } from "./permission-decision.ts";

/** What a rule has to do with a call that somebody wrote beside it. */
export interface SampleOutcome {
  readonly matches: boolean;
  /** The commands, paths or names that it matched, as they were read; where it matched none: all that were there. */
  readonly read: readonly string[];
}

/**
 * Tries a rule on one command, path or `server/tool`. One that denies or asks matches where a part of the call is such as
 * it means, or may come to be; one that allows where it allows every part.
 */
export function trySample(rule: PermissionRule, sample: string): SampleOutcome {
  const tools = rule.tool === "*" ? ["bash", "read"] : [rule.tool];
  const outcomes = tools.map((tool) => {
    const { parts } = decide({ builtin: [], rules: [rule], tools }, { tool, subjects: [sample] });
    return outcomeOf(
      rule,
      parts.filter(({ kind }) => tool !== "bash" || kind === "command"),
    );
  });
  return outcomes.find(({ matches }) => matches) ?? outcomes[0] ?? { matches: false, read: [sample] };
}

function outcomeOf(rule: PermissionRule, parts: readonly JudgedPart[]): SampleOutcome {
  const matched = parts.filter(({ matches }) => matches.length > 0);
  const isWhole = matched.length === parts.filter(({ isGuess }) => !isGuess).length;
  const matches = matched.length > 0 && (rule.effect !== "allow" || isWhole);
  const told = matches ? matched : parts.filter(({ isGuess }) => !isGuess);
  return { matches, read: told.map(({ text }) => text) };
}
