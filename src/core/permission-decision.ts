import { EFFECTS, type PermissionEffect, type PermissionRule, type PermissionVerdict } from "./permission.ts";
import { type Glob, HOLE, readGlob } from "./permission-glob.ts";
import { pathForms } from "./permission-path.ts";
import { type ShellPart, shellParts } from "./shell-parts.ts";

/** What a role may do: the rules that hold for everybody, its own in their order, and its tools. */
export interface Policy {
  readonly builtin: readonly PermissionRule[];
  readonly rules: readonly PermissionRule[];
  readonly tools: readonly string[];
}

/** A call as rules see it. */
export interface JudgedCall {
  readonly tool: string;
  /** The command of `bash`; the paths of a file tool, all of them; `server/tool`. */
  readonly subjects: readonly string[];
}

/** One command, path or doubt of a call, and what was decided over it. */
export interface JudgedPart {
  readonly kind: "command" | "path" | "read" | "write" | "doubt" | "call";
  readonly text: string;
  readonly effect: PermissionEffect;
  /** Rules that match it, by their place in the role's list. `isCertain` false: only if something unknown comes out so. */
  readonly matches: readonly RuleMatch[];
  /** Why it came to this; null: nothing to say. */
  readonly reason: string | null;
  /** True: it may be run, if something unknown comes out so. */
  readonly isGuess: boolean;
}

/** A rule that matches. */
export interface RuleMatch {
  readonly rule: PermissionRule;
  /** Index in the role's rules; null: it holds for every role. */
  readonly index: number | null;
  readonly isCertain: boolean;
}

/** What was decided over a call, part by part. */
export interface Decision extends PermissionVerdict {
  readonly parts: readonly JudgedPart[];
}

interface Reader extends Omit<RuleMatch, "isCertain"> {
  readonly command: Glob | null;
  readonly path: Glob | null;
}

/**
 * May this call proceed? Every part of it has to; of all rules that match a part the strictest decides. Rules that deny
 * or ask are read widely (every form of a command or path, any case, what may come out of a variable), rules that allow
 * exactly. What no rule matches is allowed, unless a rule allows the tool some calls by `match`: then a person is asked.
 */
export function decide(policy: Policy, call: JudgedCall): Decision {
  if (!policy.tools.includes(call.tool)) {
    const reason = `this role has no tool "${call.tool}"`;
    return { effect: "deny", reason, parts: [part("call", call.tool, "deny", { reason })] };
  }
  const readers = readersOf(policy);
  const parts = call.subjects.flatMap((subject) =>
    call.tool === "bash" ? bashParts(subject, policy, readers) : [subjectPart(subject, call.tool, policy, readers)],
  );
  const decisive = strictest(parts) ?? part("call", call.tool, "allow");
  return { effect: decisive.effect, reason: decisive.effect === "allow" ? null : decisive.reason, parts };
}

/** How a rule is named to people and models: `deny bash "git push*"`. */
export function ruleName({ effect, tool, match }: PermissionRule): string {
  return `${effect} ${tool}${match === undefined ? "" : ` ${JSON.stringify(match)}`}`;
}

/** True: rules name what of this tool is allowed, so that everything else is asked for. */
export function isClosed(rules: readonly PermissionRule[], tool: string): boolean {
  return rules.some((rule) => rule.effect === "allow" && rule.match !== undefined && concerns(rule, tool));
}

/** True: a call that cannot be read may be one that a rule of the role is about. */
function restrictsShell(rules: readonly PermissionRule[]): boolean {
  return rules.some(
    (rule) => rule.match !== undefined && ["bash", "write", "edit"].some((tool) => concerns(rule, tool)),
  );
}

/** True for a rule that is about this tool. A patch edits and writes: rules over either of them bind it too. */
export function concerns(rule: PermissionRule, tool: string): boolean {
  const isKin = tool === "apply_patch" && (rule.tool === "edit" || rule.tool === "write");
  return rule.tool === "*" || rule.tool === tool || isKin;
}

