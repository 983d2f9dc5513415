import type { Command } from "commander";
import { CcpError, EXIT } from "../core/errors.ts";
import { ROLE_NAMES, type RoleName } from "../core/pipeline.ts";
import { didYouMean } from "../core/suggest.ts";
import type { PlannedRoute, Wiring } from "../wire/wire.ts";
import type { CommandContext } from "./command-context.ts";
import { invalid, loadNamed } from "./load-pipeline.ts";
import { budgetFrom, inputsFrom, modelsFrom, type PipelineFlags, pipelineOptions } from "./pipeline-flags.ts";
import { routeLines } from "./route-text.ts";
import { sourceTexts } from "./source-text.ts";
import { writeJson } from "./write-json.ts";

interface RouteFlags extends PipelineFlags {
  readonly role?: string;
  readonly json?: boolean;
}

/** Adds `ccp route`. */
export function registerRoute(program: Command, context: CommandContext): void {
  const command = program
    .command("route")
    .description(
      "say whom each step would ask, and why: rules, estimates, prices, lanes, budget; asks and writes nothing",
    )
    .argument("[task...]", "what the run would be for; without it the prompts are without it, too");
  pipelineOptions(command)
    .option("--role <role>", "only the steps of this role")
    .option("--dry-run", "what it does anyway")
    .option("--json", "as JSON")
    .action(async (task: readonly string[], flags: RouteFlags) => {
      const wiring = context.wiring();
      const { stdout } = context.surroundings;
      const role = flags.role === undefined ? null : roleFrom(flags.role);
      const all = await planned(task.join(" "), flags, wiring);
      const routes = all.filter((route) => role === null || route.role === role);
      if (flags.json) return writeJson(stdout, { v: 1, steps: routes });
      const placed = await sourceTexts(wiring);
      const texts = routes.map((route) => routeLines(route, placed).join("\n"));
      stdout.write(`${texts.join("\n\n")}${texts.length > 0 ? "\n\n" : ""}${LEGEND}`);
    });
}

const LEGEND = `Estimates are of the first request, without what earlier steps hand over.
Nobody was asked and nothing was written.
`;

async function planned(task: string, flags: RouteFlags, wiring: Wiring): Promise<readonly PlannedRoute[]> {
  const loaded = await loadNamed(flags.pipeline ?? null, wiring, {
    // Who only wants to know need not give what only a command of the pipeline wants.
    inputs: flags.input === undefined ? null : inputsFrom(flags),
    models: modelsFrom(flags, wiring.config.cwd),
    budget: budgetFrom(flags),
  });
  if (!loaded.ok) throw invalid(loaded.diagnostics);
  const { pipeline, inputs } = loaded;
  const base = await (await wiring.repository()).resolveBase("HEAD");
  const { version: ccpVersion, resultsDir } = wiring.config;
  return wiring.plannedRoutes({ pipeline, inputs, task, base, resultsDir, ccpVersion, parent: null, inherited: [] });
}

function roleFrom(name: string): RoleName {
  const role = ROLE_NAMES.find((one) => one === name);
  if (role) return role;
  const near = didYouMean(name, ROLE_NAMES);
  throw new CcpError("usage", EXIT.usage, `there is no role "${name}"`, {
    hint: near ? `did you mean "${near}"?` : `roles: ${ROLE_NAMES.join(", ")}`,
  });
}
