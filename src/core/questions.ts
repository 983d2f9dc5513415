import type { EventOf } from "./event.ts";
import { type Run, toolKey } from "./run.ts";
import { without } from "./without.ts";

/** A call waits for a person. */
export function asked(run: Run, event: EventOf<"permission.asked">): Run {
  return { ...run, questions: { ...run.questions, [toolKey(event)]: { asked: event, decision: null } } };
}

/** A person has decided; what is allowed for the run is allowed to whoever of the role makes the same call again. */
export function decided(run: Run, event: EventOf<"permission.decided">): Run {
  const question = run.questions[toolKey(event)];
  if (question === undefined) return run;
  const isForAll = event.effect === "allow" && event.scope === "run";
  return {
    ...run,
    questions: { ...run.questions, [toolKey(event)]: { ...question, decision: event.effect } },
    consents: isForAll ? [...run.consents, question.asked.digest] : run.consents,
  };
}

/** Without the question about a call that is over. */
export function withoutQuestion(questions: Run["questions"], key: string): Run["questions"] {
  return Object.hasOwn(questions, key) ? without(questions, key) : questions;
}

/** Without those of steps whose conversations are over: their calls are never made. */
export function withoutQuestionsOf(run: Run, steps: readonly string[]): Run {
  const kept = Object.entries(run.questions).filter(
    ([
      ,
      {
        asked: { stepId },
      },
    ]) => !steps.includes(stepId),
  );
  return kept.length === Object.keys(run.questions).length ? run : { ...run, questions: Object.fromEntries(kept) };
}
