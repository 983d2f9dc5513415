import type { BlobRef } from "../core/event.ts";
import type { ModelRef, ModelRequest, Part } from "../core/model.ts";
import type { AgentStep } from "../core/pipeline.ts";
import type { AgentOutcome, Assignment } from "../core/ports.ts";
import { stepState } from "../core/run.ts";
import { NO_SERVERS } from "../core/tool-servers.ts";
import { assignmentOf } from "./assignment.ts";
import { candidatesNow } from "./candidates-now.ts";
import { workspaceOfRole } from "./confined.ts";
import type { Context } from "./context.ts";
import { composeDiagnosis } from "./prompt.ts";
import { openStepPort } from "./step-port.ts";

/** Of a diagnosis, in tokens: what is asked for, and what there has to be room for. Models that think do it within the same ceiling. */
export const DIAGNOSIS_TOKENS = { most: 8_192, least: 2_048 } as const;
/** Of the advice that is handed on, in characters. */
const LONGEST_ADVICE = 12_000;

/** The question that a reviewer's model is asked about a step. */
export interface Diagnosis {
  /** The step, as if the reviewer did it: the call is the reviewer's to pay, and the step's. */
  readonly asked: AgentStep;
  readonly assignment: Assignment;
  readonly text: string;
  request(model: ModelRef): Omit<ModelRequest, "maxTokens">;
}

/** Null: the pipeline has no words for it, or it was begun by an older ccp. */
export async function diagnosisOf(context: Context, step: AgentStep): Promise<Diagnosis | null> {
  const prompt = await composeDiagnosis(context, step);
  if (prompt === null) return null;
  const asked: AgentStep = { ...step, role: "reviewer" };
  const { conversation } = stepState(context.log.run, step.id);
  return {
    asked,
    assignment: assignmentOf(context, asked, conversation, prompt.system),
    text: prompt.user,
    request: (model) => ({
      model,
      system: prompt.system,
      messages: [{ role: "user", text: prompt.user }],
      tools: [],
      asker: { role: "reviewer", stepId: step.id, conversation, turn: 0, purpose: "diagnose" },
    }),
  };
}

/**
 * Asks a reviewer's model, once, and puts on record what it advises. A diagnosis that fails is no failure of the run: the
 * next try does without. Stopped meanwhile, nothing is on record, and the question is asked when the run goes on.
 */
export async function diagnose(context: Context, step: AgentStep): Promise<void> {
  const { log, halt } = context;
  const question = await diagnosisOf(context, step);
  if (!question)
    return conclude(context, step, { advice: null, model: null, reason: "the pipeline has no words for it" });
  const { conversation } = question.assignment;
  const jobs = workspaceOfRole(context, step).openJobs(0);
  const port = openStepPort(context, question.asked, {
    conversation,
    signal: halt.signal,
    endsAt: null,
    servers: NO_SERVERS,
    jobs,
  });
  try {
    await port.closeOpenCall();
    const known = answerOnRecord(context, step);
    if (known) return conclude(context, step, known);
    const wanted = { purpose: "diagnose", text: question.text, maxOutputTokens: DIAGNOSIS_TOKENS.most } as const;
    const ask = () => {
      const candidates = candidatesNow(context, question.asked);
      return context.deps.agent.ask({ ...question.assignment, candidates }, wanted, port);
    };
    let outcome = await ask();
    // Nothing on record and nothing wrong: a person wants others to be asked than a moment ago.
    while (outcome === null && answerOnRecord(context, step) === null) outcome = await ask();
    if (outcome !== null && mustStop(context, outcome)) return;
    const reason = outcome === null || outcome.type === "finished" ? "it gave no answer" : outcome.reason;
    conclude(context, step, answerOnRecord(context, step) ?? { advice: null, model: null, reason });
  } finally {
    await jobs.end();
    log.wake();
  }
}

/** A person has stopped the run, or wants to be asked. */
function mustStop({ halt }: Context, outcome: AgentOutcome): boolean {
  if (outcome.type !== "stopped") return false;
  if (outcome.why === "lost") halt.request("lost", outcome.reason);
  return halt.reason !== null;
}

interface Advice {
  readonly advice: BlobRef | null;
  readonly model: string | null;
  readonly reason: string | null;
}

/** What was answered since the try that it is about; null: nothing. */
function answerOnRecord({ log }: Context, step: AgentStep): Advice | null {
  const answer = log
    .eventsAfter(stepState(log.run, step.id).conversationSeq)
    .findLast((event) => event.type === "call.settled" && event.stepId === step.id && event.purpose === "diagnose");
  if (answer?.type !== "call.settled" || answer.result.type !== "answered") return null;
  const parts = log.readJson<readonly Part[]>(answer.result.parts);
  const text = parts
    .flatMap((part) => (part.kind === "text" ? [part.text.trim()] : []))
    .join("\n")
    .trim();
  if (text === "") return { advice: null, model: answer.model, reason: "its answer was empty" };
  return { advice: log.text(text.slice(0, LONGEST_ADVICE)), model: answer.model, reason: null };
}

function conclude({ log }: Context, step: AgentStep, advice: Advice): void {
  const { conversation } = stepState(log.run, step.id);
  log.record({ type: "step.diagnosed", stepId: step.id, conversation, ...advice });
}
