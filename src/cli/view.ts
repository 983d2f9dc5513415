import type { Command } from "commander";
import { CcpError, EXIT } from "../core/errors.ts";
import { didYouMean } from "../core/suggest.ts";
import type { CommandContext } from "./command-context.ts";
import { wantsColor } from "./config.ts";
import { reportText } from "./report-text.ts";
import { openRun } from "./select-run.ts";
import { writeJson } from "./write-json.ts";

interface ViewFlags {
  readonly step?: string;
  readonly json?: boolean;
}

/** Adds `ccp view`. */
export function registerView(program: Command, context: CommandContext): void {
  program
    .command("view")
    .description("show a run: its steps, calls, checks and cost; with --step, what was said and done in one")
    .argument("[rid]", "the run (default: the newest)")
    .option("--step <id>", "the transcript of one step")
    .option("--json", "as JSON")
    .action(async (given: string | undefined, flags: ViewFlags) => {
      const { rid, run, wiring } = await openRun(given, context.wiring());
      const engine = await wiring.engine({});
      engine.mendRecords(rid);
      const { stdout } = context.surroundings;
      if (flags.step === undefined) {
        if (flags.json) return writeJson(stdout, engine.record(rid));
        return void stdout.write(await reportText(run, wiring, context));
      }
      const ids = engine.pinnedPipeline(rid).steps.map((step) => step.id);
      if (!ids.includes(flags.step)) throw unknownStep(flags.step, ids);
      const entries = engine.stepEntries(rid, flags.step);
      if (flags.json) return writeJson(stdout, { v: 1, rid, step: flags.step, entries });
      const ui = await wiring.ui();
      stdout.write(ui.renderTranscript(entries, { color: wantsColor(stdout, context.surroundings.environment) }));
    });
}

function unknownStep(step: string, ids: readonly string[]): CcpError {
  const near = didYouMean(step, ids);
  return new CcpError("usage", EXIT.usage, `the run has no step "${step}"`, {
    hint: near ? `did you mean "${near}"?` : `its steps: ${ids.join(", ")}`,
  });
}
