import type { Command } from "commander";
import type { CommandContext } from "./command-context.ts";
import { patchOf } from "./patch.ts";
import { openRun } from "./select-run.ts";
import { writeJson } from "./write-json.ts";

/** Adds `ccp diff`. */
export function registerDiff(program: Command, context: CommandContext): void {
  program
    .command("diff")
    .description("print what a run changed, as a patch on its base")
    .argument("[rid]", "the run (default: the newest)")
    .option("--json", "as JSON")
    .action(async (given: string | undefined, flags: { readonly json?: boolean }) => {
      const { rid, run, wiring } = await openRun(given, context.wiring());
      const patch = await patchOf(run, wiring);
      const { stdout, stderr } = context.surroundings;
      if (flags.json) {
        const text = new TextDecoder().decode(patch);
        return writeJson(stdout, { v: 1, rid, base: run.created?.base.commit, tree: run.tree, patch: text });
      }
      if (patch.length === 0) return void stderr.write(`${rid} changed nothing\n`);
      // Byte for byte: what is not UTF-8 in it must reach `git apply` as it is. A terminal is shown text that cannot drive it.
      if (stdout.isTTY === true)
        stdout.write(`${(await wiring.ui()).manyLines(new TextDecoder().decode(patch)).join("\n")}\n`);
      else stdout.write(patch);
    });
}
