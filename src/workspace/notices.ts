import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { runFolder } from "./layout.ts";
import type { PlaceSpec } from "./place.ts";

/** What a person should know about a worktree: what git leaves out of it. */
export async function noticesFor(spec: PlaceSpec, submodules: readonly string[]): Promise<readonly string[]> {
  const notices: string[] = [];
  if (submodules.length > 0) {
    notices.push(`submodules are left empty, and what is written into them is not kept: ${submodules.join(", ")}`);
  }
  if (await usesLfs(spec)) notices.push("files kept by git-lfs are pointers in the worktree; nothing was downloaded");
  return notices;
}

async function usesLfs(spec: PlaceSpec): Promise<boolean> {
  const env = { GIT_DIR: spec.commonDir, GIT_INDEX_FILE: runFolder(spec.commonDir, spec.rid).index };
  const args = ["ls-files", "-z", "--", ".gitattributes", ":(glob)**/.gitattributes"];
  const files = await spec.git.list({ cwd: spec.path, env: { ...env, GIT_WORK_TREE: spec.path }, args });
  const texts = files.map((file) => readFile(join(spec.path, file), "utf8").catch(() => ""));
  return (await Promise.all(texts)).some((text) => /^[^#\n]*\sfilter=lfs(\s|$)/m.test(text));
}
