import { randomUUID } from "node:crypto";
import type { PipedProgram, ProgramRequest } from "../core/ports.ts";
import type { ProcessesSpec } from "./processes.ts";
import { launchOf, sandboxFailed } from "./sandbox/hold.ts";
import { endFamily, type Family } from "./survivors.ts";
import { openWayOut } from "./way-out.ts";

/** Of standard error, its end: enough for a stack trace. */
const KEPT_ERROR_CHARACTERS = 2_000;
const TERM_TO_KILL_MS = 2_000;

/**
 * Starts a program with pipes on its standard streams. Throws only where what is to hold it does not. It counts among the run's processes: nothing of it outlives the run.
 */
export async function openProgram(spec: ProcessesSpec, request: ProgramRequest): Promise<PipedProgram> {
  const { env: given, command, confinement } = request;
  const { execa } = await import("execa");
  const callId = `${spec.family}-${randomUUID()}`;
  const way = await openWayOut(confinement);
  const through = way?.through(command) ?? command;
  const launch = launchOf(spec.hold, {
    command: through,
    given,
    kind: "program",
    confinement,
    shown: way?.shown ?? [],
  });
  const subprocess = execa(launch.program, launch.args, {
    cwd: spec.root,
    env: { ...spec.env, ...launch.env, ...way?.env, ...given, CCP_RUN: spec.rid, CCP_CALL: callId },
    extendEnv: false,
    stdio: ["pipe", "pipe", "pipe", ...(launch.announces ? (["pipe"] as const) : [])],
    encoding: "buffer",
    buffer: false,
    detached: true,
    reject: false,
  });
  const family: Family = { groupId: subprocess.pid ?? null, marker: `CCP_CALL=${callId}` };
  // A program that has ended closes its input; what is written then is lost, and `ended` tells.
  subprocess.stdin.on("error", () => undefined);
  const complaints = lastOf(subprocess.stderr);
  const ended = subprocess.then(async (end) => {
    const refusals = way?.refusals() ?? "";
    await way?.close();
    return endText(end, `${complaints()}\n${refusals}`.trim());
  });
  if (launch.announces && !(await saysAnything(subprocess.stdio[3]))) {
    await ended;
    throw sandboxFailed(complaints());
  }
  return {
    write: (text) => {
      if (subprocess.stdin.writable) subprocess.stdin.write(text);
    },
    output: subprocess.stdout,
    ended,
    async end() {
      subprocess.stdin.end();
      await endFamily(family, { beforeTermMs: 0, beforeKillMs: TERM_TO_KILL_MS });
      await ended;
    },
  };
}

/** True as soon as anything comes; false when it ends without. */
async function saysAnything(stream: unknown): Promise<boolean> {
  for await (const _ of stream as AsyncIterable<Uint8Array>) return true;
  return false;
}

function lastOf(stream: NodeJS.ReadableStream): () => string {
  let text = "";
  stream.on("data", (bytes: Uint8Array) => {
    text = (text + new TextDecoder().decode(bytes)).slice(-KEPT_ERROR_CHARACTERS);
  });
  stream.on("error", () => undefined);
  return () => text.trim();
}

function endText(
  end: {
    readonly exitCode?: number | undefined;
    readonly signal?: string | undefined;
    readonly originalMessage?: string | undefined;
  },
  complaints: string,
): string {
  const how =
    end.exitCode !== undefined
      ? `it ended with exit code ${end.exitCode}`
      : end.signal !== undefined
        ? `it was ended by ${end.signal}`
        : `it could not be started: ${end.originalMessage ?? "the system does not say why"}`;
  return complaints === "" ? how : `${how}; its last words: ${complaints}`;
}
