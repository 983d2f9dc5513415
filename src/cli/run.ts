import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { type Command, Option } from "commander";
import { formatDiagnostic } from "../core/diagnostic.ts";
import { CcpError, EXIT, messageOf } from "../core/errors.ts";
import type { Base } from "../core/event.ts";
import { readRun } from "../core/read-run.ts";
import { plural } from "../core/words.ts";
import type { Wiring } from "../wire/wire.ts";
import type { CommandContext } from "./command-context.ts";
import type { Surroundings } from "./config.ts";
import { loadForRun } from "./load-pipeline.ts";
import { type PipelineFlags, pipelineOptions } from "./pipeline-flags.ts";
import { selectRun } from "./select-run.ts";
import { startRun } from "./start-run.ts";
import { type UiFlags, uiOptions } from "./ui-flags.ts";

interface RunFlags extends PipelineFlags, UiFlags {
  readonly taskFile?: string;
  readonly base?: string;
  readonly includeDirty?: boolean;
  readonly on?: string;
  readonly resultsDir?: string;
}

/** Adds `ccp run`. */
export function registerRun(program: Command, context: CommandContext): void {
  const command = program
    .command("run")
    .description("run a pipeline on a task, in a worktree of its own")
    .argument("[task]", "what is to be done; - reads it from standard input")
    .option("--task-file <file>", "read the task from a file");
  pipelineOptions(command)
    .addOption(
      new Option("--base <rev>", "start from this commit").default(undefined, "HEAD").conflicts(["includeDirty", "on"]),
    )
    .addOption(
      new Option("--include-dirty", "start from the working tree as it is, uncommitted work included").conflicts("on"),
    )
    .option("--on <rid>", "start from the tree of another run")
    .option("--results-dir <dir>", "where results go (default: results, or CCP_RESULTS_DIR)");
  uiOptions(command).action(async (task: string | undefined, flags: RunFlags) => {
    context.exit(await run(task, flags, context));
  });
}

async function run(taskArgument: string | undefined, flags: RunFlags, context: CommandContext): Promise<number> {
  const wiring = context.wiring(flags);
  const task = await taskOf(taskArgument, flags, context.surroundings);
  await wiring.repository();
  const loaded = await loadForRun(flags, wiring);
  for (const warning of loaded.warnings) context.surroundings.stderr.write(`warning: ${formatDiagnostic(warning)}\n`);
  const { pipeline, inputs } = loaded;
  const start = await baseOf(flags, wiring);
  return startRun({ pipeline, inputs, task, ...start, inherited: [] }, flags, wiring, context);
}

async function taskOf(argument: string | undefined, flags: RunFlags, surroundings: Surroundings): Promise<string> {
  if (argument !== undefined && flags.taskFile !== undefined)
    throw usage("the task is given twice, as an argument and as a file", "give one of them");
  const task =
    argument === "-" ? await surroundings.readStdin() : (argument ?? readTaskFile(flags.taskFile, surroundings.cwd));
  if (task === null || task.trim() === "")
    throw usage("there is no task", 'ccp run "what is to be done", or --task-file FILE, or - for standard input');
  return task;
}

function readTaskFile(file: string | undefined, cwd: string): string | null {
  if (file === undefined) return null;
  try {
    return readFileSync(resolve(cwd, file), "utf8");
  } catch (cause) {
    throw usage(`the task file cannot be read: ${messageOf(cause)}`, "check the path; nothing was started");
  }
}

/** Where the run starts, and the run that it goes on from. Uncommitted work is never left out without a word. */
async function baseOf(
  flags: RunFlags,
  wiring: Wiring,
): Promise<{ readonly base: Base; readonly parent: string | null }> {
  const repository = await wiring.repository();
  if (flags.on !== undefined) return baseOfRun(flags.on, wiring);
  if (flags.includeDirty) return { base: await repository.dirtyBase(), parent: null };
  const base = await repository.resolveBase(flags.base ?? "HEAD");
  const dirty = flags.base === undefined ? await repository.dirtyFiles() : [];
  if (dirty.length === 0) return { base, parent: null };
  const shown = dirty
    .slice(0, 3)
    .map((path) => JSON.stringify(path).slice(1, -1))
    .join(", ");
  throw new CcpError(
    "dirty_tree",
    EXIT.usage,
    `${plural(dirty.length, "uncommitted file")} in ${repository.root} (${shown}${dirty.length > 3 ? `, +${dirty.length - 3}` : ""}) would be left out of the run`,
    {
      hint: "with them: --include-dirty   without them: --base HEAD   or commit or stash them first; nothing was started",
    },
  );
}

async function baseOfRun(prefix: string, wiring: Wiring): Promise<{ readonly base: Base; readonly parent: string }> {
  const store = await wiring.store();
  const rid = await selectRun(prefix, wiring);
  const parent = readRun(rid, store);
  if (!parent.workspace || !parent.end || parent.status === "discarded") {
    throw new CcpError("no_tree", EXIT.usage, `${rid} has no finished tree to start from (${parent.status})`, {
      hint: `see it: ccp view ${rid}`,
    });
  }
  const base = await (await wiring.repository()).resolveBase(parent.workspace.branch);
  if (base.tree === parent.tree) return { base, parent: rid };
  throw new CcpError("no_tree", EXIT.usage, `${parent.workspace.branch} does not hold the last tree of ${rid}`, {
    hint: `it was stopped before its work was kept, or the branch was changed: ccp resume ${rid}   from the branch as it is: --base ${parent.workspace.branch}`,
  });
}

function usage(message: string, hint: string): CcpError {
  return new CcpError("usage", EXIT.usage, message, { hint });
}
