import { type Means, NO_MEANS } from "../core/escalation-terms.ts";
import type { EventOf } from "../core/event.ts";
import type { RetryDecision } from "../core/failure.ts";
import { canonicalJson, type Json } from "../core/json.ts";
import type { Admission } from "../core/lane-health.ts";
import { type Asker, formatModelRef, type ModelEvent, type ModelRequest } from "../core/model.ts";
import { NO_POLICY, type PolicyInForce } from "../core/policy.ts";
import type {
  Agent,
  AgentOutcome,
  Assignment,
  CallIntent,
  FailedCall,
  IntendResult,
  Models,
  StepPort,
  ToolResult,
  Tools,
  Workspace,
} from "../core/ports.ts";
import type { Executed, Execution, Executor, ToolExecution } from "./executor.ts";
import type { PolicyWatch } from "./policy-watch.ts";
import { Astray, type Course } from "./replay-course.ts";
import {
  partialOf,
  type RecordedCall,
  type RecordedPayloads,
  recordedBound,
  recordedEnd,
  recordedEvents,
  STOPPED,
} from "./replay-models.ts";
import { begun, callName, conversationName, done } from "./replay-names.ts";
import type { ReplayLedger } from "./replay-world.ts";
import { sha256 } from "./run-log.ts";

/** What those who follow a run along its course work with. */
export interface Following {
  readonly course: Course;
  readonly payloads: RecordedPayloads;
}

/** Models that answer what they answered then, when it is their turn, and to no other question. */
export function followingModels({ course, payloads }: Following, facts: Models["facts"]): Models {
  const bound = ({ asker }: Omit<ModelRequest, "maxTokens">) => {
    const reserved = course.find(begun(course.names.nextCall(asker.stepId)));
    return reserved?.type === "call.reserved" ? recordedBound(reserved) : 1;
  };
  return {
    facts,
    standing: () => null,
    inputBound: bound,
    tightInputBound: async (request) => bound(request),
    async *send(request, { callId, signal }): AsyncGenerator<ModelEvent> {
      const call = recordedCall(course, callId);
      if (sha256(canonicalJson(request)) !== call?.reserved.request) {
        course.giveUp(new Astray(`${callName(callId)} asks another question`));
        course.mayRecord();
      }
      const { stepId, conversation } = request.asker;
      const isUnended = !call?.end && course.ranOutOfTime(stepId, conversation);
      const isItsTurn = isUnended
        ? await course.never(signal)
        : await course.turn(done(callName(callId)), { stepId, signal });
      if (isItsTurn && call?.end) yield* recordedEvents(call, payloads);
      else yield STOPPED;
    },
    async recover(_, callId) {
      const end = recordedCall(course, callId)?.end;
      const answer = end ? recordedEnd(end, payloads) : null;
      const partial = end ? partialOf(end) : null;
      return { answer: answer?.type === "answered" ? answer : null, text: partial ? payloads.text(partial) : "" };
    },
  };
}

function recordedCall(course: Course, callId: string): RecordedCall | null {
  const reserved = course.find(begun(callName(callId)));
  const end = course.find(done(callName(callId)));
  if (reserved?.type !== "call.reserved") return null;
  return { reserved, end: end?.type === "call.settled" || end?.type === "call.lost" ? end : null };
}

/** Commands come out as they came out then, and leave the files as they left them; file tools are carried out. */
export function followingExecutor({ course, payloads }: Following, tools: Tools): Executor {
  return {
    looksAhead: false,
    async command({ commandId, signal }: Execution, workspace: Workspace): Promise<Executed> {
      const name = done(course.names.command(commandId));
      if (!(await course.turn(name, { stepId: course.names.stepOf(commandId), signal }))) return ABORTED;
      const finished = course.find(name);
      if (finished?.type !== "command.finished") throw new Astray(`${name} is not on record`);
      await leave(finished.tree, finished.treeAfter, workspace);
      return executedThen(finished, payloads);
    },
    async tool({ stepId, toolCallId, ready, place, isBesideJobs }: ToolExecution) {
      const { workspace, signal } = place;
      const name = course.names.tool(stepId, toolCallId);
      if (ready.effect !== "execute" && !isBesideJobs) {
        const result = await tools.run(ready, place);
        await course.turn(done(name), { stepId, signal });
        return result;
      }
      if (!(await course.turn(done(name), { stepId, signal }))) return toolStopped;
      const [started, finished] = [course.find(begun(name)), course.find(done(name))];
      if (finished?.type !== "tool.finished" || finished.status === "denied")
        throw new Astray(`${name} has no outcome`);
      const before = started?.type === "tool.started" ? started.tree : null;
      if (finished.treeAfter !== null) await leave(before, finished.treeAfter, workspace);
      return toolThen(finished.status, finished, payloads);
    },
    async checkEdit({ stepId, toolCallId }) {
      const finished = course.find(done(course.names.tool(stepId, toolCallId)));
      return finished?.type === "tool.finished" && finished.checked ? payloads.text(finished.checked) : "";
    },
  };
}

