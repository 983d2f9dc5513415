import { once } from "node:events";
import { setImmediate as turnOfTheLoop } from "node:timers/promises";
import { runCli } from "../../src/cli/run-cli.ts";
import { startBinary } from "./cli.ts";
import { linesOf } from "./killer.ts";
import type { Site } from "./proof.ts";

/** Lets a command that drives a run write JSON until a line has this in it, then sends it so many Ctrl-C. */
export async function interruptedAt(on: Site, argv: readonly string[], moment: string, times: 1 | 2): Promise<Stopped> {
  const lines: string[] = [];
  let signal: (name: "SIGINT") => void = () => undefined;
  let isDue = true;
  const code = await runCli({
    argv: [argv[0] ?? "", "--json", ...argv.slice(1)],
    cwd: on.cwd,
    environment: on.env,
    stdout: {
      write(text: string) {
        lines.push(...text.split("\n").filter((line) => line !== ""));
        if (!isDue || !text.includes(moment)) return;
        isDue = false;
        for (let sent = 0; sent < times; sent++) signal("SIGINT");
      },
    },
    stderr: { write: () => undefined },
    readStdin: async () => "",
    ask: async () => null,
    onSignal(listener) {
      signal = listener;
      return () => undefined;
    },
  });
  return { rid: ridIn(lines), code };
}

/**
 * The same in a process of its own, which is killed: nothing of it is put right. `isTime`: what has to have happened
 * besides; it is asked again and again.
 */
export async function killedAt(
  on: Site,
  argv: readonly string[],
  moment: string,
  isTime: () => boolean = () => true,
): Promise<Stopped> {
  const child = startBinary([argv[0] ?? "", "--json", ...argv.slice(1)], { cwd: on.cwd, env: on.env });
  const closed = once(child, "close");
  const lines: string[] = [];
  for await (const line of linesOf(child)) {
    lines.push(line);
    if (!line.includes(moment)) continue;
    while (!isTime()) await turnOfTheLoop();
    child.kill("SIGKILL");
  }
  const [code] = (await closed) as [number | null];
  return { rid: ridIn(lines), code };
}

/** `code`: null where it was killed. */
export interface Stopped {
  readonly rid: string;
  readonly code: number | null;
}

/** Each event that begins a run or goes on with it names it, and so does the result. */
function ridIn(lines: readonly string[]): string {
  return /"rid":"(r-\w+)"/.exec(lines.join("\n"))?.[1] ?? "";
}
