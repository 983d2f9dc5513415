import type { Command } from "commander";
import { CcpError, EXIT } from "../core/errors.ts";
import { policyProblems } from "../core/policy-words.ts";
import { savedNanos, stepsToDo } from "../core/reuse.ts";
import { openQuestion, type Run } from "../core/run.ts";
import type { Plan, ResumeChanges, Wiring } from "../wire/wire.ts";
import { collect } from "./collect.ts";
import type { CommandContext } from "./command-context.ts";
import { driveRun } from "./drive-run.ts";
import { editedPipeline } from "./edited-pipeline.ts";
import { newBudget } from "./new-budget.ts";
import { modelsFrom, type PipelineFlags } from "./pipeline-flags.ts";
import { preflightResume } from "./preflight.ts";
import { openRun } from "./select-run.ts";
import { type UiFlags, uiOptions } from "./ui-flags.ts";
import { refuseBudget } from "./under-policy.ts";
import { writeJson } from "./write-json.ts";

interface ResumeFlags extends UiFlags, Omit<PipelineFlags, "input"> {
  readonly plan?: boolean;
  readonly steal?: boolean;
  readonly allow?: boolean;
  readonly deny?: boolean;
}

/** Adds `ccp resume`. */
export function registerResume(program: Command, context: CommandContext): void {
  const command = program
    .command("resume")
    .description("go on with a run that failed, paused, crashed or ran out of budget, where it was")
    .argument("[rid]", "the run (default: the newest)")
    .option("--budget <usd>", "new ceiling in US dollars; +1.00 adds to the old one")
    .option("--tokens <n>", "new ceiling in tokens; +n adds")
    .option("--minutes <n>", "new ceiling of the run's time; +n adds")
    .option("--model <role=model>", "change a role's model from the next call on; may be repeated", collect)
    .option("-p, --pipeline <path|name>", "go on with an edited pipeline: steps that it leaves unchanged are reused")
    .option("--transcript <file>", "answers come from this transcript (the scripted provider), not from a model")
    .option("--plan", "say what would be reused and what done again, why, and what that saves; changes nothing")
    .option("--allow", "agree to the call that the run waits with")
    .option("--deny", "refuse it; the run goes on without it")
    .option("--steal", "stop the process that is running it, and go on from there");
  uiOptions(command).action(async (given: string | undefined, flags: ResumeFlags) => {
    const { rid, run, wiring } = await openRun(given, context.wiring());
    const edited = await editedPipeline(run, flags, wiring);
    if (flags.plan) return showPlan({ rid, edited, json: flags.json === true }, wiring, context);
    const routes = modelsFrom(flags, wiring.config.cwd);
    const changes = { budget: newBudget(run, flags), routes, pipeline: edited, ...decisionFrom(run, flags) };
    const policy = (await wiring.policies(run.created?.base.commit ?? null)).now();
    refuseBudget(changes.budget, policy);
    for (const problem of policyProblems(policy)) context.surroundings.stderr.write(`policy: ${problem}\n`);
    const engine = await wiring.engine({});
    const { pipeline } = edited ?? engine.pinnedPlan(rid);
    const toDo = edited ? stepsToDo(engine.reusePlan(rid, edited)) : [];
    if (!isFinal(run)) await preflightResume(run, { pipeline, toDo, routes, policy }, wiring);
    if (flags.steal) await engine.takeOver(rid);
    context.exit(await driveRun({ kind: "resume", rid, changes, pipeline, isShown: false }, flags, wiring, context));
  });
}

/** What `--allow` and `--deny` say. Throws where no call waits, or both are given. */
function decisionFrom(run: Run, { allow, deny }: ResumeFlags): Pick<ResumeChanges, "decision"> {
  if (!allow && !deny) return {};
  const hint = `nothing was changed; see how it stands: ccp view ${run.rid}`;
  if (allow && deny) throw new CcpError("usage", EXIT.usage, "--allow and --deny cannot both be meant", { hint });
  if (openQuestion(run) === null)
    throw new CcpError("no_question", EXIT.usage, `${run.rid} waits for nobody's consent`, { hint });
  return { decision: { effect: allow ? "allow" : "deny", scope: "call" } };
}

async function showPlan(
  asked: { readonly rid: string; readonly edited: Plan | null; readonly json: boolean },
  wiring: Wiring,
  { surroundings: { stdout } }: CommandContext,
): Promise<void> {
  const { rid, edited } = asked;
  const plan = (await wiring.engine({})).reusePlan(rid, edited);
  if (asked.json) return writeJson(stdout, { v: 1, rid, saved_nanos: savedNanos(plan), ...plan });
  stdout.write((await wiring.ui()).renderReusePlan(plan, { width: stdout.isTTY ? stdout.columns : undefined }));
}

/** Such a run is refused in better words than those of its missing keys. */
function isFinal(run: Run): boolean {
  return run.status === "succeeded" || run.status === "discarded";
}
