import type { Command } from "commander";
import { CcpError, EXIT } from "../core/errors.ts";
import { formatModelRef } from "../core/model.ts";
import { readModelChoice } from "../core/model-choice.ts";
import type { Rerouted } from "../wire/wire.ts";
import { chosenModels } from "./chosen-models.ts";
import type { CommandContext } from "./command-context.ts";
import { multipleOf, reroutedLines } from "./rerouted-text.ts";
import { openRun } from "./select-run.ts";
import { writeJson } from "./write-json.ts";

/** Adds `ccp model`. */
export function registerModel(program: Command, context: CommandContext): void {
  program
    .command("model")
    .description("have other models asked from the next call on, while the run goes on or before it does")
    .argument("<rid>", "the run")
    .argument(
      "<role=model>",
      "e.g. doer=anthropic/claude-opus-5; several with commas between: the first that answers wins",
    )
    .option("--json", "as JSON")
    .action(async (given: string, text: string, flags: { readonly json?: boolean }) => {
      const { role, names } = readModelChoice(text);
      if (role === null) {
        const hint = `nothing was changed; write doer=${text}`;
        throw new CcpError("usage", EXIT.usage, `whose model is to be ${text}?`, { hint });
      }
      const { rid, wiring } = await openRun(given, context.wiring());
      const models = await chosenModels(names, wiring);
      const rerouted = await (await wiring.engine({})).reroute(rid, { role, models });
      const { stdout } = context.surroundings;
      if (flags.json) writeJson(stdout, { v: 1, rid, ...asJson(rerouted) });
      else stdout.write(`${reroutedLines(rerouted).join("\n")}\n`);
    });
}

function asJson({ how, role, before, after }: Rerouted) {
  const name = before && formatModelRef(before.ref);
  return {
    how,
    role,
    before: before && { name, contextWindow: before.contextWindow },
    after: after.map((model) => ({
      name: formatModelRef(model.ref),
      contextWindow: model.contextWindow,
      priceMultiple: multipleOf(model, before),
    })),
  };
}
