import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { runCli } from "../../src/cli/run-cli.ts";
import { tempDir } from "./temp.ts";

/** The project's own folder. */
export const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** What users get. */
export const BINARY = join(ROOT, "dist", "main.js");

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly cwd: string;
  /** Added to a bare environment: no key, a home of its own. */
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
}

/** A bare environment with a home that is gone when the test is. The machine's own keys are never in it. */
export function bareEnvironment(home: string = tempDir("ccp-home")): Record<string, string> {
  const path = `${dirname(process.execPath)}:${process.env.PATH ?? ""}`;
  return { PATH: path, HOME: home, LANG: "C.UTF-8", TERM: "dumb" };
}

/** Runs ccp in this process: the same code as the binary, seen by coverage. */
export async function ccp(argv: readonly string[], options: CliOptions): Promise<CliResult> {
  const out: string[] = [];
  const err: string[] = [];
  const code = await runCli({
    argv,
    cwd: options.cwd,
    environment: { ...bareEnvironment(), ...options.env },
    stdout: { write: (text) => out.push(Buffer.from(text).toString()) },
    stderr: { write: (text) => err.push(Buffer.from(text).toString()) },
    readStdin: async () => options.stdin ?? "",
    ask: async () => null,
    onSignal: () => () => undefined,
  });
  return { code, stdout: out.join(""), stderr: err.join("") };
}

/** Starts the real binary in a process of its own, ended with the test. */
export function startBinary(argv: readonly string[], options: CliOptions): ChildProcess {
  const child = spawn(process.execPath, [BINARY, ...argv], {
    cwd: options.cwd,
    env: { ...bareEnvironment(), ...options.env },
    stdio: [options.stdin === undefined ? "ignore" : "pipe", "pipe", "pipe"],
  });
  if (options.stdin !== undefined) child.stdin?.end(options.stdin);
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

/** Runs the real binary to its end. */
export async function binary(
  argv: readonly string[],
  options: CliOptions,
): Promise<CliResult & { readonly signal: string | null }> {
  return finished(startBinary(argv, options));
}

/** Waits for a started binary and gathers what it wrote. */
export async function finished(child: ChildProcess): Promise<CliResult & { readonly signal: string | null }> {
  const out: string[] = [];
  const err: string[] = [];
  child.stdout?.setEncoding("utf8").on("data", (text: string) => out.push(text));
  child.stderr?.setEncoding("utf8").on("data", (text: string) => err.push(text));
  const [code, signal] = (await once(child, "close")) as [number | null, string | null];
  return { code, signal, stdout: out.join(""), stderr: err.join("") };
}