const ABORTED: Executed = { exitCode: null, endedBy: "abort", durationMs: 0, stdout: "", output: "" };
const toolStopped = { status: "error", text: "", summary: "stopped", finish: null } as const;

/** What came of a tool call, all of it where that was kept. */
export function toolThen(
  status: ToolResult["status"],
  { summary, result, finish, seen, job, spilled }: EventOf<"tool.finished">,
  payloads: RecordedPayloads,
): ToolResult {
  const came = {
    status,
    summary,
    text: payloads.text(result),
    finish: finish === null ? null : payloads.json<Json>(finish),
  };
  const full = spilled ? { full: payloads.text(spilled.text) } : {};
  return { ...came, ...full, ...(seen ? { seen } : {}), ...(job ? { job } : {}) };
}

/** What a command wrote and how it ended. */
export function executedThen({ end }: EventOf<"command.finished">, payloads: RecordedPayloads): Executed {
  const { exitCode, endedBy, durationMs } = end;
  return { exitCode, endedBy, durationMs, stdout: payloads.text(end.stdout), output: payloads.text(end.output) };
}

/** Makes the files what something made of them. */
export async function leave(before: string | null, after: string, workspace: Workspace): Promise<void> {
  if (before === after) return;
  await workspace.adopt(after);
  await workspace.restore(after);
}

/** Policies that change where they changed then. What a drive begins under is on record with its beginning. */
export function followingPolicy({ course, payloads }: Following, signal: AbortSignal): PolicyWatch {
  return {
    now: () => NO_POLICY,
    async since(stepId) {
      const next = course.due(stepId);
      if (next?.event.type !== "policy.changed") return null;
      await course.turn(next.name, { stepId, signal });
      return payloads.json<PolicyInForce>(next.event.policy.rules);
    },
  };
}

/** The agent, stopped where it was stopped: by its own clock, by a ceiling, by what nobody but the run's end tells of. */
export function followingAgent({ course }: Following, agent: Agent, ledger: ReplayLedger): Agent {
  return {
    async run(assignment, port) {
      const { stepId, conversation } = assignment;
      const clock = new AbortController();
      if (course.ranOutOfTime(stepId, conversation)) {
        course.atTurn(done(conversationName(stepId, conversation)), () => clock.abort());
      }
      const outcome = await agent.run(
        assignment,
        followingPort(port, assignment, { course, ledger, clock: clock.signal }),
      );
      if (clock.signal.aborted && outcome.type !== "finished") return OUT_OF_TIME;
      return outcome.type === "stopped" && course.isThrough(stepId)
        ? await stopped(outcome, course, port.signal)
        : outcome;
    },
    async ask(assignment, question, port) {
      const { stepId } = assignment;
      const before = unreached(course, stepId);
      if (before) return before;
      const clock = new AbortController().signal;
      const outcome = await agent.ask(assignment, question, followingPort(port, assignment, { course, ledger, clock }));
      const after = outcome?.type === "stopped" ? unreached(course, stepId) : null;
      if (after) return after;
      return outcome?.type === "stopped" && course.isThrough(stepId)
        ? await stopped(outcome, course, port.signal)
        : outcome;
    },
  };
}

/** What could be done then: prices, ceilings and the clock of that day are not to be had any more. */
export function meansThen(course: Course, stepId: string): Means {
  const decided = course.find(course.names.nextDecision(stepId));
  return decided?.type === "escalation.decided" ? decided.means : NO_MEANS;
}

/** A diagnosis for which nobody could be asked then, or nobody after those who failed: its end comes next on record. */
function unreached(course: Course, stepId: string): AgentOutcome | null {
  const due = course.due(stepId)?.event;
  return due?.type === "step.diagnosed" ? { type: "stopped", why: "unavailable", reason: due.reason ?? "" } : null;
}

