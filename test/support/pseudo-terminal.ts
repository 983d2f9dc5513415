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

/** Runs the real binary at a real terminal. `type`: what is typed once the terminal shows `at`, as often as it is there. */
export async function atTerminal(
  argv: readonly string[],
  { cwd, env }: CliOptions,
  typing: { readonly at: string; readonly type: readonly string[] },
): Promise<Typed> {
  const command = [process.execPath, BINARY, ...argv].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
  const child = spawn("script", ["--quiet", "--return", "--command", command, "/dev/null"], {
    cwd,
    env: { ...env, TERM: "dumb" },
    stdio: ["pipe", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const left = [...typing.type];
  let [screen, answeredTo] = ["", 0];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    screen += text;
    const at = screen.indexOf(typing.at, answeredTo);
    if (at < 0) return;
    answeredTo = at + typing.at.length;
    const next = left.shift();
    if (next !== undefined) child.stdin.write(next);
  });
  const [code] = (await once(child, "close")) as [number | null];
  return { code, screen };
}
