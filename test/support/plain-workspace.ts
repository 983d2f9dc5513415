import type { Workspace } from "../../src/core/ports.ts";
import { createFiles } from "../../src/workspace/files.ts";
import { createProcesses } from "../../src/workspace/processes.ts";

/** The files and commands of a directory, without git: enough for tools. Asking it for trees or commits is a mistake. */
export function plainWorkspace(root: string): Workspace {
  const env = { PATH: process.env.PATH ?? "", LANG: "C.UTF-8" };
  return {
    path: root,
    ...createFiles(root),
    ...createProcesses({ rid: "r-plain1", root, env }),
    snapshot: noGit,
    restore: noGit,
    diff: noGit,
    diffStat: noGit,
    commit: noGit,
  };
}

function noGit(): never {
  throw new Error("a plain workspace has no git");
}
