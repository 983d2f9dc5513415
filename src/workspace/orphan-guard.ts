import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { ProcessesSpec } from "./processes-spec.ts";
import { markOfOwner } from "./running-command.ts";

/** Ends what this ccp has started for a run, should ccp be killed before it can do so itself. */
export interface Guard {
  /** From now on. Twice is as good as once. */
  watch(): void;
  /** There is nothing left to be ended. */
  end(): Promise<void>;
}

/**
 * It waits for the end of its input, whose other end is ccp's: that comes however ccp ends. Then it kills whoever bears
 * this owner's mark, which the commands of a later owner do not. Where there is no /proc it finds nobody, and only
 * `killSurvivors` ends them.
 */
const SCRIPT = `
cat > /dev/null
for round in 1 2 3 4 5; do
  for file in $(grep -lsF "$1" /proc/[0-9]*/environ); do
    id=\${file#/proc/}
    kill -KILL "\${id%/environ}" 2> /dev/null
  done
done`;

/** A guard that does not watch yet: it takes a process, and most conversations have no job. */
export function openGuard(spec: ProcessesSpec): Guard {
  let shell: ChildProcess | null = null;
  return {
    watch() {
      shell ??= spawn("/bin/sh", ["-c", SCRIPT, "ccp-guard", markOfOwner(spec)], {
        cwd: "/",
        // A session of its own: what ends ccp's group does not end it.
        detached: true,
        stdio: ["pipe", "ignore", "ignore"],
        env: { PATH: "/usr/local/bin:/usr/bin:/bin" },
      }).on("error", () => undefined);
      shell.stdin?.on("error", () => undefined);
    },
    async end() {
      const ending = shell;
      shell = null;
      if (ending === null || ending.pid === undefined) return;
      ending.stdin?.end();
      const isOver = ending.exitCode !== null || ending.signalCode !== null;
      if (!isOver) await once(ending, "exit");
    },
  };
}
