import type { Command } from "commander";
import { CcpError, EXIT } from "../core/errors.ts";
import type { CommandContext } from "./command-context.ts";
import { openRun } from "./select-run.ts";
import { writeJson } from "./write-json.ts";

/** Adds `ccp discard`. */
export function registerDiscard(program: Command, context: CommandContext): void {
  program
    .command("discard")
    .description("remove a run's worktree and branch; its record and results stay")
    .argument("[rid]", "the run (default: the newest)")
    .option("--json", "as JSON")
    .action(async (given: string | undefined, flags: { readonly json?: boolean }) => {
      const { rid, run, wiring } = await openRun(given, context.wiring());
      if (run.status === "discarded")
        throw new CcpError("discarded", EXIT.usage, `${rid} was discarded already`, { hint: "ccp runs" });
      // The claim refuses while somebody drives the run.
      const engine = await wiring.engine({});
      await engine.note(rid, { type: "run.discarded" }, async () => {
        if (run.workspace) await (await wiring.repository()).removeWorkspace(rid, run.workspace.path);
      });
      engine.mendRecords(rid);
      const { stdout } = context.surroundings;
      const kept = (await wiring.results()).pathOf(rid);
      if (flags.json) return writeJson(stdout, { v: 1, rid, discarded: true, results: kept });
      stdout.write(
        `discarded ${rid}: its worktree and branch are gone; its record stays, and so does ${kept}\n  Next: ccp rerun ${rid}\n`,
      );
    });
}
