import { renameSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import { CcpError, EXIT, messageOf } from "../core/errors.ts";
import type { Wiring } from "../wire/wire.ts";
import type { CommandContext } from "./command-context.ts";
import { openRun } from "./select-run.ts";
import { writeJson } from "./write-json.ts";

/** Adds `ccp export`. */
export function registerExport(program: Command, context: CommandContext): void {
  program
    .command("export")
    .description("put a run into one file, to be read or gone on with elsewhere (ccp import)")
    .argument("[rid]", "the run (default: the newest)")
    .argument("[file]", "where to (default: RID.ccprun in the run's folder)")
    .option("--json", "as JSON")
    .action(async (given: string | undefined, file: string | undefined, flags: { readonly json?: boolean }) => {
      const { rid, wiring } = await openRun(given, context.wiring());
      const { bytes, hasTrees } = await (await wiring.engine({})).exportRun(rid, wiring.config.version);
      const path = file === undefined ? await inItsFolder(rid, bytes, wiring) : resolve(wiring.config.cwd, file);
      if (file !== undefined) writeWhole(path, bytes);
      const { stdout } = context.surroundings;
      if (flags.json) return writeJson(stdout, { v: 1, rid, path, size_bytes: bytes.length, trees: hasTrees });
      stdout.write(`${rid} is in ${path} (${bytes.length} bytes): prompts, answers and code in plain text\n`);
      if (!hasTrees) stdout.write("its trees are gone: it can be read elsewhere, and not be gone on with\n");
      stdout.write("  Next: ccp import FILE, in a clone that has its base commit\n");
    });
}

/** Beside the run's other files, where git does not take it for uncommitted work. */
async function inItsFolder(rid: string, bytes: Uint8Array, wiring: Wiring): Promise<string> {
  const results = await wiring.results();
  results.write(rid, `${rid}.ccprun`, bytes);
  return join(results.pathOf(rid), `${rid}.ccprun`);
}

/** Whole, or not at all. */
function writeWhole(path: string, bytes: Uint8Array): void {
  const temporary = `${path}.tmp`;
  try {
    writeFileSync(temporary, bytes, { flush: true, mode: 0o600 });
    renameSync(temporary, path);
  } catch (cause) {
    rmSync(temporary, { force: true });
    throw new CcpError("not_written", EXIT.disk, `${path} cannot be written: ${messageOf(cause)}`, {
      hint: "nothing was changed; name another file: ccp export RID FILE",
      cause,
    });
  }
}
