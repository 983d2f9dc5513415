import type { Command } from "commander";
import { savedNanos } from "../core/reuse.ts";
import type { CommandContext } from "./command-context.ts";
import { openRun } from "./select-run.ts";
import { writeJson } from "./write-json.ts";

/** Adds `ccp rewind`. */
export function registerRewind(program: Command, context: CommandContext): void {
  program
    .command("rewind")
    .description("take a run back to before a step; what that undoes is kept as a patch when it is resumed")
    .argument("<step>", "the first step to be done again")
    .argument("[rid]", "the run (default: the newest)")
    .option("--json", "as JSON")
    .action(async (step: string, given: string | undefined, flags: { readonly json?: boolean }) => {
      const { rid, wiring } = await openRun(given, context.wiring());
      const plan = (await wiring.engine({})).rewind(rid, step);
      const { stdout } = context.surroundings;
      if (flags.json) return writeJson(stdout, { v: 1, rid, saved_nanos: savedNanos(plan), ...plan });
      stdout.write((await wiring.ui()).renderReusePlan(plan, { width: stdout.isTTY ? stdout.columns : undefined }));
      stdout.write(`  Next: ccp resume ${rid}\n`);
    });
}
