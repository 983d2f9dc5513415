import { CcpError } from "../core/errors.ts";
import { readModelChoice } from "../core/model-choice.ts";
import type { Pipeline, RoleName } from "../core/pipeline.ts";
import { type Run, stepState } from "../core/run.ts";
import type { Engine, Wiring } from "../wire/wire.ts";
import { chosenModels } from "./chosen-models.ts";
import { reroutedLines } from "./rerouted-text.ts";

/** What the words of a person at the terminal of a run are about. */
export interface TypedAt {
  readonly engine: Pick<Engine, "reroute">;
  readonly pipeline: Pipeline;
  readonly wiring: Wiring;
  /** Null: nothing of it is on record yet. */
  readonly run: () => Run | null;
}

const WHAT_THERE_IS = "there is: /model name   /model role=name[,name…]";

/** What comes of a line that a person has typed, in lines for that person; empty: nothing was said. */
export async function answerTyped(line: string, at: TypedAt): Promise<readonly string[]> {
  const [, word = "", rest = ""] = /^\s*(\S*)\s*(.*?)\s*$/s.exec(line) ?? [];
  if (word === "") return [];
  if (word !== "/model")
    return [`${word.startsWith("/") ? `there is no ${word}` : "a word begins with /"}; ${WHAT_THERE_IS}`];
  try {
    return await changeModel(rest, at);
  } catch (thrown) {
    if (!(thrown instanceof CcpError)) throw thrown;
    return [thrown.message, ...(thrown.hint === null ? [] : [thrown.hint])];
  }
}

async function changeModel(text: string, { engine, pipeline, wiring, run }: TypedAt): Promise<readonly string[]> {
  const now = run();
  if (now === null) return ["the run has not begun yet; try again in a moment"];
  const choice = readModelChoice(text);
  const working = choice.role === null ? rolesAtWork(pipeline, now) : [choice.role];
  const [role] = working;
  if (role === undefined) return [`no step asks a model now; say whose: /model doer=${text}`];
  if (working.length > 1) return [`${working.join(" and ")} are at work; say whose: /model ${role}=${text}`];
  const models = await chosenModels(choice.names, wiring);
  return reroutedLines(await engine.reroute(now.rid, { role, models }));
}

function rolesAtWork({ steps }: Pipeline, run: Run): readonly RoleName[] {
  const roles = steps.flatMap((step) => {
    return step.kind === "agent" && stepState(run, step.id).status === "running" ? [step.role] : [];
  });
  return [...new Set(roles)];
}
