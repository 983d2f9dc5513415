import type { CommandRequest, CommandResult, Workspace } from "../core/ports.ts";
import { openJobs } from "./jobs.ts";
import { readOutput, sweepOutputs } from "./output.ts";
import type { ProcessesSpec } from "./processes-spec.ts";
import { requireHeard, requireHeld, startCommand } from "./running-command.ts";
import { endFamily, type Family, signal } from "./survivors.ts";
import { sweepOfTheDead } from "./sweep.ts";

export type { ProcessesSpec } from "./processes-spec.ts";

const TERM_TO_KILL_MS = 2_000;

/** The commands of one run. */
export interface Processes extends Pick<Workspace, "run" | "openJobs" | "killSurvivors"> {
  /** Does something while every job stands still: a tree of files that are being written is none. */
  whilePaused<T>(work: () => Promise<T>): Promise<T>;
}

/** Contract: as `Workspace` says; a command's failure is a value, never an exception. */
export function createProcesses(spec: ProcessesSpec): Processes {
  const jobFamilies = new Set<Family>();
  return {
    run: (request) => runCommand(spec, request),
    openJobs: (begun) => openJobs(spec, begun, jobFamilies),
    async whilePaused(work) {
      const families = [...jobFamilies];
      for (const family of families) signal(family, "SIGSTOP");
      try {
        return await work();
      } finally {
        for (const family of families) signal(family, "SIGCONT");
      }
    },
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
    const end = await command.ended;
    await requireHeld(command.output, end);
    requireHeard(spec, end);
    const { stdout, stderr } = await readOutput(command.output);
    const complaint = new TextEncoder().encode(end.complaint);
    return {
      exitCode: end.endedBy === null ? end.exitCode : null,
      endedBy: end.endedBy,
      durationMs: end.durationMs,
      stdout,
      stderr: complaint.length > 0 ? complaint : stderr,
    };
  } finally {
    await command.output.close();
  }
}
