import type { Command } from "commander";
import { formatUsd } from "../core/money.ts";
import type { RunSummary } from "../core/store.ts";
import type { CommandContext } from "./command-context.ts";
import { count } from "./pipeline-flags.ts";
import { tableText } from "./table-text.ts";
import { writeJson } from "./write-json.ts";

/** Adds `ccp runs`. */
export function registerRuns(program: Command, context: CommandContext): void {
  program
    .command("runs")
    .description("list the runs of this repository, newest first")
    .option("--limit <n>", "how many at most", "50")
    .option("--json", "as JSON")
    .action(async (flags: { readonly limit: string; readonly json?: boolean }) => {
      const wiring = context.wiring();
      const limit = count("--limit", flags.limit);
      // One more than are shown says whether there are more.
      const found = (await wiring.store()).runs({ limit: limit + 1 });
      const runs = found.slice(0, limit);
      const { stdout } = context.surroundings;
      if (flags.json) return writeJson(stdout, { v: 1, runs: runs.map((run) => ({ ...run, state: stateOf(run) })) });
      if (runs.length === 0) return void stdout.write('no runs yet: ccp run "what is to be done"\n');
      const rows = runs.map((run) => [
        run.rid,
        stateOf(run),
        formatUsd(run.settledNanos),
        age(run.createdAt, wiring.chance.now()),
        run.pipelineName,
        run.title,
      ]);
      stdout.write(await tableText(["run", "state", "cost", "age", "pipeline", "task"], rows, wiring, stdout));
      if (found.length > limit)
        stdout.write(`only the newest ${limit} are shown; more: ccp runs --limit ${limit * 10}\n`);
    });
}

/** A run that says `running` and that nobody holds was interrupted by a crash. */
function stateOf(run: RunSummary): string {
  return run.status === "running" && !run.owned ? "interrupted" : run.status;
}

function age(then: number, now: number): string {
  const minutes = Math.floor(Math.max(0, now - then) / 60_000);
  if (minutes < 1) return "now";
  if (minutes < 60) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours}h` : `${Math.floor(hours / 24)}d`;
}
