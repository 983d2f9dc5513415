import type { Command } from "commander";
import { foldRun } from "../core/run.ts";
import type { CommandContext } from "./command-context.ts";
import { writeJson } from "./output.ts";
import { patchOf } from "./patch.ts";
import { selectRun } from "./select-run.ts";

export function registerDiff(program: Command, context: CommandContext): void {
  program
    .command("diff")
    .description("print what a run changed, as a patch on its base")
    .argument("[rid]", "the run (default: the newest)")
    .option("--json", "as JSON")
    .action(async (given: string | undefined, flags: { readonly json?: boolean }) => {
      const wiring = context.wiring();
      const rid = await selectRun(given, wiring);
      const run = foldRun(rid, (await wiring.store()).events(rid));
      const patch = await patchOf(run, wiring);
      const { stdout, stderr } = context.surroundings;
      const text = new TextDecoder().decode(patch);
      if (flags.json)
        return writeJson(stdout, { v: 1, rid, base: run.created?.base.commit, tree: run.tree, patch: text });
      if (patch.length === 0) return void stderr.write(`${rid} changed nothing\n`);
      stdout.write(text);
    });
}
