import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { LOG_VARIABLE, TARGET_VARIABLE } from "./kill-points/hit.ts";

/** When a process is killed: by itself at a kill point, from outside after some milliseconds, or never. */
export type Kill =
  | { readonly kind: "point"; readonly point: string }
  | { readonly kind: "after"; readonly ms: number }
  | { readonly kind: "never" };

export const NEVER: Kill = { kind: "never" };

/** What is started. */
export interface Start {
  /** A program for Node and its arguments. */
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Where the process writes the kill points that it comes by. */
  readonly log: string;
}

/** How a process ended. */
export interface Ended {
  readonly code: number | null;
  readonly isKilled: boolean;
  readonly stdout: string;
  readonly stderr: string;
  /** The kill points that it came by, in their order; the last is where it died, if it did. */
  readonly hits: readonly string[];
  readonly durationMs: number;
}

/** No process of the proof takes a tenth of this: one that does hangs, and is ended. */
const LONGEST_MS = 300_000;

/** Runs a process to its end, whichever that is. */
export async function runToItsEnd({ argv, cwd, env, log }: Start, kill: Kill): Promise<Ended> {
  const startedAt = performance.now();
  const points = { [LOG_VARIABLE]: log, ...(kill.kind === "point" ? { [TARGET_VARIABLE]: kill.point } : {}) };
  const child = spawn(process.execPath, argv, { cwd, env: { ...env, ...points }, stdio: ["ignore", "pipe", "pipe"] });
  const timer = kill.kind === "after" ? setTimeout(() => child.kill("SIGKILL"), kill.ms) : undefined;
  const written = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      written[name] += text;
    });
  }
  let isHanging = false;
  const watchdog = setTimeout(() => {
    isHanging = child.kill("SIGKILL");
  }, LONGEST_MS);
  const [code, signal] = (await once(child, "close")) as [number | null, string | null];
  clearTimeout(timer);
  clearTimeout(watchdog);
  if (isHanging) written.stderr += `\nit had not ended after ${LONGEST_MS} ms`;
  return {
    code,
    isKilled: signal === "SIGKILL" && !isHanging,
    ...written,
    hits: linesOf(log),
    durationMs: performance.now() - startedAt,
  };
}

function linesOf(path: string): readonly string[] {
  try {
    return readFileSync(path, "utf8").split("\n").slice(0, -1);
  } catch {
    return [];
  }
}
