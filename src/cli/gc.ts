import type { Command } from "commander";
import { CcpError, EXIT } from "../core/errors.ts";
import { plural } from "../core/words.ts";
import type { CommandContext } from "./command-context.ts";
import { tableText } from "./table-text.ts";
import { writeJson } from "./write-json.ts";

interface GcFlags {
  readonly olderThan: string;
  readonly yes?: boolean;
  readonly json?: boolean;
}

const UNITS = { h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 } as const;

/** Adds `ccp gc`. */
export function registerGc(program: Command, context: CommandContext): void {
  program
    .command("gc")
    .description("say what runs that are over have left behind; with --yes, remove it")
    .option("--older-than <age>", "only runs that ended longer ago: 12h, 30d, 8w", "30d")
    .option("--yes", "remove it; without this nothing is changed")
    .option("--json", "as JSON")
    .action(async (flags: GcFlags) => {
      const wiring = context.wiring();
      const dryRun = flags.yes !== true;
      const engine = await wiring.engine({});
      const collected = await engine.collectGarbage({ olderThanMs: ageOf(flags.olderThan), dryRun });
      const { stdout } = context.surroundings;
      if (flags.json) return writeJson(stdout, { v: 1, dry_run: dryRun, ...collected });
      const { cleanings, payloads } = collected;
      const rows = cleanings.map(({ rid, action, why, sizeBytes }) => [rid, action, megabytes(sizeBytes), why]);
      if (rows.length > 0) stdout.write(await tableText(["run", "what", "on disk", "why"], rows, wiring, stdout));
      stdout.write(`${plural(payloads.blobs, "payload")} of the journal, ${megabytes(payloads.sizeBytes)}\n`);
      stdout.write(dryRun ? "nothing was removed; to do it: ccp gc --yes\n" : "removed; results/ and branches stay\n");
    });
}

function ageOf(text: string): number {
  const [, amount, unit] = /^(\d+)([hdw])$/.exec(text) ?? [];
  if (amount !== undefined && unit !== undefined) return Number(amount) * UNITS[unit as keyof typeof UNITS];
  throw new CcpError("usage", EXIT.usage, `--older-than ${text} is no age`, {
    hint: "nothing was changed; write 12h, 30d or 8w",
  });
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
