import { type ContextState, contextAfter, EMPTY_CONTEXT } from "../core/context-view.ts";
import type { Utterance } from "../core/conversation.ts";
import { afterFailedAttempt } from "../core/failure.ts";
import type { ModelFacts } from "../core/model.ts";
import type { AgentStep } from "../core/pipeline.ts";
import { modelRefusal } from "../core/policy-limits.ts";
import type { CallIntent, StepPort, StopWhy } from "../core/ports.ts";
import { stepState, timeLeft } from "../core/run.ts";
import { type SeenFiles, withSeen } from "../core/seen.ts";
import { openAdmissions, rememberedBound } from "./admit.ts";
import { closeCall, loseReserved, settleReserved } from "./calls.ts";
import { candidatesBeside, candidatesNow, routeNow } from "./candidates-now.ts";
import { waitingFor } from "./consent.ts";
import { type Context, callBook, workspaceOf } from "./context.ts";
import { shortenedEvent } from "./context-events.ts";
import { type AskedInput, boundOf, type CountedInput, learn } from "./input-bound.ts";
import { intend } from "./intend.ts";
import { lookAtPolicy, policyOf } from "./policy.ts";
import { quotaSpent } from "./quota.ts";
import { takeRequests } from "./take-requests.ts";
import { type Conversing, useTools } from "./use-tools.ts";
import { utteranceOf, utterancesOf } from "./utterances.ts";

/** Opens one conversation to the agent: everything that it says or does becomes a fact here before anything depends on it. */
export function openStepPort(context: Context, step: AgentStep, conversing: Conversing): StepPort {
  const { conversation, signal, endsAt } = conversing;
  const { log, deps, halt } = context;
  const book = callBook(context);
  const begunAt = stepState(log.run, step.id).conversationSeq - 1;
  const known: Utterance[] = [...utterancesOf(log.eventsAfter(begunAt), step.id, conversation, log)];
  let readTo = log.run.seq;
  const asked = new Map<string, AskedInput>();
  let route = routeNow(context, step).join("\n");
  let counted: CountedInput | null = null;
  const inputOf = rememberedBound(deps.models.inputBound);
  const admissions = openAdmissions(context, step.id, begunAt);
  // What was counted before is the beginning of the talk, and of no other question.
  const boundFor = ({ request, model }: CallIntent) => {
    const isAside = request.asker.purpose !== undefined;
    return boundOf(inputOf({ model, request }), isAside ? null : counted, deps.userLedger);
  };

  const utterances = () => {
    for (const event of log.eventsAfter(readTo)) known.push(...utteranceOf(event, step.id, log));
    readTo = log.run.seq;
    return known;
  };
  const advised = () => new Set(Object.keys(utterances().reduce(contextOf, EMPTY_CONTEXT).advised));
  const seen = () => utterances().reduce<SeenFiles>(seenAfter, {});
  const hasJobs = () => utterances().some((utterance) => utterance.type === "tool" && utterance.job !== undefined);

  return {
    models: deps.models,
    tools: deps.tools,
    workspace: workspaceOf(context),
    chance: deps.chance,
    signal,
    stopRequested: () => halt.reason?.why ?? stopOf(context, step, signal),
    utterances,
    async heedPolicies() {
      await lookAtPolicy(context, step.id);
    },
    refusalOf({ ref }) {
      const { reason } = halt;
      return reason?.why === "policy" ? reason.reason : modelRefusal(policyOf(context, step.id), ref);
    },
    async closeOpenCall() {
      const open = Object.values(log.run.openCalls).find((call) => call.stepId === step.id);
      if (open) await closeCall(book, open.callId, open.facts && log.readJson<ModelFacts>(open.facts), deps.models);
    },
    lastResort: admissions.lastResort,
    async rerouted() {
      takeRequests(context, step);
      const now = routeNow(context, step).join("\n");
      if (now === route) return null;
      route = now;
      return candidatesNow(context, step);
    },
    candidatesBeside: async (request, maxOutputTokens) => candidatesBeside(context, step, request, maxOutputTokens),
    admit(wanted, except = []) {
      const bound = boundFor(wanted);
      return quotaSpent(deps, wanted.model, bound) ?? admissions.admit(wanted, bound, except);
    },
    async intend(intent) {
      const result = await intend(context, step, intent, boundFor(intent));
      const isAside = intent.request.asker.purpose !== undefined;
      if (result.type === "held" && !isAside) asked.set(result.callId, inputOf(intent));
      if (result.type !== "held") admissions.withdraw();
      return result;
    },
    settle(callId, end, model, text) {
      settleReserved(book, callId, end, model, text);
      counted = learn(asked.get(callId), end, deps.userLedger) ?? counted;
      asked.delete(callId);
    },
    lose: (callId, reason, text) => loseReserved(book, callId, reason, text),
    afterFailure: (failed) =>
      afterFailedAttempt({ ...failed, msLeft: msLeft(context, endsAt), random: deps.chance.random() }),
    say: (why, text) => log.record({ type: "message.added", stepId: step.id, why, text: log.text(text) }),
    shorten(change, tokens) {
      log.record(shortenedEvent(context, step.id, change, tokens));
      counted = null;
    },
    useTools: (uses) => useTools(context, step, uses, { ...conversing, seen, advised, hasJobs }),
    tell: deps.tell,
  };
}

/** Until the step's own time is used up, or the run's; null: neither has an end. */
function msLeft({ log, deps }: Context, endsAt: number | null): number | null {
  const now = deps.chance.now();
  const left = [endsAt === null ? null : endsAt - now, timeLeft(log.run, now)].filter((ms) => ms !== null);
  return left.length === 0 ? null : Math.min(...left);
}

function contextOf(context: ContextState, utterance: Utterance): ContextState {
  return contextAfter(context, utterance, 0);
}

/** A call that waits for consent is not made, and nothing after it. */
function stopOf(context: Context, step: AgentStep, signal: AbortSignal): StopWhy | null {
  if (signal.aborted) return "aborted";
  return waitingFor(context, step) === null ? null : "consent";
}

function seenAfter(seen: SeenFiles, utterance: Utterance): SeenFiles {
  return utterance.type === "tool" ? withSeen(seen, utterance.seen) : seen;
}
