import type { Command } from "commander";
import { EXIT } from "../core/errors.ts";
import { plural } from "../core/words.ts";
import type { AgainstReplay, Plan, Replay, Replays, Ui } from "../wire/wire.ts";
import type { CommandContext } from "./command-context.ts";
import { editedPipeline } from "./edited-pipeline.ts";
import { openRun } from "./select-run.ts";
import { writeJson } from "./write-json.ts";

interface ReplayFlags {
  readonly against?: string;
  readonly json?: boolean;
}

/** Adds `ccp replay`. */
export function registerReplay(program: Command, context: CommandContext): void {
  program
    .command("replay")
    .description(
      "do a run again from its journal, without models and commands, and say where it comes to something else",
    )
    .argument("[rid]", "the run (default: the newest)")
    .option("--against <path|name>", "go through this pipeline instead, with the old answers")
    .option("--json", "as JSON")
    .action(async (given: string | undefined, flags: ReplayFlags) => {
      const { rid, run, wiring } = await openRun(given, context.wiring());
      const replays = await wiring.replays();
      const plan = await editedPipeline(run, { pipeline: flags.against }, wiring);
      const { stdout } = context.surroundings;
      const outcome = await untilStopped(context, (signal) => replayed(replays, rid, plan, signal));
      context.exit(outcome.isAsThen ? EXIT.ok : EXIT.failed);
      if (flags.json) return writeJson(stdout, outcome.json);
      const { manyLines } = await wiring.ui();
      for (const line of outcome.lines(manyLines)) stdout.write(`${line}\n`);
    });
}

interface Outcome {
  readonly isAsThen: boolean;
  readonly json: object;
  /** Nothing in them drives a terminal. */
  lines(clean: Ui["manyLines"]): readonly string[];
}

async function replayed(replays: Replays, rid: string, plan: Plan | null, signal: AbortSignal): Promise<Outcome> {
  if (plan === null) {
    const replay = await replays.replay(rid, signal);
    const { replayedStatus: replayed_status, ...rest } = replay;
    return {
      isAsThen: replay.same,
      json: { v: 1, ...rest, replayed_status },
      lines: (clean) => replayLines(replay, clean),
    };
  }
  const against = await replays.against(rid, plan, signal);
  const { replayedStatus: replayed_status, pipelineName: against_pipeline, leftOut: left_out, ...rest } = against;
  return {
    isAsThen: against.missing === null && against.status === against.replayedStatus,
    json: { v: 1, ...rest, replayed_status, against: against_pipeline, left_out },
    lines: (clean) => againstLines(against, clean),
  };
}

/** The first signal gives the replay up; its worktree is removed. */
async function untilStopped<T>(
  { surroundings }: CommandContext,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const abort = new AbortController();
  const stopListening = surroundings.onSignal(() => abort.abort());
  try {
    return await work(abort.signal);
  } finally {
    stopListening();
  }
}

function replayLines(replay: Replay, clean: Ui["manyLines"]): readonly string[] {
  const { rid, same, facts, artifacts, difference } = replay;
  if (same || difference === null) {
    return [
      `${rid}: the same, ${plural(facts, "event")} and ${plural(artifacts.length, "artifact")}`,
      NOBODY_WAS_ASKED,
    ];
  }
  const { seq, says, was, is, hint } = difference;
  const place = seq === null ? "" : ` at event ${seq}`;
  return [
    `${rid}: not the same; the first difference is${place}`,
    ...clean(`  ${says}`),
    ...(isShown(was) ? [`    then  ${clean(was).join(" ")}`] : []),
    ...(isShown(is) ? [`    now   ${clean(is).join(" ")}`] : []),
    ...clean(`  ${hint}`),
    ...changedArtifacts(replay).map((artifact) => `  ${artifactText(artifact)}`),
  ];
}

/** A hash says nothing to people. */
function isShown(value: string | null): value is string {
  return value !== null && !/^[0-9a-f]{64}$/.test(value);
}

/** A replay that did not come to its end lacks artifacts for no other reason. */
function changedArtifacts({ artifacts, status, replayedStatus }: Replay): Replay["artifacts"] {
  return artifacts.filter(({ was, is }) => was !== is && (is !== null || status === replayedStatus));
}

const NOBODY_WAS_ASKED = "  no model was asked and no command was run: their answers are those of the journal";

function againstLines(against: AgainstReplay, clean: Ui["manyLines"]): readonly string[] {
  const { rid, pipelineName, questions, commands, missing, leftOut, tree } = against;
  const { first } = questions;
  const at = first && `step "${first.stepId}", try ${first.conversation}, turn ${first.turn}: ${first.what}`;
  const changed = against.artifacts.filter(({ was, is }) => was !== is);
  const lines = [
    `${rid} on ${pipelineName}, with its old answers`,
    `  ${plural(questions.asked, "question")}, ${questions.different} of them not what was asked then`,
    ...(at ? [`    the first: ${at}`] : []),
    `  ${plural(commands.run, "command")}, ${commands.onOtherFiles} of them on other files than then`,
    ...(commands.first === null ? [] : [`    the first: ${commands.first}`]),
    ...(leftOut.length === 0 ? [] : [`  left out: ${leftOut.join(", ")}`]),
    ...(missing === null ? [] : [`  it stops here: ${missing}`]),
    `  status     ${sameOr(against.status, missing === null ? against.replayedStatus : "not at its end")}`,
    `  tree       ${sameOr(short(tree.was), short(tree.is))}`,
    `  artifacts  ${changed.length === 0 ? "the same" : changed.map(artifactText).join(", ")}`,
  ];
  return lines.flatMap((line) => clean(line));
}

function sameOr(was: string, is: string): string {
  return was === is ? `the same, ${was}` : `then ${was}, now ${is}`;
}

function short(hash: string | null): string {
  return hash?.slice(0, 12) ?? "none";
}

function artifactText({ name, was, is }: Replay["artifacts"][number]): string {
  if (was === null) return `${name} is new`;
  return is === null ? `${name} is missing` : `${name} is not the same`;
}
