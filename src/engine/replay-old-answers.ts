import type { Means } from "../core/escalation-terms.ts";
import type { TreeHash } from "../core/event.ts";
import { canonicalJson } from "../core/json.ts";
import { formatModelRef, type ModelEvent, type ModelRequest } from "../core/model.ts";
import type { Pipeline } from "../core/pipeline.ts";
import type { Models, Tools, Workspace } from "../core/ports.ts";
import type { Executed, Execution, Executor, ToolExecution } from "./executor.ts";
import type { QuestionPlace, RecordedAnswers } from "./replay-answers.ts";
import { executedThen, leave, toolThen } from "./replay-follow.ts";
import { type RecordedCall, type RecordedPayloads, recordedBound, recordedEvents } from "./replay-models.ts";
import type { AnswersSoFar } from "./replay-so-far.ts";
import { sha256 } from "./run-log.ts";

/** There is no answer on record; the message says to what. */
export class Unanswered extends Error {}

/** What those who answer from the record work with. */
export interface Answering {
  readonly answers: RecordedAnswers;
  readonly payloads: RecordedPayloads;
  readonly so: AnswersSoFar;
}

/** Models that answer what was answered in a question's place, whatever the question is. */
export function answeringModels({ answers, payloads, so }: Answering, facts: Models["facts"]): Models {
  const bound = ({ asker }: Omit<ModelRequest, "maxTokens">) => {
    const { stepId, conversation, turn } = asker;
    const call = answers.call(so.nextPlace({ stepId, conversation, turn }));
    return call ? recordedBound(call.reserved) : 1;
  };
  return {
    facts,
    standing: () => null,
    inputBound: bound,
    tightInputBound: async (request) => bound(request),
    async *send(request, { callId }): AsyncGenerator<ModelEvent> {
      const place = so.placeOf(callId);
      const call = answers.call(place);
      if (!call) throw new Unanswered(unansweredQuestion(place));
      const what = differenceOf(request, call, place, { answers, payloads, so });
      so.asked(what === null ? null : { ...place, what });
      yield* recordedEvents(call, payloads);
    },
    recover: async () => ({ answer: null, text: "" }),
  };
}

/** What could be done when as much had been decided about the step, as far as this plan has the same stronger models. */
export function meansOfOld({ answers, so }: Answering, { steps, roles }: Pipeline, stepId: string): Means {
  const means = answers.means(so.names.nextDecision(stepId));
  const step = steps.find(({ id }) => id === stepId);
  const models = (step?.kind === "agent" && roles[step.role]?.escalation?.models) || [];
  const stronger = means.stronger && models[means.stronger.rung - 1] === means.stronger.model ? means.stronger : null;
  return { ...means, stronger };
}

function unansweredQuestion({ stepId, conversation, turn, attempt }: QuestionPlace): string {
  const again = attempt === 1 ? "" : `, attempt ${attempt}`;
  return `step "${stepId}" asks a model (try ${conversation}, turn ${turn}${again}), and there is no such answer on record`;
}

/** Null: it is the question that was asked. */
function differenceOf(
  request: ModelRequest,
  { reserved }: RecordedCall,
  { stepId, conversation }: QuestionPlace,
  { answers, so }: Answering,
): string | null {
  if (sha256(canonicalJson(request)) === reserved.request) return null;
  if (so.prompt(stepId, conversation) !== (answers.prompt(stepId, conversation)?.sha256 ?? null)) return "its prompt";
  if (formatModelRef(request.model) !== reserved.model) return `its model, then ${reserved.model}`;
  if (request.maxTokens !== reserved.maxTokens) return `how long its answer may be, then ${reserved.maxTokens} tokens`;
  return "what came before it in the conversation, or the tools";
}

/** Commands come out as the same command came out then; file tools are carried out. */
export function answeringExecutor({ answers, payloads, so }: Answering, tools: Tools): Executor {
  return {
    looksAhead: false,
    async command({ commandId, command }: Execution, workspace: Workspace): Promise<Executed> {
      const name = so.names.command(commandId);
      const [stepId, tree] = [so.names.stepOf(commandId), so.tree ?? ""];
      const who = stepId === null ? "the run" : `step "${stepId}"`;
      const finished = answers.command(name, command, tree);
      if (!finished) throw new Unanswered(unansweredCommand(who, command, answers.commandText(name)));
      await leaveAsThen({ ...finished, now: tree, what: `${who}: \`${command}\`` }, so, workspace);
      return executedThen(finished, payloads);
    },
    async tool({ stepId, toolCallId, ready, place, isBesideJobs }: ToolExecution) {
      if (ready.effect !== "execute" && !isBesideJobs) return tools.run(ready, place);
      const recorded = answers.tool(so.names.tool(stepId, toolCallId));
      const what = `step "${stepId}": \`${ready.subject}\``;
      if (!recorded) throw new Unanswered(`${what} has no outcome on record`);
      const { tree, finished } = recorded;
      await leaveAsThen({ tree, treeAfter: finished.treeAfter ?? tree, now: so.tree ?? "", what }, so, place.workspace);
      return toolThen(finished.status === "denied" ? "error" : finished.status, finished, payloads);
    },
    async checkEdit({ stepId, toolCallId, ready }) {
      const checked = answers.tool(so.names.tool(stepId, toolCallId))?.finished.checked;
      if (!checked)
        throw new Unanswered(`step "${stepId}": no check of \`${ready.tool} ${ready.subject}\` is on record`);
      return payloads.text(checked);
    },
  };
}

function unansweredCommand(who: string, command: string, before: string | undefined): string {
  const then = before === undefined || before === command ? "" : ` (then it was \`${before}\`)`;
  return `${who} runs \`${command}\`${then}, and no outcome of it is on record`;
}

interface Outcome {
  readonly tree: TreeHash | null;
  readonly treeAfter: TreeHash | null;
  /** The tree that it finds now. */
  readonly now: TreeHash;
  readonly what: string;
}

/** What a command changed then can only be changed again where it finds the same files. */
async function leaveAsThen(
  { tree, treeAfter, now, what }: Outcome,
  so: AnswersSoFar,
  workspace: Workspace,
): Promise<void> {
  const isElsewhere = tree !== now;
  if (treeAfter !== null && tree !== treeAfter) {
    if (isElsewhere)
      throw new Unanswered(`${what} changed files then, and finds other files now: what it would do is not on record`);
    await leave(tree, treeAfter, workspace);
  }
  so.ran(isElsewhere ? what : null);
}