function strictest<T extends { readonly effect: PermissionEffect }>(all: readonly T[]): T | undefined {
  return all.reduce<T | undefined>((a, b) => (a && rank(a.effect) >= rank(b.effect) ? a : b), undefined);
}

function rank(effect: PermissionEffect): number {
  return EFFECTS.indexOf(effect);
}

function part(
  kind: JudgedPart["kind"],
  text: string,
  effect: PermissionEffect,
  more: Partial<Pick<JudgedPart, "matches" | "reason" | "isGuess">> = {},
): JudgedPart {
  return { kind, text: text.replaceAll(HOLE, "…"), effect, matches: [], reason: null, isGuess: false, ...more };
}

function readersOf({ builtin, rules }: Policy): readonly Reader[] {
  const glob = (rule: PermissionRule, kind: "path" | "command") =>
    rule.match === undefined
      ? null
      : readGlob(rule.effect === "allow" ? rule.match : strictPattern(rule.match, kind), kind);
  const reader = (rule: PermissionRule, index: number | null): Reader => ({
    rule,
    index,
    command: glob(rule, "command"),
    path: glob(rule, "path"),
  });
  return [...builtin.map((rule) => reader(rule, null)), ...rules.map((rule, index) => reader(rule, index))];
}

/** Paths are the same in any case where a rule forbids them: on some disks they are. */
function strictPattern(match: string, kind: "path" | "command"): string {
  return kind === "path"
    ? match
        .normalize("NFC")
        .toLowerCase()
        .replace(/^(?:\.\/)+/, "")
    : match;
}

// ── a command line ───────────────────────────────────────────────────────────────────────────────────────────────

function bashParts(script: string, policy: Policy, readers: readonly Reader[]): readonly JudgedPart[] {
  const whole: ShellPart = { kind: "command", text: script.trim(), forms: [script, script.trim()], isGuess: true };
  return [...shellParts(script), whole].flatMap((one): readonly JudgedPart[] => {
    if (one.kind === "command") return commandPart(one, policy, readers, one === whole);
    if (one.kind === "doubt") return restrictsShell(policy.rules) ? [doubtPart(one, readers)] : [];
    const tools = one.kind === "read" ? ["read"] : ["write", "edit"];
    const judged = tools.map((tool) => pathPart(one.path, tool, { kind: one.kind, policy, readers }));
    return [strictest(judged) ?? part(one.kind, one.path, "allow")];
  });
}

/** What would be a guess is told only where a rule is about it. */
function commandPart(
  command: Extract<ShellPart, { kind: "command" }>,
  policy: Policy,
  readers: readonly Reader[],
  isWhole: boolean,
): readonly JudgedPart[] {
  const matches = readers.flatMap((reader) => {
    if (!concerns(reader.rule, "bash")) return [];
    if (isWhole && reader.rule.match === undefined) return [];
    if (reader.rule.effect !== "allow") return matchOf(reader, reader.command, command.forms);
    return isByItsAssignments(command, reader) ? [] : matchOf(reader, reader.command, [command.text]);
  });
  const usable = command.isGuess ? matches.filter(({ rule }) => rule.effect !== "allow") : matches;
  if (command.isGuess && usable.length === 0) return [];
  const isUnmatched = !command.isGuess && isClosed(policy.rules, "bash");
  return [judged("command", command.text, usable, isUnmatched ? "bash" : null, command.isGuess)];
}

/** A pattern that does not speak of assignments means the command: its `*` takes in none that stands before it. */
function isByItsAssignments(
  { bare }: Extract<ShellPart, { kind: "command" }>,
  { rule, command }: Pick<Reader, "rule" | "command">,
): boolean {
  if (bare === undefined || /^\w+=/.test(rule.match ?? "")) return false;
  return command !== null && command.match(bare) !== "certain";
}

