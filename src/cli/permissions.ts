import { Argument, type Command } from "commander";
import { CcpError, EXIT } from "../core/errors.ts";
import { EFFECTS, TOOL_NAMES } from "../core/permission.ts";
import { policyOf } from "../core/permission-builtin.ts";
import { type Decision, decide, type JudgedPart, type RuleMatch, ruleName } from "../core/permission-decision.ts";
import { ROLE_NAMES, type RoleName } from "../core/pipeline.ts";
import { permittedRules, permittedTools } from "../core/policy-limits.ts";
import { didYouMean } from "../core/suggest.ts";
import { either } from "../core/words.ts";
import type { CommandContext } from "./command-context.ts";
import { invalid, loadNamed } from "./load-pipeline.ts";
import { tableText } from "./table-text.ts";
import { writeJson } from "./write-json.ts";

interface ExplainFlags {
  readonly pipeline?: string;
  readonly tool: string;
  readonly json?: boolean;
}

/** Where each rule of the role stands. */
type Places = readonly { readonly file: string; readonly line: number | null; readonly column: number | null }[];

/** Adds `ccp permissions`. */
export function registerPermissions(program: Command, context: CommandContext): void {
  program
    .command("permissions")
    .description(
      "explain: what the rules of a role say of a call, part by part, and which of them decides; runs nothing",
    )
    .addArgument(new Argument("<action>", "what to do").choices(["explain"]))
    .argument("<role>", either(ROLE_NAMES))
    .argument("<call...>", "a command of bash; of another tool its paths, or server/tool")
    .option("-p, --pipeline <path|name>", "whose rules; default: the repository's default pipeline")
    .option("--tool <name>", "the tool that is called", "bash")
    .option("--json", "as JSON")
    .action(async (_: string, roleName: string, subjects: readonly string[], flags: ExplainFlags) => {
      const wiring = context.wiring();
      const named = oneOf("role", roleName, ROLE_NAMES);
      const tool = oneOf("tool", flags.tool, TOOL_NAMES);
      const loaded = await loadNamed(flags.pipeline ?? null, wiring, { inputs: null, models: {}, budget: {} });
      if (!loaded.ok) throw invalid(loaded.diagnostics);
      const role = loaded.pipeline.roles[named];
      if (role === undefined) throw notPlayed(named, Object.keys(loaded.pipeline.roles));
      const policy = (await wiring.policies(null)).now();
      const held = {
        tools: permittedTools(policy, role.tools),
        permissions: permittedRules(policy, role.permissions),
      };
      const decision = decide(policyOf(held), { tool, subjects });
      context.exit(decision.effect === "allow" ? EXIT.ok : EXIT.failed);
      const { stdout } = context.surroundings;
      const places = loaded.rulePlaces[named] ?? [];
      if (flags.json) return writeJson(stdout, jsonOf({ role: named, tool, subjects, decision, places }));
      const { manyLines } = await wiring.ui();
      const clean = (text: string) => manyLines(text).join(" ");
      const rows = decision.parts.flatMap((part) => rowsOf(part, places, clean));
      if (rows.length > 0)
        stdout.write(await tableText(["part", "of the call", "verdict", "because of"], rows, wiring, stdout));
      stdout.write(`${clean(verdictText(decision))}\n`);
    });
}

/** One row for each rule that matches a part; the strictest first. */
function rowsOf(part: JudgedPart, places: Places, clean: (text: string) => string): readonly (readonly string[])[] {
  const kind = part.isGuess ? `${part.kind}?` : part.kind;
  const head = [kind, clean(part.text), part.effect];
  if (part.matches.length === 0) return [[...head, clean(part.reason ?? "no rule is about it")]];
  const rank = ({ rule }: RuleMatch) => EFFECTS.indexOf(rule.effect);
  return part.matches
    .toSorted((a, b) => rank(b) - rank(a))
    .map((match, index) => [...(index === 0 ? head : ["", "", ""]), clean(matchText(match, places))]);
}

function matchText(match: RuleMatch, places: Places): string {
  const { rule, isCertain } = match;
  const perhaps = isCertain ? "" : ", if what is unknown comes to that";
  return `${placeText(match, places)}  ${ruleName(rule)}${perhaps}${rule.reason === undefined ? "" : `: ${rule.reason}`}`;
}

function placeText({ index }: RuleMatch, places: Places): string {
  const place = index === null ? undefined : places[index];
  return place === undefined ? "every role" : `${place.file}:${place.line ?? 1}:${place.column ?? 1}`;
}

function verdictText({ effect, reason }: Decision): string {
  switch (effect) {
    case "allow":
      return "allow";
    case "deny":
      return `deny: ${reason ?? "a rule forbids it"}`;
    case "ask":
      return `ask: ${reason ?? "a rule asks"}; with nobody there it is refused, or the run waits where the step says on_ask: stop`;
  }
}

function jsonOf(explained: {
  readonly role: RoleName;
  readonly tool: string;
  readonly subjects: readonly string[];
  readonly decision: Decision;
  readonly places: Places;
}): object {
  const { role, tool, subjects, decision, places } = explained;
  const parts = decision.parts.map(({ kind, text, effect, reason, isGuess, matches }) => ({
    kind,
    text,
    effect,
    reason,
    is_guess: isGuess,
    rules: matches.map((match) => ({ ...match.rule, at: placeText(match, places), is_certain: match.isCertain })),
  }));
  return { v: 1, role, tool, call: subjects, effect: decision.effect, reason: decision.reason, parts };
}

function oneOf<Name extends string>(kind: "role" | "tool", name: string, all: readonly Name[]): Name {
  const found = all.find((one) => one === name);
  if (found) return found;
  const near = didYouMean(name, all);
  throw new CcpError("usage", EXIT.usage, `there is no ${kind} "${name}"`, {
    hint: near ? `did you mean "${near}"?` : `${kind}s: ${all.join(", ")}`,
  });
}

function notPlayed(role: RoleName, played: readonly string[]): CcpError {
  return new CcpError("usage", EXIT.usage, `no step of the pipeline has the role "${role}"`, {
    hint: `its roles: ${played.join(", ") || "none"}; name another pipeline with --pipeline`,
  });
}
