import { resolve } from "node:path";
import type { Command } from "commander";
import type { CommandContext } from "./command-context.ts";
import { notEnded, openRun } from "./select-run.ts";
import { writeJson } from "./write-json.ts";

interface BundleFlags {
  readonly output?: string;
  readonly json?: boolean;
}

/** Adds `ccp bundle`. */
export function registerBundle(program: Command, context: CommandContext): void {
  program
    .command("bundle")
    .description("pack a run's artifacts and records into one .tar.gz; the same run gives the same bytes")
    .argument("[rid]", "the run (default: the newest)")
    .option("-o, --output <file>", "where to write it (default: <rid>.tar.gz beside the results)")
    .option("--json", "as JSON")
    .action(async (given: string | undefined, flags: BundleFlags) => {
      const { rid, run, wiring } = await openRun(given, context.wiring());
      if (run.end === null) throw await notEnded(rid, wiring);
      (await wiring.engine({})).mendRecords(rid);
      const wanted = flags.output === undefined ? null : resolve(context.surroundings.cwd, flags.output);
      const target = await (await wiring.results()).bundle(rid, wanted);
      const { stdout } = context.surroundings;
      if (flags.json) return writeJson(stdout, { v: 1, rid, bundle: target });
      stdout.write(`${target}\n`);
    });
}
