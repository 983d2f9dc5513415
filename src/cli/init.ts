import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Command } from "commander";
import { CcpError, EXIT } from "../core/errors.ts";
import type { ProjectFacts } from "../core/ports.ts";
import type { CommandContext } from "./command-context.ts";
import { keyNames } from "./key-names.ts";

/** Adds `ccp init`. */
export function registerInit(program: Command, context: CommandContext): void {
  program
    .command("init")
    .description("write .ccp/pipelines/default.yaml for this repository; never overwrites")
    .action(async () => {
      const wiring = context.wiring();
      const repository = await wiring.repository();
      const target = join(repository.root, ".ccp", "pipelines", "default.yaml");
      if (existsSync(target))
        throw new CcpError("exists", EXIT.usage, `${target} is there already`, { hint: "check it: ccp validate" });
      const facts = await repository.project();
      const template = readFileSync(join(wiring.config.packageRoot, "templates", "pipeline.yaml"), "utf8");
      mkdirSync(dirname(target), { recursive: true });
      writeFileSync(target, fill(template, facts), { flag: "wx" });
      const keys = (await wiring.lanes()).filter((lane) => lane.credential !== null).map((lane) => lane.id);
      const { stdout } = context.surroundings;
      stdout.write(`wrote ${target}\n`);
      stdout.write(
        facts.testCommand
          ? `test command: ${facts.testCommand} (${facts.testCommandSource})\n`
          : "no test command was found: write it into the file where it says so\n",
      );
      stdout.write(
        keys.length > 0
          ? `models: ${keys.join(", ")}\n`
          : `no model access yet: set ${await keyNames(wiring)}, or name a local model in the file\n`,
      );
      stdout.write('  Next: git add .ccp && git commit   ccp plan   ccp run "what is to be done"\n');
    });
}

/** Markers of `templates/pipeline.yaml`; values become YAML strings, so that nothing in them is read as YAML. */
function fill(template: string, facts: ProjectFacts): string {
  return template
    .replaceAll("@@TEST@@", () => JSON.stringify(facts.testCommand ?? "echo 'write your test command here' && exit 1"))
    .replaceAll("@@COPY@@", () => JSON.stringify(facts.copy))
    .replaceAll("@@SETUP@@", () =>
      facts.setup === null ? "# setup: npm ci" : `setup: ${JSON.stringify(facts.setup)}`,
    );
}