const OUT_OF_TIME: AgentOutcome = { type: "failed", class: "timeout", reason: "the step ran out of time" };

/** Whoever is through waits for the others: where one stops, all do. */
async function stopped(outcome: AgentOutcome, course: Course, signal: AbortSignal): Promise<AgentOutcome> {
  await course.end(signal);
  const standstill = course.standstill();
  if (!standstill) return outcome;
  return { type: "stopped", why: standstill.kind, reason: standstill.end.reason ?? "" };
}

/** As if it would never be well again. */
const PASSED_OVER: Admission = { type: "rest", untilAt: Number.MAX_SAFE_INTEGER, why: "server", reason: "then" };

function followingPort(
  port: StepPort,
  { stepId, candidates }: Assignment,
  { course, ledger, clock }: { readonly course: Course; readonly ledger: ReplayLedger; readonly clock: AbortSignal },
): StepPort {
  let route = candidates;
  return {
    ...port,
    signal: AbortSignal.any([port.signal, clock]),
    stopRequested() {
      const why = port.stopRequested();
      if (why !== null) return why;
      return clock.aborted || course.isThrough(stepId) ? "aborted" : null;
    },
    async rerouted() {
      // What others were told by now has to be known before it is said whom to ask.
      if (unreached(course, stepId)) return null;
      const due = course.due(stepId);
      const name = due?.event.type === "route.changed" ? due.name : begun(course.names.nextCall(stepId));
      if (!course.isThrough(stepId)) await course.turn(name, { stepId, signal: port.signal });
      const others = await port.rerouted();
      route = others ?? route;
      return others;
    },
    async candidatesBeside(request, maxOutputTokens) {
      const others = await port.candidatesBeside(request, maxOutputTokens);
      route = [...route, ...(others ?? [])];
      return others;
    },
    /** By what is on record: whether the same question was asked again, and of whom. */
    afterFailure(failed: FailedCall, asker: Asker): RetryDecision {
      const name = begun(course.names.nextCall(stepId));
      const call = course.isOfThisDrive(name) ? course.find(name) : undefined;
      const then = call?.type === "call.reserved" ? call : null;
      return decidedThen(then, failed, asker) ?? port.afterFailure(failed, asker);
    },
    admit(wanted: CallIntent, except: readonly string[] = []): Admission {
      if (unreached(course, stepId)) return PASSED_OVER;
      const call = course.find(begun(course.names.nextCall(stepId)));
      const then = call?.type === "call.reserved" ? call : null;
      const isThisOne = then?.model === formatModelRef(wanted.model.ref);
      const credential = (isThisOne && then?.credential) || null;
      if (except.length > 0) return credential === null ? { type: "none" } : { type: "go", credential };
      // Whoever was passed over then is passed over now. Where the next call is on record of none, it shows itself elsewhere.
      const isOfAnother = route.some(({ ref }) => formatModelRef(ref) === then?.model);
      return isThisOne || !isOfAnother ? { type: "go", credential } : PASSED_OVER;
    },
    lastResort: () => false,
    async intend(intent: CallIntent): Promise<IntendResult> {
      const name = begun(course.names.nextCall(stepId));
      if (course.isThrough(stepId)) return { type: "refused", why: "budget", reason: "the run had stood still here" };
      await course.turn(name, { stepId, signal: port.signal });
      const call = course.find(name);
      ledger.narrow(call?.type === "call.reserved" && call.shrunk ? call.heldTokens : null);
      return port.intend(intent);
    },
  };
}

/**
 * What had been decided about a failed attempt, by the call that came next; `next` is null where none did. Null: it asks
 * somebody who is not ahead. What the rules say by now is not looked at: they, the clock and chance were others then.
 */
export function decidedThen(
  next: EventOf<"call.reserved"> | null,
  failed: FailedCall,
  asker: Asker,
): RetryDecision | null {
  if (next === null || !isSameQuestion(next, asker)) return { type: "give-up" };
  if (next.model === formatModelRef(failed.candidate.ref)) return { type: "retry", waitMs: 0 };
  const index = failed.ahead.findIndex(({ ref }) => formatModelRef(ref) === next.model);
  return index < 0 ? null : { type: "next-candidate", index };
}

function isSameQuestion({ conversation, turn, purpose }: EventOf<"call.reserved">, asker: Asker): boolean {
  return conversation === asker.conversation && turn === asker.turn && purpose === asker.purpose;
}
