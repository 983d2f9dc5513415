import { EXIT } from "../core/errors.ts";
import type { Run } from "../core/run.ts";
import type { Decision, Engine, Ui } from "../wire/wire.ts";
import type { CommandContext } from "./command-context.ts";

/** Lines of a call that are shown; who wants more reads the transcript. */
const MOST_LINES = 40;
const ANSWERS: Readonly<Record<string, Decision>> = {
  y: { effect: "allow", scope: "call" },
  yes: { effect: "allow", scope: "call" },
  n: { effect: "deny", scope: "call" },
  no: { effect: "deny", scope: "call" },
  a: { effect: "allow", scope: "run" },
  always: { effect: "allow", scope: "run" },
};

/** Asks the person at the terminal about the call that waits for consent. Null: none waits, or there was no answer. */
export async function askForConsent(
  run: Run,
  engine: Engine,
  { manyLines }: Pick<Ui, "manyLines">,
  { surroundings }: CommandContext,
): Promise<Decision | null> {
  if (run.status !== "paused" || run.end?.exitCode !== EXIT.waiting) return null;
  const question = engine.question(run.rid);
  if (question === null) return null;
  const lines = manyLines(question.call);
  const shown = lines.slice(0, MOST_LINES).map((line) => `    ${line}`);
  const rest =
    lines.length > MOST_LINES
      ? [`    … ${lines.length - MOST_LINES} more lines: ccp view ${run.rid} --step ${question.stepId}`]
      : [];
  const head = `step "${question.stepId}" wants to use ${question.tool}:`;
  const why = manyLines(question.reason).join(" ");
  const text = [head, ...shown, ...rest, why, "Allow it? [y]es, [n]o, [a]lways in this run: "].join("\n");
  const answer = await surroundings.ask(text);
  return ANSWERS[(answer ?? "").trim().toLowerCase()] ?? null;
}