function doubtPart(doubt: Extract<ShellPart, { kind: "doubt" }>, readers: readonly Reader[]): JudgedPart {
  const { program } = doubt;
  const answer = readers.find(
    ({ rule, command }) =>
      program !== null &&
      rule.effect === "allow" &&
      concerns(rule, "bash") &&
      (rule.match ?? "").split(" ", 1)[0] === program &&
      command?.match(doubt.text) === "certain",
  );
  if (answer) return part("doubt", doubt.text, "allow", { matches: [{ ...matchIn(answer), isCertain: true }] });
  return part("doubt", doubt.text, "ask", { reason: doubt.why });
}

// ── paths and names ──────────────────────────────────────────────────────────────────────────────────────────────

function subjectPart(subject: string, tool: string, policy: Policy, readers: readonly Reader[]): JudgedPart {
  if (!tool.startsWith("mcp_")) return pathPart(subject, tool, { kind: "path", policy, readers });
  const matches = readers.flatMap((reader) => {
    if (!concerns(reader.rule, tool)) return [];
    const isAllow = reader.rule.effect === "allow";
    return matchOf(reader, reader.path, isAllow ? [subject] : [subject, subject.normalize("NFC").toLowerCase()]);
  });
  return judged("call", subject, matches, isClosed(policy.rules, tool) ? tool : null, false);
}

function pathPart(
  path: string,
  tool: string,
  {
    kind,
    policy,
    readers,
  }: { readonly kind: JudgedPart["kind"]; readonly policy: Policy; readonly readers: readonly Reader[] },
): JudgedPart {
  const { exact, wide } = pathForms(path);
  const matches = readers.flatMap((reader) => {
    if (!concerns(reader.rule, tool)) return [];
    return matchOf(reader, reader.path, reader.rule.effect === "allow" ? exact : wide);
  });
  return judged(kind, path, matches, isClosed(policy.rules, tool) ? tool : null, false);
}

// ── a verdict ────────────────────────────────────────────────────────────────────────────────────────────────────

function matchOf(reader: Reader, glob: Glob | null, texts: readonly string[]): readonly RuleMatch[] {
  if (glob === null) return [{ ...matchIn(reader), isCertain: true }];
  const found = texts.map((text) => glob.match(text));
  if (found.includes("certain")) return [{ ...matchIn(reader), isCertain: true }];
  // What holds for everybody is told to those who mean no harm: it does not make every variable a question.
  const isPossible = reader.index !== null && reader.rule.effect !== "allow" && found.includes("possible");
  return isPossible ? [{ ...matchIn(reader), isCertain: false }] : [];
}

function matchIn({ rule, index }: Reader): Omit<RuleMatch, "isCertain"> {
  return { rule, index };
}

/** `closed`: the tool, where only what a rule allows is allowed. */
function judged(
  kind: JudgedPart["kind"],
  text: string,
  matches: readonly RuleMatch[],
  closed: string | null,
  isGuess: boolean,
): JudgedPart {
  const effects = matches.map((match) => ({ match, effect: match.isCertain ? match.rule.effect : ("ask" as const) }));
  const decisive = strictest(effects);
  if (decisive === undefined) {
    if (closed === null) return part(kind, text, "allow", { isGuess });
    const reason = `no rule allows ${JSON.stringify(text.replaceAll(HOLE, "…"))}`;
    return part(kind, text, "ask", { reason, isGuess });
  }
  return part(kind, text, decisive.effect, { matches, reason: reasonOf(decisive.match), isGuess });
}

function reasonOf({ rule, isCertain }: RuleMatch): string {
  const unknown = isCertain ? "" : ", which something unknown in it may come to";
  return rule.reason === undefined
    ? `the rule ${ruleName(rule)}${unknown}`
    : `${rule.reason} (rule: ${ruleName(rule)}${unknown})`;
}
