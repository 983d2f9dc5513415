import type { Command } from "commander";
import { type Diagnostic, formatDiagnostic } from "../core/diagnostic.ts";
import { EXIT } from "../core/errors.ts";
import { plural } from "../core/words.ts";
import type { CommandContext } from "./command-context.ts";
import { loadNamed } from "./load-pipeline.ts";
import { writeJson } from "./write-json.ts";

/** Adds `ccp validate`. */
export function registerValidate(program: Command, context: CommandContext): void {
  program
    .command("validate")
    .description("check pipeline files: everything that is wrong, with its place; runs nothing")
    .argument("[pipelines...]", "files or names (default: the repository's default)")
    .option("--json", "as JSON")
    .action(async (names: readonly string[], flags: { readonly json?: boolean }) => {
      const wiring = context.wiring();
      const { stdout } = context.surroundings;
      const results = [];
      for (const name of names.length > 0 ? names : [null]) {
        const loaded = await loadNamed(name, wiring, { inputs: null, models: {}, budget: {} });
        results.push({
          path: loaded.path,
          ok: loaded.ok,
          diagnostics: loaded.ok ? loaded.warnings : loaded.diagnostics,
          steps: loaded.ok ? loaded.pipeline.steps.length : 0,
        });
      }
      const isGood = results.every((result) => result.ok);
      if (flags.json) writeJson(stdout, { v: 1, ok: isGood, files: results });
      else for (const result of results) stdout.write(textOf(result));
      context.exit(isGood ? EXIT.ok : EXIT.usage);
    });
}

/** Complaints of a file that cannot be run, or what it is and the warnings about it. */
function textOf(file: {
  readonly path: string;
  readonly ok: boolean;
  readonly steps: number;
  readonly diagnostics: readonly Diagnostic[];
}): string {
  const lines = file.diagnostics
    .map((diagnostic) => `${file.ok ? "warning: " : ""}${formatDiagnostic(diagnostic)}\n`)
    .join("");
  return file.ok ? `${lines}${file.path}  ok, ${plural(file.steps, "step")}\n` : lines;
}
