import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Config } from "../core/config.ts";

/** A stream that text goes to. */
export interface TextStream {
  write(text: string | Uint8Array): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

/** All that a command may know of the process it runs in: a test hands in its own. */
export interface Surroundings {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly stdout: TextStream;
  readonly stderr: TextStream;
  /** Reads standard input to its end; only ever called for `-`. */
  readStdin(): Promise<string>;
  /** Asks the person at the terminal and returns the answer; null where there is nobody to ask. */
  ask(question: string): Promise<string | null>;
  /** True: `ask` reaches a person. */
  readonly isAttended?: boolean;
  /**
   * Calls `listener` for each line that is typed until the returned function is called; missing: nobody types here. Lines
   * are read only while `mayRead` is true. It keeps no process alive.
   */
  onLine?(listener: (line: string) => void, mayRead: () => boolean): () => void;
  /** Calls `listener` for each SIGINT and SIGTERM until the returned function is called. */
  onSignal(listener: (signal: "SIGINT" | "SIGTERM") => void): () => void;
}

/** Flags that win over the environment. */
export interface GlobalFlags {
  readonly resultsDir?: string;
}

/** The only place where the process's environment is read. */
export function processSurroundings(): Surroundings {
  return {
    argv: process.argv.slice(2),
    cwd: process.cwd(),
    environment: process.env,
    stdout: process.stdout,
    stderr: process.stderr,
    readStdin,
    ask: askAtTerminal,
    isAttended: isAttended(),
    ...(isAttended() ? { onLine: onTerminalLine } : {}),
    onSignal(listener) {
      const onInt = () => listener("SIGINT");
      const onTerm = () => listener("SIGTERM");
      process.on("SIGINT", onInt).on("SIGTERM", onTerm);
      return () => process.off("SIGINT", onInt).off("SIGTERM", onTerm);
    },
  };
}

/** Flags → environment → built-in. */
export function readConfig(surroundings: Surroundings, flags: GlobalFlags = {}): Config {
  const { environment, cwd } = surroundings;
  const home = environment.HOME || homedir();
  const packageRoot = findPackageRoot();
  const stateDir = environment.CCP_STATE_DIR;
  return {
    cwd,
    environment,
    home,
    stateHome: absolute(environment.XDG_STATE_HOME, join(home, ".local", "state")),
    configHome: join(absolute(environment.XDG_CONFIG_HOME, join(home, ".config")), "ccp"),
    stateDir: stateDir ? resolve(cwd, stateDir) : null,
    resultsDir: flags.resultsDir ?? environment.CCP_RESULTS_DIR ?? "results",
    policyDir: absolute(environment.CCP_POLICY_DIR, "") || null,
    profile: environment.CCP_PROFILE?.trim() || null,
    trustedHosts: (environment.CCP_TRUSTED_HOSTS ?? "").split(",").filter((host) => host !== ""),
    backgroundAfterMs: secondsIn(environment.CCP_BACKGROUND_AFTER, BACKGROUND_AFTER_SECONDS) * 1000,
    packageRoot,
    version: versionOf(packageRoot),
  };
}

/** True where text may carry colour. */
export function wantsColor(stream: TextStream, environment: Surroundings["environment"]): boolean {
  if (environment.NO_COLOR) return false;
  if (environment.FORCE_COLOR && environment.FORCE_COLOR !== "0") return true;
  return stream.isTTY === true && environment.TERM !== "dumb";
}

/** A model that waits longer might as well do something else meanwhile. */
const BACKGROUND_AFTER_SECONDS = 60;

/** What is no number above 0 is ignored. */
function secondsIn(text: string | undefined, fallback: number): number {
  const seconds = Number(text);
  return seconds > 0 && Number.isFinite(seconds) ? seconds : fallback;
}

/** XDG: a relative path is to be ignored. */
function absolute(path: string | undefined, fallback: string): string {
  return path && isAbsolute(path) ? path : fallback;
}

/** From `src/cli` in a checkout and from `dist` or `dist/chunks` in a build: the nearest folder with our package.json. */
function findPackageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!isPackageRoot(folder) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}

function isPackageRoot(folder: string): boolean {
  try {
    return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")).name === "ccp";
  } catch {
    return false;
  }
}

function versionOf(packageRoot: string): string {
  return JSON.parse(readFileSync(join(packageRoot, "package.json"), "utf8")).version;
}

/** Only where a person types and reads: both ends are a terminal, and it is no CI job's. */
function isAttended(): boolean {
  const { stdin, stderr, env } = process;
  return stdin.isTTY && stderr.isTTY && !env.CI;
}

async function askAtTerminal(question: string): Promise<string | null> {
  const { stdin, stderr } = process;
  if (!isAttended()) return null;
  const { createInterface } = await import("node:readline/promises");
  const line = createInterface({ input: stdin, output: stderr });
  const closed = new Promise<null>((resolve) => line.once("close", () => resolve(null)));
  try {
    return await Promise.race([line.question(question), closed]);
  } finally {
    line.close();
  }
}

/** The terminal stays as it is: it shows what is typed, and Ctrl-C is its own. */
function onTerminalLine(listener: (line: string) => void, mayRead: () => boolean): () => void {
  const { stdin } = process;
  let rest = "";
  const onData = (bytes: Buffer) => {
    const lines = (rest + bytes.toString("utf8")).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) listener(line);
  };
  const leave = () => void stdin.off("data", onData).pause();
  const enter = () => {
    leave();
    // Whoever reads in the background is stopped for it.
    if (mayRead()) stdin.on("data", onData).resume().unref();
  };
  enter();
  process.on("SIGCONT", enter);
  return () => {
    process.off("SIGCONT", enter);
    leave();
    stdin.ref();
  };
}

async function readStdin(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString("utf8");
}
