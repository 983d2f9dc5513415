import { accessSync, constants, existsSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import type { CommandRequest, CommandResult, Workspace } from "../core/ports.ts";
import { fileFailure } from "./git-errors.ts";
import { type Output, readOutput, sweepOutputs } from "./output.ts";
import type { ProcessesSpec } from "./processes-spec.ts";
import { type Ending, startCommand } from "./running-command.ts";
import { endFamily } from "./survivors.ts";
import { sweepOfTheDead } from "./sweep.ts";

export type { ProcessesSpec } from "./processes-spec.ts";

const TERM_TO_KILL_MS = 2_000;

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
  const command = await startCommand(spec, request);
  try {
    return await resultOf(spec, await command.ended, command.output);
  } finally {
    await command.output.close();
  }
}

/** How a command ended, with all that it wrote. */
export async function resultOf(spec: ProcessesSpec, end: Ending, output: Output): Promise<CommandResult> {
  const byItself = end.exitCode !== 0 && end.endedBy === null;
  if (byItself || end.endedBy === "disk-limit") requireDisk([spec.root, tmpdir()]);
  const { stdout, stderr } = await readOutput(output);
  const complaint = new TextEncoder().encode(end.complaint);
  return {
    exitCode: end.endedBy === null ? end.exitCode : null,
    endedBy: end.endedBy,
    durationMs: end.durationMs,
    stdout,
    stderr: complaint.length > 0 ? complaint : stderr,
  };
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
