import { randomUUID } from "node:crypto";
import { accessSync, constants, existsSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import type { CommandRequest, CommandResult, Workspace } from "../core/ports.ts";
import { fileFailure } from "./git-errors.ts";
import { type Output, openOutput, readOutput, sizeOf, sweepOutputs } from "./output.ts";
import { BEGUN, type Hold, launchOf, sandboxFailed } from "./sandbox/hold.ts";
import { endFamily, type Family, signal } from "./survivors.ts";
import { sweepOfTheDead } from "./sweep.ts";

/** What running a command takes. */
export interface ProcessesSpec {
  readonly rid: string;
  /** What all commands of the run are found by; see `familyOf`. */
  readonly family: string;
  /** Absolute path of the worktree. */
  readonly root: string;
  /** Absolute path of the run's own folder. */
  readonly folder: string;
  /** What every command gets; see `childEnvironment`. */
  readonly env: Readonly<Record<string, string>>;
  /** What holds a process to its confinement; missing: nothing can. */
  readonly hold?: Hold;
}

/** Bytes that one command may write to standard output and error together before it is ended. */
const MOST_OUTPUT_BYTES = 64 * 1024 * 1024;
const OUTPUT_POLL_MS = 100;
/** What a command left behind may end by itself within this time of its shell: the tail of a pipeline, say. */
const GRACE_MS = 150;
const TERM_TO_KILL_MS = 2_000;
/** What shells answer when a command cannot be executed. */
const CANNOT_EXECUTE = 126;

/** The commands of one run. Contract: as `Workspace` says; a command's failure is a value, never an exception. */
export function createProcesses(spec: ProcessesSpec): Pick<Workspace, "run" | "killSurvivors"> {
  return {
    run: (request) => runCommand(spec, request),
    killSurvivors: async () => {
      const family = { groupId: null, marker: `CCP_CALL=${spec.family}-` };
      const count = await endFamily(family, { beforeTermMs: 0, beforeKillMs: TERM_TO_KILL_MS });
      await sweepOfTheDead(spec.folder, "diff-");
      await sweepOutputs(spec.rid);
      return count;
    },
  };
}

async function runCommand(spec: ProcessesSpec, request: CommandRequest): Promise<CommandResult> {
  const startedAt = performance.now();
  const durationMs = () => Math.round(performance.now() - startedAt);
  const nothing = new Uint8Array();
  if (request.signal.aborted)
    return { exitCode: null, endedBy: "abort", durationMs: 0, stdout: nothing, stderr: nothing };
  const output = await openOutput(spec.rid);
  try {
    const end = await execute(spec, request, output);
    if (end.exitCode !== 0 && end.endedBy === null) requireDisk([spec.root, tmpdir()]);
    const { stdout, stderr } = await readOutput(output);
    const complaint = new TextEncoder().encode(end.complaint);
    return {
      exitCode: end.endedBy === null ? end.exitCode : null,
      endedBy: end.endedBy,
      durationMs: durationMs(),
      stdout,
      stderr: complaint.length > 0 ? complaint : stderr,
    };
  } finally {
    await output.close();
  }
}

/** A command that fails on a disk that is full or read-only has not been heard: it counts as never run. */
function requireDisk(paths: readonly string[]): void {
  for (const path of paths.filter((each) => existsSync(each))) {
    const { bavail, bsize, files, ffree } = statfsSync(path);
    const isFull = bavail * bsize < LEAST_FREE_BYTES || (files > 0 && ffree === 0);
    if (isFull) throw fileFailure(Object.assign(new Error("no space left on device"), { code: "ENOSPC" }), path);
    try {
      accessSync(path, constants.W_OK);
    } catch (error) {
      throw fileFailure(error, path);
    }
  }
}

/** With less a test or a compiler fails for the lack of room and says something else. */
const LEAST_FREE_BYTES = 64 * 1024;

/** Any number is handed on to the operating system; execa's types know only the first few. */
type Descriptor = 3;

interface Ending {
  readonly exitCode: number | null;
  readonly endedBy: CommandResult["endedBy"];
  /** Why the shell did not start; empty when it did. */
  readonly complaint: string;
}

/** Runs the shell to its end and then ends all that it left. The output goes to files, so that no one can hold the call open. */
async function execute(spec: ProcessesSpec, request: CommandRequest, output: Output): Promise<Ending> {
  if ([request.command, ...Object.values(request.env)].some((text) => text.includes("\0")))
    return notStarted("a command and its environment cannot have a NUL byte in them");
  const { execa } = await import("execa");
  const callId = `${spec.family}-${randomUUID()}`;
  const { env: given, confinement } = request;
  const shell = [shellOf(spec.env), "-c", "--", request.command];
  const launch = launchOf(spec.hold, { command: shell, given, kind: "shell", confinement });
  const [stdout, stderr] = [output.stdout.fd as Descriptor, output.stderr.fd as Descriptor];
  const subprocess = execa(launch.program, launch.args, {
    cwd: spec.root,
    env: { ...spec.env, ...launch.env, ...given, CCP_RUN: spec.rid, CCP_CALL: callId },
    extendEnv: false,
    stdio: ["ignore", stdout, stderr, ...(launch.announces ? (["pipe"] as const) : [])],
    detached: true,
    reject: false,
  });
  const family: Family = { groupId: subprocess.pid ?? null, marker: `CCP_CALL=${callId}` };
  const watch = watchCommand(family, request, output);
  const end = await subprocess;
  const endedBy = watch.close();
  await endFamily(family, { beforeTermMs: endedBy === null ? GRACE_MS : 0, beforeKillMs: TERM_TO_KILL_MS });
  const hasBegun = !launch.announces || end.stdio[3] === BEGUN;
  if (!hasBegun && endedBy === null) throw sandboxFailed(await firstWords(output));
  if (subprocess.pid === undefined) return notStarted(end.originalMessage ?? "the system does not say why");
  return { exitCode: end.exitCode ?? null, endedBy, complaint: "" };
}

async function firstWords(output: Output): Promise<string> {
  return new TextDecoder().decode((await readOutput(output)).stderr);
}

function notStarted(reason: string): Ending {
  return { exitCode: CANNOT_EXECUTE, endedBy: null, complaint: `the command was not started: ${reason}\n` };
}

/** Ends a command that takes too long, is no longer wanted or writes too much. `close` says why it was ended, if it was. */
function watchCommand(family: Family, request: CommandRequest, output: Output) {
  let endedBy: CommandResult["endedBy"] = null;
  let killTimer: NodeJS.Timeout | undefined;
  const end = (why: "timeout" | "abort" | "output-limit") => {
    if (endedBy !== null) return;
    endedBy = why;
    signal(family, why === "output-limit" ? "SIGKILL" : "SIGTERM");
    killTimer = setTimeout(() => signal(family, "SIGKILL"), TERM_TO_KILL_MS);
  };
  const abort = () => end("abort");
  const poll = async () => {
    if ((await sizeOf(output)) > MOST_OUTPUT_BYTES) end("output-limit");
  };
  request.signal.addEventListener("abort", abort, { once: true });
  // It may have come while the shell was being started: then nobody calls.
  if (request.signal.aborted) abort();
  const pollTimer = setInterval(() => void poll(), OUTPUT_POLL_MS);
  const timeout = request.timeoutMs === null ? undefined : setTimeout(() => end("timeout"), request.timeoutMs);
  return {
    close: (): CommandResult["endedBy"] => {
      request.signal.removeEventListener("abort", abort);
      clearInterval(pollTimer);
      clearTimeout(timeout);
      clearTimeout(killTimer);
      return endedBy;
    },
  };
}

/** bash where the system keeps it, then where the PATH says, so that a package of the project cannot stand in; else sh. */
function shellOf(env: Readonly<Record<string, string>>): string {
  const fromPath = (env.PATH ?? "").split(":").filter((entry) => entry.startsWith("/"));
  const candidates = ["/bin", "/usr/bin", ...fromPath].map((directory) => `${directory}/bash`);
  return candidates.find(isExecutable) ?? "/bin/sh";
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
