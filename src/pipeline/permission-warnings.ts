import type { Diagnostic } from "../core/diagnostic.ts";
import { EFFECTS, type PermissionRule, type ToolName } from "../core/permission.ts";
import { BUILTIN_RULES } from "../core/permission-builtin.ts";
import { ruleName } from "../core/permission-decision.ts";
import { HOLE, readGlob } from "../core/permission-glob.ts";
import { ROLE_NAMES, type RoleName } from "../core/pipeline.ts";
import type { Draft, Rule } from "./draft.ts";
import { withoutSamples } from "./permission-samples.ts";
import { toolsOf } from "./role-defaults.ts";
import { problem } from "./source.ts";

/** By the tool that a rule denies: others that do the same thing to the same file. */
const OTHER_WAYS: Readonly<Record<string, readonly ToolName[]>> = {
  edit: ["write", "bash"],
  write: ["edit", "bash"],
  read: ["grep", "bash"],
};

interface OfRole {
  readonly role: RoleName;
  readonly rules: readonly PermissionRule[];
  readonly tools: readonly ToolName[];
}

/** A rule that another makes void, or that denies one way and leaves the next one open. */
export const permissionWarnings: Rule = (draft) =>
  ROLE_NAMES.flatMap((role) => {
    const raw = draft.raw.roles?.[role];
    if (!raw?.permissions) return [];
    const ofRole = { role, rules: raw.permissions.map(withoutSamples), tools: toolsOf(role, raw) };
    return ofRole.rules.flatMap((rule, index) => [
      ...voided(draft, ofRole, { rule, index }),
      ...circumvented(draft, ofRole, { rule, index }),
    ]);
  });

interface Numbered {
  readonly rule: PermissionRule;
  readonly index: number;
}

/** Never the one that decides: another says the same or something stricter of all that it is about. */
function voided(draft: Draft, { role, rules }: OfRole, { rule, index }: Numbered): readonly Diagnostic[] {
  const place = draft.source.at(["roles", role, "permissions", index]);
  const isStricter = (other: PermissionRule) => EFFECTS.indexOf(other.effect) > EFFECTS.indexOf(rule.effect);
  const by = rules.findIndex((other, at) => {
    if (at === index || !covers(other, rule)) return false;
    return isStricter(other) || (other.effect === rule.effect && (!covers(rule, other) || at < index));
  });
  if (by !== -1 && rules[by] !== undefined) {
    const line = draft.source.at(["roles", role, "permissions", by]).line;
    const message = `the rule ${ruleName(rule)} never decides anything: ${ruleName(rules[by])} on line ${line} is about all of it`;
    return [problem(place, message, "of all rules that match, the strictest decides; take one of them out")];
  }
  const builtin = BUILTIN_RULES.find((other) => isStricter(other) && covers(other, rule));
  if (builtin === undefined) return [];
  return [problem(place, `the rule ${ruleName(rule)} never decides anything: every role is denied this`)];
}

/** A file that one tool may not touch is not safe from the next. */
function circumvented(draft: Draft, { role, rules, tools }: OfRole, { rule, index }: Numbered): readonly Diagnostic[] {
  const ways = OTHER_WAYS[rule.tool] ?? [];
  if (rule.effect !== "deny" || rule.match === undefined) return [];
  const open = ways.filter((way) => tools.includes(way) && isOpen(rules, rule, way));
  if (open.length === 0) return [];
  const place = draft.source.at(["roles", role, "permissions", index]);
  const message = `the rule ${ruleName(rule)} leaves ${open.join(" and ")} open to the ${role}, which can do the same`;
  const hint = open.includes("bash")
    ? "a redirection of bash is held to the rule, a program that it runs is not: allow bash only the commands that are needed"
    : `say the same for ${open.join(" and ")}`;
  return [problem(place, message, hint)];
}

function isOpen(rules: readonly PermissionRule[], rule: PermissionRule, way: ToolName): boolean {
  const about = rules.filter(({ tool }) => tool === "*" || tool === way);
  if (about.some(({ effect, match }) => effect !== "allow" && match === undefined)) return false;
  if (about.some(({ effect, match }) => effect === "allow" && match !== undefined)) return false;
  return (
    way === "bash" || !about.some((other) => other.effect !== "allow" && covers({ ...other, tool: rule.tool }, rule))
  );
}

/** True: whatever the second is about, the first is about it too. */
function covers(wide: PermissionRule, narrow: PermissionRule): boolean {
  if (wide.tool !== "*" && wide.tool !== narrow.tool) return false;
  if (wide.match === undefined) return true;
  if (narrow.match === undefined) return false;
  const kind = narrow.tool === "bash" ? "command" : "path";
  const text = narrow.match.replace(/ \*$/, "*").replace(/\*+|\?|\{[^{}]*\}/g, HOLE);
  // A star in a path stays in its segment; a hole does not: what is covered with it is covered without.
  return wide.match === narrow.match || readGlob(wide.match, kind).match(text) === "certain";
}
