import type { Event, StepOutcome } from "../core/event.ts";
import type { FailureClass } from "../core/failure.ts";
import type { Json } from "../core/json.ts";
import { formatModelRef } from "../core/model.ts";
import type { AgentStep } from "../core/pipeline.ts";
import { serverRefusal } from "../core/policy-limits.ts";
import type { Assignment, StepJobs, StopWhy } from "../core/ports.ts";
import { redactJson } from "../core/redact.ts";
import { stepState } from "../core/run.ts";
import { NO_SERVERS, type ServerListing, type StepServers } from "../core/tool-servers.ts";
import { recordWithFiles } from "./artifact.ts";
import { assignmentOf } from "./assignment.ts";
import { candidatesNow } from "./candidates-now.ts";
import { workspaceOfRole } from "./confined.ts";
import { waitingFor } from "./consent.ts";
import { type Context, treeOf, workspaceOf } from "./context.ts";
import { decidedRoute } from "./decide-route.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { judgeFinish } from "./judge.ts";
import { bringBackOutputs } from "./keep-whole.ts";
import { policyOf } from "./policy.ts";
import { composePrompt, type Prompt } from "./prompt.ts";
import { changedByReader } from "./reader-tree.ts";
import { interrupted } from "./shell-step.ts";
import { openStepPort } from "./step-port.ts";
import { checkUntil } from "./until.ts";

/** Lets an agent work until its step has an outcome, or the drive is to stop. */
export async function performAgentStep(context: Context, step: AgentStep, conversation: number): Promise<void> {
  const servers = openServers(context, step, conversation);
  const jobs = workspaceOfRole(context, step).openJobs(jobsBegun(context, step, conversation));
  try {
    await converse(context, step, conversation, { servers, jobs });
  } finally {
    await Promise.all([servers.end(), jobs.end()]);
  }
}

/** What a conversation has running beside it. */
interface Companions {
  readonly servers: StepServers;
  readonly jobs: StepJobs;
}

async function converse(
  context: Context,
  step: AgentStep,
  conversation: number,
  { servers, jobs }: Companions,
): Promise<void> {
  const prompt = await begin(context, step, conversation, servers);
  const clock = step.timeoutMs === null ? null : context.deps.chance.alarm(step.timeoutMs);
  const signal = clock ? AbortSignal.any([clock, context.halt.signal]) : context.halt.signal;
  let assignment = assignmentOf(context, step, conversation, prompt.system);
  const endsAt = step.timeoutMs === null ? null : context.deps.chance.now() + step.timeoutMs;
  const port = openStepPort(context, step, { conversation, signal, endsAt, servers, jobs });
  for (;;) {
    const outcome = await context.deps.agent.run(assignment, port);
    const isOutOfTime = clock?.aborted && !context.halt.signal.aborted && outcome.type !== "finished";
    if (isOutOfTime || outcome.type !== "stopped") await endJobs(context, jobs);
    const changed = outcome.type === "stopped" ? null : await changedByReader(context, step);
    if (changed !== null) {
      finish(context, step, conversation, failed("tree-changed", changed));
      return;
    }
    if (isOutOfTime) {
      finish(context, step, conversation, failed("timeout", "the step ran out of time"));
      return;
    }
    if (outcome.type === "stopped") {
      const question = outcome.why === "consent" ? waitingFor(context, step) : null;
      stop(context, step, conversation, outcome.why, question ?? outcome.reason);
      return;
    }
    if (outcome.type === "failed") {
      finish(context, step, conversation, failed(outcome.class, outcome.reason));
      return;
    }
    const judged = await judgeFinish(context, step, outcome.value);
    const checked =
      judged.outcome.status === "succeeded"
        ? await checkUntil(context, step, conversation, judged.outcome)
        : judged.outcome;
    if (checked === "again") {
      assignment = withoutPassedOver(context, step, assignment);
      continue;
    }
    if (checked === "stopped") interrupted(context, step.id, conversation);
    else finish(context, step, conversation, checked, judged.artifacts);
    return;
  }
}

