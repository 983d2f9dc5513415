import { join } from "node:path";
import type { Workspace } from "../../src/core/ports.ts";
import { createFiles } from "../../src/workspace/files.ts";
import { withOutputs } from "../../src/workspace/outputs.ts";
import { openProgram } from "../../src/workspace/piped-program.ts";
import { createProcesses } from "../../src/workspace/processes.ts";
import { tempDir } from "./temp.ts";

/** The files and commands of a directory, without git: enough for tools. Asking it for trees or commits is a mistake. */
export function plainWorkspace(root: string): Workspace {
  const outputs = join(tempDir("ccp-outputs"), "outputs");
  const env = { PATH: process.env.PATH ?? "", LANG: "C.UTF-8" };
  const processes = { rid: "r-plain1", family: "plain", root, folder: tempDir("ccp-run"), env };
  return {
    path: root,
    ...withOutputs(createFiles(root), { root, folder: outputs, files: createFiles(outputs) }),
    ...createProcesses(processes),
    open: (request) => openProgram(processes, request),
    forgetIndex: noGit,
    snapshot: noGit,
    restore: noGit,
    restoreHollows: noGit,
    flush: noGit,
    diff: noGit,
    diffStat: noGit,
    commit: noGit,
    adopt: noGit,
    pack: noGit,
    unpack: noGit,
  };
}

function noGit(): never {
  throw new Error("a plain workspace has no git");
}
