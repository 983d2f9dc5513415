import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { onTestFinished } from "vitest";
import { BINARY, type CliOptions } from "./cli.ts";

/** False where there is no `script` of util-linux, which makes one. */
export const HAS_PSEUDO_TERMINAL = /util-linux/.test(
  spawnSync("script", ["--version"], { encoding: "utf8" }).stdout ?? "",
);

/** What came of a command at a terminal. */
export interface Typed {
  readonly code: number | null;
  /** All that the terminal has got, standard output and error alike. */
  readonly screen: string;
}

/** The real binary at a real terminal, while it runs. */
export interface AtTerminal {
  /** What the terminal has got so far. */
  screen(): string;
  type(text: string): void;
  readonly end: Promise<Typed>;
}

/** Starts the real binary at a real terminal. `onScreen` hears of each change of it. */
export function openTerminal(
  argv: readonly string[],
  { cwd, env }: CliOptions,
  onScreen: (terminal: AtTerminal) => void = () => undefined,
): AtTerminal {
  const command = [process.execPath, BINARY, ...argv].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
  const child = spawn("script", ["--quiet", "--return", "--command", command, "/dev/null"], {
    cwd,
    env: { TERM: "dumb", ...env },
    stdio: ["pipe", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let screen = "";
  const end = once(child, "close").then(([code]) => ({ code, screen }) as Typed);
  const terminal: AtTerminal = { screen: () => screen, type: (text) => void child.stdin.write(text), end };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    screen += text;
    onScreen(terminal);
  });
  return terminal;
}

/** Runs the real binary at a real terminal. `type`: what is typed once the terminal shows `at`, as often as it is there. */
export async function atTerminal(
  argv: readonly string[],
  { cwd, env }: CliOptions,
  typing: { readonly at: string; readonly type: readonly string[] },
): Promise<Typed> {
  const left = [...typing.type];
  let answeredTo = 0;
  const { end } = openTerminal(argv, { cwd, env: { ...env, TERM: "dumb" } }, ({ screen, type }) => {
    const at = screen().indexOf(typing.at, answeredTo);
    if (at < 0) return;
    answeredTo = at + typing.at.length;
    const next = left.shift();
    if (next !== undefined) type(next);
  });
  return end;
}
