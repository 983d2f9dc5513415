import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/**
 * Runs a program of this folder in a process of its own and returns what it printed: one value, as JSON. What was
 * measured before has then warmed nothing up.
 */
export function runProgram<T>(name: string, argv: readonly string[]): T {
  const file = fileURLToPath(new URL(name, import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, [file, ...argv], { encoding: "utf8" });
  if (status !== 0) throw new Error(`${name} ${argv.join(" ")} ended with ${status}\n${stderr}`);
  return JSON.parse(stdout) as T;
}
