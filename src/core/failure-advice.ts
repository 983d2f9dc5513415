import type { EventOf } from "./event.ts";
import type { FailureClass } from "./failure.ts";

const ANOTHER_MODEL = "go on with another model (`--model ROLE=PROVIDER/MODEL`)";

/** What helps against each way to fail, in words for a person. */
const ADVICE: Readonly<Record<FailureClass, string>> = {
  rate: "wait for the provider's limit to pass, or give the role a second model to turn to",
  quota: "the account with the provider is used up: top it up, or give the role another provider",
  overloaded: "wait, or give the role a second model to turn to",
  server: "wait, or give the role a second model to turn to",
  timeout: "raise the step's `timeout`, or split the task",
  network: "look at the connection, then go on",
  overflow: "it does not fit the model's window: take a model with a larger one, or split the task",
  "context-exhausted": "the task is too large for the model's window: split it, or take a model with a larger one",
  auth: "look at the key (`ccp doctor`)",
  invalid: "the provider refuses the request: look at the model's name and options (`ccp ping`)",
  refusal: "the model refuses the task: word it in another way, or take another model",
  "check-failed": "read what the check said last, then mend it or go on with a stronger model",
  "no-change": "say in the task what is to be changed: perhaps it is done already",
  loop: `read where it went in circles, then ${ANOTHER_MODEL}, or split the task`,
  malformed: `the model cannot use the tools well enough: ${ANOTHER_MODEL}; one that writes its calls as text needs \`text_calls\` in providers.yaml`,
  denied:
    "read what it asked for, then allow that in the role's `permissions`, or tell it in the step's `prompt` how to do without",
  stalled: "the provider falls silent in the middle of its answers: wait, or give the role another one",
  incomplete: `read where it stopped, then ${ANOTHER_MODEL}, or say in the step's \`prompt\` what belongs to the work`,
  "max-turns": "raise the role's `max_turns`, or split the task",
  empty: `the model answers nothing: ${ANOTHER_MODEL}, or look at the provider (\`ccp ping\`)`,
  blocked: "give it what it lacks, or change the task",
  rejected: "read the review, then go on, or start from this tree with what it found (`ccp run --on`)",
  stale: "the files changed under the review: go on, and it is done again",
  "tree-changed": "see who else works in the worktree, then go on",
};

/**
 * What a person can do once nothing is left that ccp may try with a step: the nearest thing first. `decided`: the decision
 * that there is nothing. Sentences without a full stop.
 */
export function afterExhaustion(
  rid: string,
  { stepId, role, means }: EventOf<"escalation.decided">,
): readonly string[] {
  const { stronger } = means;
  return [
    `read what was tried and why it failed: \`ccp view ${rid} --step ${stepId}\``,
    stronger === null
      ? `name a stronger model: \`ccp resume ${rid} --model ${role}=PROVIDER/MODEL\`, or \`escalation.models\` of the ${role} in the pipeline`
      : `let ${stronger.model} try: \`ccp resume ${rid} --model ${role}=${stronger.model}\``,
    `mend it by hand in the worktree, or give it what it lacks, then \`ccp resume ${rid}\``,
    `split the task, or word it anew: \`ccp run --on ${rid} "…"\``,
  ];
}

/** What a person can do about a step that failed like this. A sentence without a full stop. */
export function adviceOn(failure: FailureClass): string {
  return ADVICE[failure];
}
