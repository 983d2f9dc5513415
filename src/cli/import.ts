import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Command } from "commander";
import { CcpError, EXIT, messageOf } from "../core/errors.ts";
import type { CommandContext } from "./command-context.ts";
import { writeJson } from "./write-json.ts";

/** Adds `ccp import`. */
export function registerImport(program: Command, context: CommandContext): void {
  program
    .command("import")
    .description("take in a run that was exported elsewhere")
    .argument("<file>", "a file that ccp export made")
    .option("--json", "as JSON")
    .action(async (file: string, flags: { readonly json?: boolean }) => {
      const wiring = context.wiring();
      const engine = await wiring.engine({});
      const { rid, status } = await engine.importRun(read(resolve(wiring.config.cwd, file)));
      engine.mendRecords(rid);
      const { stdout } = context.surroundings;
      if (flags.json) return writeJson(stdout, { v: 1, rid, status });
      stdout.write(
        `${rid} (${status}) is on record here; going on with it runs the commands of its pipeline on this machine\n  Next: ccp view ${rid}\n`,
      );
    });
}

function read(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new CcpError("usage", EXIT.usage, `${path} cannot be read: ${messageOf(cause)}`, {
      hint: "nothing was changed; check the path",
      cause,
    });
  }
}
