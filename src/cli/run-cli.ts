import type { Command } from "commander";
import { CcpError, EXIT, messageOf } from "../core/errors.ts";
import { readConfig, type Surroundings } from "./config.ts";
import { formatError, jsonError } from "./output.ts";

export { processSurroundings } from "./config.ts";

/** argv → exit code. The one place where errors are caught and told. */
export async function runCli(surroundings: Surroundings): Promise<number> {
  const { argv, stdout, stderr } = surroundings;
  if (argv.length === 1 && (argv[0] === "--version" || argv[0] === "-V")) {
    stdout.write(`${readConfig(surroundings).version}\n`);
    return EXIT.ok;
  }
  const { buildProgram } = await import("./program.ts");
  const outcome = { exitCode: EXIT.ok as number };
  const program = buildProgram(surroundings, (code) => {
    outcome.exitCode = code;
  });
  try {
    await program.parseAsync([...argv], { from: "user" });
    return outcome.exitCode;
  } catch (thrown) {
    return tell(thrown, argv, stdout, stderr, surroundings.environment.CCP_DEBUG !== undefined, program);
  }
}

function tell(
  thrown: unknown,
  argv: readonly string[],
  stdout: Surroundings["stdout"],
  stderr: Surroundings["stderr"],
  debug: boolean,
  _program: Command,
): number {
  if (isCommanderExit(thrown)) return thrown.exitCode === 0 ? EXIT.ok : EXIT.usage;
  const error = thrown instanceof CcpError ? thrown : bug(thrown);
  if (argv.includes("--json")) stdout.write(`${JSON.stringify(jsonError(error))}\n`);
  stderr.write(formatError(error));
  if (debug && thrown instanceof Error) stderr.write(`${thrown.stack}\n`);
  return error.exitCode;
}

function bug(thrown: unknown): CcpError {
  return new CcpError("bug", EXIT.bug, `this should not have happened: ${messageOf(thrown)}`, {
    hint: "everything on record is whole; with CCP_DEBUG=1 the place is shown",
    cause: thrown,
  });
}

/** Commander has said what it had to say already. */
function isCommanderExit(thrown: unknown): thrown is { readonly exitCode: number } {
  return thrown instanceof Error && thrown.name === "CommanderError" && "exitCode" in thrown;
}
