import { lstatSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { openRepository } from "../../src/workspace/repository.ts";
import { git, makeRepository, writeFiles } from "../support/git.ts";
import { tempDir } from "../support/temp.ts";
import { bareEnvironment, bench, RID, started } from "./git-support.ts";

/**
 * Every path below `.git`, with all that shows that somebody wrote there. A directory shows the files that come and go
 * in it: locks, temporary files. Objects have no time: git gives one that is wanted again a new one.
 */
function listGit(root: string): ReadonlyMap<string, string> {
  const folder = join(root, ".git");
  const paths = ["", ...readdirSync(folder, { recursive: true, encoding: "utf8" })];
  const look = (path: string) => {
    const stats = lstatSync(join(folder, path), { bigint: true });
    const isObject = path.startsWith("objects/") && stats.isFile();
    return `${stats.ino} ${stats.mode} ${stats.size} ${isObject ? "" : stats.mtimeNs}`;
  };
  return new Map(paths.map((path) => [path, look(path)]));
}

/** What was made, changed or removed, but for directories that changed since something in them was made or removed. */
async function changesOf(root: string, work: () => Promise<unknown>): Promise<readonly string[]> {
  const before = listGit(root);
  await work();
  const after = listGit(root);
  const changed = [...new Set([...before.keys(), ...after.keys()])].filter(
    (path) => before.get(path) !== after.get(path),
  );
  const cameOrWent = changed.filter((path) => !before.has(path) || !after.has(path));
  const explained = new Set(cameOrWent.map((path) => dirname(path)).map((path) => (path === "." ? "" : path)));
  return changed.filter((path) => !explained.has(path) || cameOrWent.includes(path)).sort();
}

const OWN_FOLDER = /^ccp(\/|$)/;
const REGISTRATION = new RegExp(`^worktrees(/${RID}(/.*)?)?$`);
const BRANCH = new RegExp(`^(logs/)?refs/heads/ccp(/${RID})?$`);
const OBJECTS = /^objects\/([0-9a-f]{2}(\/[0-9a-f]{38})?|pack\/pack-[0-9a-f]{40}\.(pack|idx|rev))$/;
/** Its directory shows `packed-refs.lock`, which git holds while it deletes a branch. */
const TOP = /^$/;

it("in the user's .git a run writes ccp's folder, its worktree's registration, its branch and the objects of its commit", async () => {
  const on = await bench({ "a.txt": "a\n", "dir/b.txt": "b\n", "gone.txt": "g\n" });
  git(on.root, "branch", "users");
  git(on.root, "gc", "--quiet");
  const unexpected = async (allowed: readonly RegExp[], work: () => Promise<unknown>) =>
    (await changesOf(on.root, work)).filter((path) => !allowed.some((pattern) => pattern.test(path)));

  const base = await on.repository.resolveBase("HEAD");
  const make = () => on.repository.createWorkspace({ rid: RID, base });
  expect(await unexpected([OWN_FOLDER, REGISTRATION, BRANCH], make)).toEqual([]);
  const { workspace, path } = await started(on, base);
  let tree = "";
  // One file that is new, and one that the user's repository has already.
  writeFiles(path, { "a.txt": "changed\n", "dir/new.txt": "n\n", "again.txt": "b\n" });
  const record = async () => {
    tree = await workspace.snapshot();
    await workspace.restore(base.tree);
    await workspace.restore(tree);
    await workspace.diff(base.tree, tree);
    await workspace.unpack(await workspace.pack([tree], base.commit));
    await workspace.adopt(tree);
    await workspace.killSurvivors();
    writeFiles(on.root, { "not-committed.txt": "u\n" });
    await workspace.adopt((await on.repository.dirtyBase()).tree);
    await on.repository.remains();
  };
  expect(await unexpected([OWN_FOLDER], record)).toEqual([]);
  const commit = () => workspace.commit(tree, base.commit, "work");
  expect(await unexpected([OWN_FOLDER, REGISTRATION, BRANCH, OBJECTS], commit)).toEqual([]);
  expect(await unexpected([REGISTRATION], commit)).toEqual([]);
  const retire = () => on.repository.retireWorkspace(RID, path);
  expect(await unexpected([OWN_FOLDER, REGISTRATION], retire)).toEqual([]);
  const remove = () => on.repository.removeWorkspace(RID, path);
  expect(await unexpected([BRANCH, TOP], remove)).toEqual([]);
});

it("the objects that a commit brings are those of the commit, and of nothing else that was recorded", async () => {
  const on = await bench({ "a.txt": "a\n" });
  const objects = () =>
    git(on.root, "cat-file", "--batch-all-objects", "--batch-check=%(objectname)", "--unordered").split("\n");
  const before = new Set(objects());
  const { workspace, path, base } = await started(on);
  for (const text of ["first\n", "second\n", "third\n"]) {
    writeFiles(path, { "a.txt": text, [`dir/${text.trim()}.txt`]: text });
    await workspace.snapshot();
  }
  const commit = await workspace.commit(await workspace.snapshot(), base.commit, "work");
  const brought = objects().filter((id) => id !== "" && !before.has(id));
  const wanted = git(on.root, "rev-list", "--objects", "--no-object-names", commit, "--not", base.commit);
  expect(brought.sort()).toEqual(wanted.trim().split("\n").sort());
});

it("a garbage collection of the user's finds all that it looks for, before and after every call of git that a run makes", async () => {
  const root = makeRepository({ "a.txt": "a\n" });
  const folder = tempDir();
  const search = process.env.PATH ?? "";
  const look = `env -i PATH='${search}' HOME='${folder}' git -C '${root}' prune --dry-run --expire=now </dev/null >/dev/null 2>>'${folder}/said'`;
  const script = `#!/bin/sh\n${look}\nPATH='${search}' git "$@"\ncode=$?\n${look}\nexit $code\n`;
  writeFileSync(join(folder, "git"), script, { mode: 0o755 });
  const environment = { ...bareEnvironment(), PATH: `${folder}:${search}` };
  const repository = await openRepository({ cwd: root, environment, stateHome: tempDir() });
  writeFiles(root, { "a.txt": "not committed\n", "b.txt": "b\n" });
  const base = await repository.dirtyBase();
  const { path } = await repository.createWorkspace({ rid: RID, base });
  const workspace = repository.openWorkspace(RID, path);
  writeFiles(path, { "c.txt": "c\n" });
  await workspace.commit(await workspace.snapshot(), base.commit, "work");
  await repository.removeWorkspace(RID, path);
  expect(readFileSync(join(folder, "said"), "utf8")).toBe("");
});

it("where the user's checkout is sparse and worktrees have their own configuration, it is the same", async () => {
  const on = await bench({ "in/a.txt": "a\n", "out/b.txt": "b\n" }, (root) =>
    git(root, "sparse-checkout", "set", "in"),
  );
  const base = await on.repository.resolveBase("HEAD");
  const changes = await changesOf(on.root, async () => {
    const { workspace, path } = await started(on, base);
    writeFiles(path, { "new.txt": "n\n" });
    await workspace.commit(await workspace.snapshot(), base.commit, "work");
  });
  const allowed = [OWN_FOLDER, REGISTRATION, BRANCH, OBJECTS];
  expect(changes.filter((path) => !allowed.some((pattern) => pattern.test(path)))).toEqual([]);
});
