import { CcpError, EXIT, messageOf } from "../core/errors.ts";
import type { Run } from "../core/run.ts";
import type { Closable } from "../wire/wire.ts";
import { readConfig, type Surroundings } from "./config.ts";
import { formatError, jsonError, resultOfError } from "./error-output.ts";

export { processSurroundings } from "./config.ts";

/** argv → exit code. The one place where errors are caught and told. */
export async function runCli(surroundings: Surroundings): Promise<number> {
  const { argv, stdout } = surroundings;
  if (argv.length === 1 && (argv[0] === "--version" || argv[0] === "-V")) {
    stdout.write(`${readConfig(surroundings).version}\n`);
    return EXIT.ok;
  }
  const { buildProgram } = await import("./program.ts");
  const outcome: Outcome = { exitCode: EXIT.ok, run: null };
  const opened: Closable[] = [];
  const told = {
    exit: (code: number) => {
      outcome.exitCode = code;
    },
    driven: (run: Run) => {
      outcome.run = run;
    },
  };
  const program = buildProgram(surroundings, told, opened);
  try {
    await program.parseAsync([...argv], { from: "user" });
    return outcome.exitCode;
  } catch (thrown) {
    return tell(thrown, outcome, surroundings);
  } finally {
    for (const one of opened) one.close();
  }
}

interface Outcome {
  exitCode: number;
  /** The run that was being driven, as it was last heard of; null: none. */
  run: Run | null;
}

/** Commands whose `--json` is a stream that ends with exactly one `result`, whatever happens. */
const STREAMING = ["run", "resume", "rerun", "fork", "demo"];

function tell(thrown: unknown, { run }: Outcome, { argv, environment, stdout, stderr }: Surroundings): number {
  if (isHelp(thrown)) return thrown.exitCode === 0 ? EXIT.ok : EXIT.usage;
  const error = withSafety(errorOf(thrown, argv), argv, run);
  const flags = argv.slice(0, argv.includes("--") ? argv.indexOf("--") : undefined);
  if (flags.includes("--json")) {
    const json = STREAMING.includes(argv[0] ?? "") ? resultOfError(error, run) : jsonError(error);
    stdout.write(`${JSON.stringify(json)}\n`);
  }
  stderr.write(formatError(error, run));
  if (environment.CCP_DEBUG !== undefined && thrown instanceof Error) stderr.write(`${thrown.stack}\n`);
  return error.exitCode;
}

function errorOf(thrown: unknown, argv: readonly string[]): CcpError {
  if (thrown instanceof CcpError) return thrown;
  if (isCommanders(thrown)) return usageError(thrown.message, argv);
  return new CcpError("bug", EXIT.bug, `this should not have happened: ${messageOf(thrown)}`, {
    hint: "everything on record is whole; with CCP_DEBUG=1 the place is shown",
    cause: thrown,
  });
}

/** Until a run is heard of, nothing of it is there: that is said wherever an error does not say it itself. */
function withSafety(error: CcpError, argv: readonly string[], run: Run | null): CcpError {
  const { code, exitCode, message, hint, cause } = error;
  if (run !== null || !STREAMING.includes(argv[0] ?? "") || /nothing was (started|changed)/i.test(`${message} ${hint}`))
    return error;
  const safe = hint === null ? "nothing was started" : `nothing was started; ${hint}`;
  return new CcpError(code, exitCode, message, { hint: safe, cause });
}

/** `error: unknown option '--budgt'\n(Did you mean --budget?)`, in our words. */
function usageError(message: string, argv: readonly string[]): CcpError {
  const [, said = message, near] = /^(?:error: )?(.*?)(?:\n\(Did you mean (.*)\?\))?$/s.exec(message) ?? [];
  const command = /^unknown command/.test(said) || argv[0]?.startsWith("-") ? "" : ` ${argv[0] ?? ""}`;
  const guess = near === undefined ? "" : `did you mean ${near}? `;
  return new CcpError("usage", EXIT.usage, said, { hint: `nothing was started; ${guess}see ccp${command} --help` });
}

interface CommandersError extends Error {
  readonly code: string;
  readonly exitCode: number;
}

function isCommanders(thrown: unknown): thrown is CommandersError {
  return thrown instanceof Error && thrown.name === "CommanderError" && "exitCode" in thrown && "code" in thrown;
}

/** Help and version have been shown already. */
function isHelp(thrown: unknown): thrown is CommandersError {
  return isCommanders(thrown) && /^commander\.(help|helpDisplayed|version)$/.test(thrown.code);
}
