import { cpSync, mkdtempSync, realpathSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import { EXIT } from "../core/errors.ts";
import { ROLE_NAMES } from "../core/pipeline.ts";
import type { CommandContext } from "./command-context.ts";
import { invalid, loadNamed } from "./load-pipeline.ts";
import { startRun } from "./start-run.ts";
import { type UiFlags, uiOptions } from "./ui-flags.ts";

const TASK = "The tests are red: find out why, mend the code (not the test), and leave them green.";

/** Adds `ccp demo`. */
export function registerDemo(program: Command, context: CommandContext): void {
  const command = program
    .command("demo")
    .description(
      "a whole run on a small sample repository: no key, no network, $0; the model's answers come from a transcript",
    );
  uiOptions(command).action(async (flags: UiFlags) => {
    context.exit(await demo(flags, context));
  });
}

/** Everything but the model is real: the loop, the tools, git, the tests. */
async function demo(flags: UiFlags, context: CommandContext): Promise<number> {
  const { stdout, stderr } = context.surroundings;
  const sample = realpathSync(mkdtempSync(join(tmpdir(), "ccp-demo-")));
  const home = context.wiring();
  const templates = join(home.config.packageRoot, "templates", "demo");
  cpSync(join(templates, "project"), sample, { recursive: true });
  const wiring = home.at(sample);
  await wiring.createRepository(sample);
  stderr.write(
    `demo: answers from a transcript (the scripted provider), no key, no network, $0\nrepository: ${sample}\n`,
  );
  const model = `scripted/${join(templates, "transcript.yaml")}`;
  const loaded = await loadNamed("plan-build-test-review", wiring, {
    inputs: {},
    models: Object.fromEntries(ROLE_NAMES.map((role) => [role, [model]])),
    budget: {},
  });
  if (!loaded.ok) throw invalid(loaded.diagnostics);
  const { pipeline, inputs } = loaded;
  const base = await (await wiring.repository()).resolveBase("HEAD");
  const code = await startRun({ pipeline, inputs, task: TASK, base, parent: null, inherited: [] }, flags, wiring, {
    ...context,
    wiring: () => wiring,
  });
  if (code !== EXIT.ok || flags.json) return code;
  const patch = (await wiring.results()).read((await wiring.store()).runs()[0]?.rid ?? "", "Diff.patch");
  stdout.write(`\n${new TextDecoder().decode(patch ?? new Uint8Array())}\n`);
  stdout.write(
    `That was a real run: look around in it.\n  cd ${sample}\n  ccp view      ccp diff      ccp apply\nIn your own repository: ccp init\n`,
  );
  return code;
}
