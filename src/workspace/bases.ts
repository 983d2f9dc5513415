import { randomUUID } from "node:crypto";
import { copyFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { CcpError, EXIT } from "../core/errors.ts";
import type { Base, TreeHash } from "../core/event.ts";
import type { FileOutcome } from "../core/ports.ts";
import { basesFolder } from "./layout.ts";
import { createStore, isObjectId } from "./objects.ts";
import { gitlinks, PRIVATE_INDEX_CONFIG, stage } from "./stage.ts";
import type { UserTree } from "./user-tree.ts";
import { dropUnfetched, keepBase } from "./waiting-bases.ts";

/** The commit that a revision names, its tree, and the branch if it names one. */
export async function resolveCommit(spec: UserTree, revision: string): Promise<Base> {
  const parse = (name: string) => ask(spec, ["--verify", "--quiet", "--end-of-options", name]);
  const commit = await parse(`${revision}^{commit}`);
  if (commit === null) throw revision === "HEAD" ? noCommit() : unknownRevision(revision);
  const [tree, branch] = await Promise.all([parse(`${commit}^{tree}`), branchNamed(spec, revision)]);
  return { commit, tree: tree ?? "", dirty: false, branch };
}

/** True when the user's repository has this commit; false for what is no full hash. */
export async function hasCommit({ git, root }: UserTree, commit: string): Promise<boolean> {
  const request = { cwd: root, args: ["cat-file", "-e", `${commit}^{commit}`], answers: [1, 128] };
  return isObjectId(commit) && (await git.run(request)).exitCode === 0;
}

/** A file as a commit has it. `path`: from the root, no magic in it. */
export async function fileAt(
  { git, root }: UserTree,
  commit: string,
  { path, mostBytes }: { readonly path: string; readonly mostBytes: number },
): Promise<FileOutcome<Uint8Array>> {
  const missing = { ok: false, reason: "there is no such file", isMissing: true } as const;
  if (!isObjectId(commit)) return missing;
  const args = ["ls-tree", "-z", "--long", "--full-tree", commit, "--", path];
  const [entry] = await git.list({ cwd: root, args });
  const [, mode, type, object = "", size] = /^(\d+) (\w+) ([0-9a-f]+) +(\d+|-)\t/.exec(entry ?? "") ?? [];
  if (entry === undefined) return missing;
  if (mode === "120000") return { ok: false, reason: "it is a symlink" };
  if (type !== "blob") return { ok: false, reason: "it is no regular file" };
  if (Number(size) > mostBytes) return { ok: false, reason: `it is larger than ${mostBytes} bytes` };
  const { stdout } = await git.run({ cwd: root, args: ["cat-file", "blob", object] });
  return { ok: true, value: stdout };
}

/** Records the user's tracked and unignored files as they are, through a copy of the index: the real one is only read. */
export async function snapshotOfUser(spec: UserTree): Promise<Base> {
  const base = await resolveCommit(spec, "HEAD");
  const folder = join(basesFolder(spec.commonDir), `new-${randomUUID()}`);
  const objects = join(folder, "objects");
  try {
    await createStore(objects);
    const tree = await treeOfUser(spec, folder);
    if (tree === base.tree) return base;
    await keepBase(spec.git, spec.commonDir, { tree, commit: base.commit, objects });
    return { ...base, tree, dirty: true };
  } finally {
    await rm(folder, { recursive: true, force: true });
    await dropUnfetched(spec.commonDir);
  }
}

async function treeOfUser(spec: UserTree, folder: string): Promise<TreeHash> {
  const { git, root } = spec;
  const index = await git.text({ cwd: root, args: ["rev-parse", "--path-format=absolute", "--git-path", "index"] });
  const copy = join(folder, "index");
  // A copy keeps the stat cache: files that have not changed are not read again.
  await copyFile(index, copy).catch(() => undefined);
  const env = { GIT_INDEX_FILE: copy, GIT_OBJECT_DIRECTORY: join(folder, "objects") };
  const at = { cwd: root, env, config: PRIVATE_INDEX_CONFIG };
  const submodules = await gitlinks(git, { ...at, args: ["ls-files", "--stage", "-z"] });
  await stage(git, { at, submodules: async () => submodules }, "contents");
  return git.text({ ...at, args: ["write-tree"] });
}

async function branchNamed(spec: UserTree, revision: string): Promise<string | null> {
  const name = await ask(spec, ["--symbolic-full-name", "--end-of-options", revision]);
  return name?.startsWith("refs/heads/") ? name.slice("refs/heads/".length) : null;
}

/** The last line that `rev-parse` answers; null when it knows none. */
async function ask(spec: UserTree, args: readonly string[]): Promise<string | null> {
  const request = { cwd: spec.root, args: ["rev-parse", ...args], answers: [1, 128] };
  const found = await spec.git.run(request).catch((error: unknown) => {
    if (error instanceof CcpError) throw error;
    return null; // A revision that looks like a dangerous option: simple-git refuses it.
  });
  return found?.exitCode === 0 ? (found.stdout.toString().trim().split("\n").at(-1) ?? null) : null;
}

/** The repository has nothing to start from. */
function noCommit(): CcpError {
  return new CcpError("no_commit", EXIT.usage, "the repository has no commit yet, so there is nothing to start from", {
    hint: "make one: git add --all && git commit -m start",
  });
}

function unknownRevision(revision: string): CcpError {
  return new CcpError("unknown_revision", EXIT.usage, `no commit is named ${JSON.stringify(revision)}`, {
    hint: "`git log --oneline` lists commits; a branch, a tag or a hash will do",
  });
}