/** Jobs that a conversation had before it was interrupted: they are gone, and their names are taken. */
function jobsBegun({ log }: Context, step: AgentStep, conversation: number): number {
  const state = stepState(log.run, step.id);
  if (state.conversation !== conversation) return 0;
  const events = log.eventsAfter(state.conversationSeq);
  return events.filter((event) => event.type === "tool.finished" && event.stepId === step.id && event.job).length;
}

/** A step that was not finished has what is on record; what a job has changed since is taken back. */
async function endJobs(context: Context, jobs: StepJobs): Promise<void> {
  if (jobs.list().length === 0) return;
  await jobs.end();
  await workspaceOf(context).restore(treeOf(context));
}

/** The conversation goes on with the candidate that answered last: those before it on the route have failed in it. */
function withoutPassedOver(context: Context, step: AgentStep, assignment: Assignment): Assignment {
  const model = stepState(context.log.run, step.id).lastModel;
  const candidates = candidatesNow(context, step);
  const at = candidates.findIndex((candidate) => formatModelRef(candidate.ref) === model);
  return { ...assignment, candidates: candidates.slice(Math.max(0, at)) };
}

function openServers(context: Context, step: AgentStep, conversation: number): StepServers {
  const { pipeline, deps } = context;
  const policy = policyOf(context, step.id);
  const all = pipeline.roles[step.role]?.servers ?? [];
  const servers = all.filter((server) => serverRefusal(policy, server) === null);
  const refused = all.flatMap((server) => {
    const why = serverRefusal(policy, server);
    return why === null ? [] : [{ server: server.name, unavailable: `it is refused by ${why}` }];
  });
  if (servers.length === 0) return withRefused(NO_SERVERS, refused);
  const workspace = workspaceOfRole(context, step);
  const place = { stepId: step.id, conversation, workspace, variables: deps.variables };
  return withRefused(deps.servers.open(servers, place), refused);
}

/** Servers that are not started, beside those that are: a model is told why. A replay has them on record. */
function withRefused(servers: StepServers, refused: readonly ServerListing[]): StepServers {
  if (refused.length === 0) return servers;
  return {
    call: (call, signal) => servers.call(call, signal),
    end: () => servers.end(),
    async list(signal) {
      const listed = await servers.list(signal);
      return [...listed, ...refused.filter(({ server }) => !listed.some((one) => one.server === server))];
    },
  };
}

/** A conversation that was interrupted goes on with the words that it began with. */
async function begin(context: Context, step: AgentStep, conversation: number, servers: StepServers): Promise<Prompt> {
  const { log } = context;
  const state = stepState(log.run, step.id);
  const isOpen = state.status === "interrupted" && state.conversation === conversation && state.prompt !== null;
  if (isOpen) await bringBackOutputs(context, step.id);
  const listing = isOpen ? [] : redactJson(await servers.list(context.halt.signal), context.deps.secrets);
  const ref = isOpen && state.prompt ? state.prompt : log.json({ ...(await composePrompt(context, step, listing)) });
  // As it is on record, where it has no secret in it.
  const prompt = log.readJson<Prompt>(ref);
  const started: Event = {
    type: "step.started",
    stepId: step.id,
    conversation,
    tree: treeOf(context),
    prompt: ref,
    fingerprint: fingerprintOf(context.pipeline, step, log.run),
    ...(listing.length > 0 ? { servers: log.json(listing as Json) } : {}),
  };
  const decided = isOpen ? null : decidedRoute(context, step, conversation, prompt);
  log.record(started, ...(decided ? [decided] : []));
  return prompt;
}

function stop(context: Context, step: AgentStep, conversation: number, why: StopWhy, reason: string): void {
  context.halt.request(why, reason);
  interrupted(context, step.id, conversation);
}

/** The step's documents go on record with its end: a crash cannot part them. */
function finish(
  context: Context,
  step: AgentStep,
  conversation: number,
  outcome: StepOutcome,
  artifacts: readonly Event[] = [],
): void {
  const end: Event = { type: "step.finished", stepId: step.id, conversation, outcome, tree: treeOf(context) };
  recordWithFiles(context, ...artifacts, end);
}

function failed(failure: FailureClass, reason: string): StepOutcome {
  return { status: "failed", class: failure, reason, finish: null };
}
