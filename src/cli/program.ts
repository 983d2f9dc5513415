import { Command } from "commander";
import { type Closable, wire } from "../wire/wire.ts";
import type { CommandContext } from "./command-context.ts";
import { COMMANDS } from "./commands.ts";
import { readConfig, type Surroundings } from "./config.ts";
import { systemChance } from "./system-chance.ts";

const EXIT_CODES = `
Exit codes: 0 done and approved · 1 failed · 2 nothing was started · 3 waiting for a person · 4 credentials
  5 budget · 6 providers unavailable · 7 owned by another process · 9 disk · 70 a bug in ccp · 130/143 interrupted`;

/** `opened`: gathers what the commands open and the caller has to close. */
export function buildProgram(
  surroundings: Surroundings,
  told: Pick<CommandContext, "exit" | "driven">,
  opened: Closable[] = [],
): Command {
  const wiring: CommandContext["wiring"] = (flags) => wire(readConfig(surroundings, flags), systemChance, opened);
  const context: CommandContext = { surroundings, wiring, ...told };
  const program = new Command("ccp")
    .description(
      "Runs pipelines of coding agents in a git repository: planned, tested, reviewed, on record, within budget.",
    )
    .version(readConfig(surroundings).version, "-V, --version")
    .addHelpText("after", EXIT_CODES)
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => surroundings.stdout.write(text),
      writeErr: (text) => surroundings.stderr.write(text),
      // Thrown as well, and told with all other errors.
      outputError: () => undefined,
    });
  for (const register of COMMANDS) register(program, context);
  for (const command of program.commands) command.copyInheritedSettings(program);
  return program;
}
