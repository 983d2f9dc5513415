import { randomUUID } from "node:crypto";
import { accessSync, constants, existsSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import type { CommandRequest, CommandResult } from "../core/ports.ts";
import { type CommandWatch, watchCommand } from "./command-watch.ts";
import { isExecutable } from "./executable.ts";
import { fileFailure } from "./git-errors.ts";
import { COMMAND_LIMITS, type Limits, limited } from "./limits.ts";
import { type Output, openOutput, readOutput } from "./output.ts";
import type { ProcessesSpec } from "./processes-spec.ts";
import { BEGUN, launchOf, sandboxFailed } from "./sandbox/hold.ts";
import { endFamily, type Family, type Patience } from "./survivors.ts";
import { openWayOut, type WayOut } from "./way-out.ts";

/** What a command left behind may end by itself within this time of its shell: the tail of a pipeline, say. */
const GRACE_MS = 150;
const TERM_TO_KILL_MS = 2_000;
/** What shells answer when a command cannot be executed. */
const CANNOT_EXECUTE = 126;

/** How a command ended. */
export interface Ending {
  readonly exitCode: number | null;
  readonly endedBy: CommandResult["endedBy"];
  /** Why the shell did not start; empty when it did. */
  readonly complaint: string;
  /** True: what was to hold it did not begin, and so it has not run. */
  readonly isUnheld: boolean;
  readonly durationMs: number;
}

/** A command that was started. Whoever started it closes its output. */
export interface RunningCommand {
  /** Null: it was not started. */
  readonly family: Family | null;
  readonly output: Output;
  /** Resolves when its shell has ended and all that it had left has, too. Never rejects. */
  readonly ended: Promise<Ending>;
  /** Ends it with all that it has started. */
  end(): void;
}

/** Starts a command. Its output goes to files, so that no one can hold it open. Throws where there is no place for them. */
export async function startCommand(spec: ProcessesSpec, request: CommandRequest): Promise<RunningCommand> {
  const startedAt = performance.now();
  const output = await openOutput(spec.rid);
  const over = (end: Omit<Ending, "durationMs">): RunningCommand => {
    return { family: null, output, ended: Promise.resolve({ ...end, durationMs: 0 }), end: () => undefined };
  };
  if (request.signal.aborted) return over({ exitCode: null, endedBy: "abort", complaint: "", isUnheld: false });
  if ([request.command, ...Object.values(request.env)].some((text) => text.includes("\0")))
    return over(notStarted("a command and its environment cannot have a NUL byte in them"));
  const way = await openWayOut(request.confinement);
  const { family, shell } = await spawnShell(spec, request, { output, way }).catch(async (error: unknown) => {
    await way?.close();
    throw error;
  });
  const watch = watchCommand(family, request, { output, root: spec.root, limits: limitsOf(spec) });
  let isOver = false;
  const ended = endOf(shell, family, watch).then(async (end) => {
    isOver = true;
    if (way) await leave(way, output);
    return { ...end, durationMs: Math.round(performance.now() - startedAt) };
  });
  // Others may have its ids by then.
  const end = () => (isOver ? undefined : watch.end("abort"));
  return { family, output, ended, end };
}

/** Who reads the output is told what was not let through. What cannot be written of that is no failure of the command. */
async function leave(way: WayOut, output: Output): Promise<void> {
  const refusals = way.refusals();
  if (refusals !== "") await output.stderr.write(refusals).catch(() => undefined);
  await way.close();
}

function limitsOf(spec: ProcessesSpec): Limits {
  return { ...COMMAND_LIMITS, ...spec.limits };
}

const CALL = "CCP_CALL=";
const THIS_CCP = randomUUID();

/** How the mark begins that this very ccp puts on the commands of a run: one that takes the run over has another. */
export function markOfOwner(spec: ProcessesSpec): string {
  return `${CALL}${spec.family}-${THIS_CCP}-`;
}

/** Any number is handed on to the operating system; execa's types know only the first few. */
type Descriptor = 3;

interface ShellEnd {
  readonly exitCode?: number | undefined;
  readonly originalMessage?: string | undefined;
  readonly wasStarted: boolean;
  /** False: what was to hold it has not said that it begins. */
  readonly isHeld: boolean;
}

async function spawnShell(
  spec: ProcessesSpec,
  request: CommandRequest,
  { output, way }: { readonly output: Output; readonly way: WayOut | null },
) {
  const { execa } = await import("execa");
  const callId = `${markOfOwner(spec)}${randomUUID()}`.slice(CALL.length);
  const { env: given, confinement } = request;
  const command = limited(shellOf(spec.env), request.command, limitsOf(spec));
  const launch = launchOf(spec.hold, {
    command: way?.through(command) ?? command,
    given,
    kind: "shell",
    confinement,
    shown: way?.shown ?? [],
  });
  const [stdout, stderr] = [output.stdout.fd as Descriptor, output.stderr.fd as Descriptor];
  const subprocess = execa(launch.program, launch.args, {
    cwd: spec.root,
    env: { ...spec.env, ...launch.env, ...way?.env, ...given, CCP_RUN: spec.rid, CCP_CALL: callId },
    extendEnv: false,
    stdio: ["ignore", stdout, stderr, ...(launch.announces ? (["pipe"] as const) : [])],
    detached: true,
    reject: false,
  });
  const family: Family = { groupId: subprocess.pid ?? null, marker: `CCP_CALL=${callId}` };
  const shell = subprocess.then(({ exitCode, originalMessage, stdio }): ShellEnd => {
    const isHeld = !launch.announces || stdio[3] === BEGUN;
    return { exitCode, originalMessage, wasStarted: subprocess.pid !== undefined, isHeld };
  });
  return { family, shell };
}

/** Waits for the shell, then ends all that it has left. */
async function endOf(
  shell: Promise<ShellEnd>,
  family: Family,
  watch: CommandWatch,
): Promise<Omit<Ending, "durationMs">> {
  const end = await shell;
  await endFamily(family, patienceWith(watch.shellEnded()));
  const endedBy = watch.close();
  if (!end.wasStarted) return notStarted(end.originalMessage ?? "the system does not say why");
  return { exitCode: end.exitCode ?? null, endedBy, complaint: "", isUnheld: !end.isHeld && endedBy === null };
}

function patienceWith(endedBy: CommandResult["endedBy"]): Patience {
  if (endedBy === null) return { beforeTermMs: GRACE_MS, beforeKillMs: TERM_TO_KILL_MS };
  const mayTidyUp = endedBy === "timeout" || endedBy === "abort";
  return { beforeTermMs: 0, beforeKillMs: mayTidyUp ? TERM_TO_KILL_MS : 0 };
}

function notStarted(reason: string): Omit<Ending, "durationMs"> {
  return {
    exitCode: CANNOT_EXECUTE,
    endedBy: null,
    complaint: `the command was not started: ${reason}\n`,
    isUnheld: false,
  };
}

/** bash where the system keeps it, then where the PATH says, so that a package of the project cannot stand in; else sh. */
function shellOf(env: Readonly<Record<string, string>>): string {
  const fromPath = (env.PATH ?? "").split(":").filter((entry) => entry.startsWith("/"));
  const candidates = ["/bin", "/usr/bin", ...fromPath].map((directory) => `${directory}/bash`);
  return candidates.find(isExecutable) ?? "/bin/sh";
}

/** Throws where what was to hold a command did not begin: it has not run, and nobody is told that it failed. */
export async function requireHeld(output: Output, { isUnheld }: Ending): Promise<void> {
  if (isUnheld) throw sandboxFailed(new TextDecoder().decode((await readOutput(output)).stderr));
}

/** Throws where a command has failed on a disk that is full or read-only: it has not been heard, and counts as never run. */
export function requireHeard(spec: ProcessesSpec, { exitCode, endedBy }: Ending): void {
  const mayBeTheDisk = (exitCode !== 0 && endedBy === null) || endedBy === "disk-limit";
  if (mayBeTheDisk) for (const path of [spec.root, tmpdir()]) requireDisk(path);
}

function requireDisk(path: string): void {
  if (existsSync(path)) {
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
