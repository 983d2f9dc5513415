import type { Command } from "commander";
import { formatDiagnostic } from "../core/diagnostic.ts";
import { EXIT } from "../core/errors.ts";
import type { CommandContext } from "./command-context.ts";
import { loadNamed } from "./load-pipeline.ts";
import { writeJson } from "./output.ts";

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
          diagnostics: loaded.ok ? [] : loaded.diagnostics,
          steps: loaded.ok ? loaded.pipeline.steps.length : 0,
        });
      }
      const isGood = results.every((result) => result.ok);
      if (flags.json) writeJson(stdout, { v: 1, ok: isGood, files: results });
      else
        for (const result of results)
          stdout.write(
            result.ok
              ? `${result.path}  ok, ${result.steps} steps\n`
              : `${result.diagnostics.map(formatDiagnostic).join("\n")}\n`,
          );
      context.exit(isGood ? EXIT.ok : EXIT.usage);
    });
}
