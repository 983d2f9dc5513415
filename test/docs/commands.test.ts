import type { Command } from "commander";
import { describe, expect, test } from "vitest";
import { buildProgram } from "../../src/cli/program.ts";
import { EXIT } from "../../src/core/errors.ts";
import { bareEnvironment, ROOT } from "../support/cli.ts";
import { codeIn, PAGES, page, rowsIn } from "./pages.ts";

const nothing = { write: () => true };
const PROGRAM = buildProgram(
  {
    argv: [],
    cwd: ROOT,
    environment: bareEnvironment(ROOT),
    stdout: nothing,
    stderr: nothing,
    readStdin: async () => "",
    ask: async () => null,
    onSignal: () => () => undefined,
  },
  { exit: () => undefined, driven: () => undefined },
);
const SECTIONS = sectionsOf(page("docs/commands.md"));

describe("docs/commands.md knows the program", () => {
  test("every command, with its arguments, in the order of help; and no other", () => {
    const documented = [...SECTIONS.keys()].filter((heading) => heading.startsWith("`ccp "));
    const last = "`ccp help [command]`, `ccp --version`";
    expect(documented).toEqual([...PROGRAM.commands.map((command) => `\`${usageOf(command)}\``), last]);
  });

  test.each(PROGRAM.commands.map((command) => [command.name(), command] as const))(
    "every flag of %s, and no other",
    (_, command) => {
      const text = SECTIONS.get(`\`${usageOf(command)}\``) ?? "";
      expect([...new Set(flagsIn(text))].sort()).toEqual(ownFlags(command).sort());
    },
  );

  test("what a flag takes is called the same", () => {
    const wrong = PROGRAM.commands.flatMap((command) => {
      const text = (SECTIONS.get(`\`${usageOf(command)}\``) ?? "").replaceAll("\\|", "|");
      const taken = [...text.matchAll(/(--[a-z-]+) (<[^>`]+>)/g)].map((match) => `${match[1]} ${match[2]}`);
      return taken.filter((one) => !command.options.some((option) => option.flags.endsWith(one)));
    });
    expect(wrong).toEqual([]);
  });

  test("every exit code, and no other", () => {
    const codes = rowsIn(SECTIONS.get("Exit codes") ?? "").flatMap(([code = ""]) => code.match(/\d+/g) ?? []);
    expect(codes.map(Number)).toEqual(Object.values(EXIT));
  });
});

describe("whatever a page tells to type", () => {
  test.each(PAGES)("$path names commands and flags that exist", ({ text }) => {
    expect(codeIn(text).flatMap(typedIn).filter(isUnknown)).toEqual([]);
  });

  test("is found at all, and a wrong one would be noticed", () => {
    const typed = PAGES.flatMap(({ text }) => codeIn(text).flatMap(typedIn));
    expect(typed.length).toBeGreaterThan(60);
    expect(typedIn('cd x && ccp rum "y" --input a=b; ccp resume r-1 --ui live').filter(isUnknown)).toEqual([
      { command: "rum", flags: ["--input"] },
    ]);
    expect(typedIn("ccp runs --ui").filter(isUnknown)).toHaveLength(1);
  });
});

interface Typed {
  readonly command: string;
  readonly flags: readonly string[];
}

/** `ccp run --on <rid> "…"` → run, with --on. What stands after `#`, `&&` or `;` is another thing. */
function typedIn(code: string): readonly Typed[] {
  return [...code.matchAll(/(?:^|[\s(])ccp ([a-z]+)([^#&;\n]*)/g)].map((match) => ({
    command: match[1] ?? "",
    flags: flagsIn((match[2] ?? "").split(/\sccp\s/)[0] ?? ""),
  }));
}

function isUnknown({ command, flags }: Typed): boolean {
  if (command === "help") return false;
  const known = PROGRAM.commands.find((candidate) => candidate.name() === command);
  return known === undefined || flags.some((flag) => flag !== "--help" && !ownFlags(known).includes(flag));
}

function flagsIn(text: string): readonly string[] {
  return text.match(/(?<![\w-])--[a-z][a-z-]*/g) ?? [];
}

function ownFlags(command: Command): string[] {
  return command.options.flatMap((option) => option.long ?? []);
}

/** `ccp validate [pipelines...]` */
function usageOf(command: Command): string {
  const names = command.registeredArguments.map((argument) => {
    const name = `${argument.name()}${argument.variadic ? "..." : ""}`;
    return argument.required ? `<${name}>` : `[${name}]`;
  });
  return ["ccp", command.name(), ...names].join(" ");
}

function sectionsOf(text: string): ReadonlyMap<string, string> {
  const parts = text.split(/^## /m).slice(1);
  return new Map(parts.map((part) => [part.split("\n", 1)[0] ?? "", part.slice(part.indexOf("\n"))]));
}
