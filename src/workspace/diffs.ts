import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { TreeHash } from "../core/event.ts";
import type { DiffStat } from "../core/ports.ts";
import type { GitRequest } from "./git.ts";
import { runFolder } from "./layout.ts";
import { storeEnvironment } from "./objects.ts";
import { type PlaceSpec, workspaceIsMissing } from "./place.ts";
import { ownName } from "./sweep.ts";

/** The same bytes for the same two trees, whatever is configured, and bytes that `git apply` understands without configuration. */
const FORMAT = [
  "--patch",
  "--binary",
  "--full-index",
  "--unified=3",
  "--inter-hunk-context=0",
  "--diff-algorithm=histogram",
  "--submodule=short",
  "--src-prefix=a/",
  "--dst-prefix=b/",
  "--no-ext-diff",
  "--no-textconv",
  "--no-color",
  "--no-relative",
];

const RENAMES = ["--find-renames=50%", "-l1000"];

/**
 * A patch from one tree to another. Exact: modes, binary files, line ends and missing last ones included.
 * `below`: the only file or directory that it is to speak of.
 */
export async function diffTrees(
  place: PlaceSpec,
  { from, to, below = null }: { readonly from: TreeHash; readonly to: TreeHash; readonly below?: string | null },
): Promise<Uint8Array> {
  const file = join(runFolder(place.commonDir, place.rid).path, `${ownName("diff-")}${randomUUID()}.patch`);
  try {
    const only = below === null ? [] : ["--", `:(literal)${below}`];
    const renames = (await removesSymlinks(place, from, to)) ? ["--no-renames"] : RENAMES;
    await place.git.run(request(place, [...FORMAT, ...renames, `--output=${file}`, from, to, ...only]));
    return await readFile(file);
  } finally {
    await rm(file, { force: true });
  }
}

/**
 * `git apply` does not see that a symlink is renamed away, and refuses a patch that makes a directory in its place
 * (git 2.39: "beyond a symbolic link"). A patch that deletes the link instead is understood.
 */
async function removesSymlinks(place: PlaceSpec, from: TreeHash, to: TreeHash): Promise<boolean> {
  const changes = await place.git.list(request(place, ["--raw", "-z", "--no-renames", "--diff-filter=D", from, to]));
  return changes.some((change) => change.startsWith(":120000 "));
}

/** Which files differ between two trees, and by how many lines. */
export async function diffStatOfTrees(place: PlaceSpec, from: TreeHash, to: TreeHash): Promise<DiffStat> {
  const parts = await place.git.list(request(place, ["--numstat", "-z", ...RENAMES, from, to]));
  const files: string[] = [];
  let added = 0;
  let removed = 0;
  for (const part of parts) {
    // `3\t1\tpath`, or for a rename `3\t1\t` and then both names, each a part of its own.
    const counts = /^(\d+|-)\t(\d+|-)\t(.*)$/s.exec(part);
    added += Number(counts?.[1]) || 0;
    removed += Number(counts?.[2]) || 0;
    const path = counts === null ? part : counts[3];
    if (path) files.push(path);
  }
  return { files, added, removed };
}

/**
 * Outside any working tree and with an index that is not there, so that no `.gitattributes` of the moment changes what
 * counts as text.
 */
function request(place: PlaceSpec, args: readonly string[]): GitRequest {
  const run = runFolder(place.commonDir, place.rid);
  if (!existsSync(run.objects)) throw workspaceIsMissing(place.rid, place.path);
  return {
    cwd: run.path,
    env: { ...storeEnvironment(place.commonDir, run.objects), GIT_INDEX_FILE: join(run.path, "no-index") },
    config: ["diff.suppressBlankEmpty=false", "diff.orderFile=/dev/null", "core.quotePath=true"],
    args: ["diff-tree", "-r", ...args],
  };
}
