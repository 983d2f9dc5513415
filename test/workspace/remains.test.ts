import { cpSync, existsSync, linkSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { EXIT } from "../../src/core/errors.ts";
import { openRepository } from "../../src/workspace/repository.ts";
import { git, makeRepository, writeFiles } from "../support/git.ts";
import { tempDir } from "../support/temp.ts";
import { type Bench, bench, footprint, look, RID, started } from "./git-support.ts";

/** A second clone of the same user's: the same folder for worktrees. */
async function secondClone(on: Bench): Promise<Bench> {
  const root = join(tempDir(), "clone");
  git("/", "clone", "--quiet", on.root, root);
  return openAt(on, root);
}

async function openAt(on: Bench, root: string): Promise<Bench> {
  const { environment, stateHome } = on;
  return { ...on, root, repository: await openRepository({ cwd: root, environment, stateHome }) };
}

async function rids(on: Bench): Promise<readonly string[]> {
  return (await on.repository.remains()).map(({ rid }) => rid);
}

describe("retiring a run", () => {
  it("leaves its branch with the one commit, and nothing else", async () => {
    const on = await bench({ "a.txt": "a\n" });
    const before = footprint(on.root);
    const { workspace, path, base } = await started(on);
    writeFiles(path, { "b.txt": "b\n" });
    const commit = await workspace.commit(await workspace.snapshot(), base.commit, "work");
    await on.repository.retireWorkspace(RID, path);
    expect(git(on.root, "for-each-ref", "--format=%(objectname)", `refs/heads/ccp/${RID}`).trim()).toBe(commit);
    expect(git(on.root, "show", `ccp/${RID}:b.txt`)).toBe("b\n");
    expect(existsSync(path)).toBe(false);
    expect(git(on.root, "worktree", "list").trim().split("\n")).toHaveLength(1);
    expect(readdirSync(join(on.root, ".git/ccp/runs"))).toEqual([]);
    expect({ ...footprint(on.root), objects: "" }).toEqual({ ...before, objects: "" });
  });

  it("does not miss what is gone, and can be followed by a removal", async () => {
    const on = await bench();
    const { path } = await started(on);
    rmSync(path, { recursive: true });
    for (const _ of [1, 2]) await on.repository.retireWorkspace(RID, path);
    expect(await rids(on)).toEqual([RID]);
    await on.repository.removeWorkspace(RID, path);
    expect(await rids(on)).toEqual([]);
  });

  it("finds the worktree of a run whose journal names none", async () => {
    const on = await bench();
    const { path } = await started(on);
    await on.repository.retireWorkspace(RID, "");
    expect(existsSync(path)).toBe(false);
    await on.repository.removeWorkspace("r-never1", "");
  });

  it("refuses any path but a worktree of that run", async () => {
    const on = await bench();
    await started(on);
    await expect(on.repository.retireWorkspace(RID, on.root)).rejects.toThrow("not a worktree");
    expect(existsSync(join(on.root, "README.md"))).toBe(true);
  });
});

describe("removing a run", () => {
  it("does not write the user's configuration, whatever it says of the branch", async () => {
    const on = await bench();
    const { path } = await started(on);
    git(on.root, "config", `branch.ccp/${RID}.remote`, "origin");
    const config = join(on.root, ".git/config");
    const before = readFileSync(config, "utf8");
    await on.repository.removeWorkspace(RID, path);
    expect(readFileSync(config, "utf8")).toBe(before);
    expect(git(on.root, "branch", "--list", "ccp/*")).toBe("");
  });

  it("finds its branch when it was packed away", async () => {
    const on = await bench();
    const { path } = await started(on);
    git(on.root, "pack-refs", "--all");
    await on.repository.removeWorkspace(RID, path);
    expect(git(on.root, "for-each-ref", "refs/heads/ccp")).toBe("");
  });
});

describe("what remains of runs", () => {
  it("is nothing where nothing ran", async () => {
    const on = await bench();
    expect(await on.repository.remains()).toEqual([]);
    expect(existsSync(join(on.stateHome, "ccp"))).toBe(false);
  });

  it("is named by whatever there is: a worktree, a folder or a branch, each run once", async () => {
    const on = await bench();
    const whole = await started(on, undefined, "r-whole1");
    const worktree = await started(on, undefined, "r-worktr");
    rmSync(join(on.root, ".git/ccp/runs/r-worktr"), { recursive: true });
    git(on.root, "worktree", "unlock", worktree.path);
    rmSync(join(on.root, ".git/worktrees/r-worktr"), { recursive: true });
    git(on.root, "branch", "-D", "ccp/r-worktr");
    await on.repository.openWorkspace("r-folder", "").adopt(whole.base.tree);
    git(on.root, "branch", "ccp/r-branch");
    git(on.root, "branch", "ccp/my-own-idea");
    const remains = await on.repository.remains();
    expect(remains.map(({ rid }) => rid)).toEqual(["r-branch", "r-folder", "r-whole1", "r-worktr"]);
    expect(remains.map(({ sizeBytes }) => sizeBytes > 0)).toEqual([false, true, true, true]);
  });

  it("has the size of worktree and folder, links not followed and files with several names counted once", async () => {
    const on = await bench();
    const { path } = await started(on);
    const size = async () => (await on.repository.remains())[0]?.sizeBytes ?? 0;
    const before = await size();
    writeFileSync(join(path, "large.bin"), Buffer.alloc(1024 * 1024, "x"));
    symlinkSync("/usr", join(path, "link"));
    linkSync(join(path, "large.bin"), join(path, "again.bin"));
    const grown = (await size()) - before;
    expect(grown).toBeGreaterThanOrEqual(1024 * 1024);
    expect(grown).toBeLessThan(1.5 * 1024 * 1024);
  });

  it("does not count the runs of another repository, though worktrees are beside each other", async () => {
    const on = await bench();
    const other = { ...(await bench()), stateHome: on.stateHome };
    await started(await openAt(on, other.root), undefined, "r-other1");
    await started(on);
    expect(await rids(on)).toEqual([RID]);
  });
});

describe("the same run in two clones", () => {
  it("is refused a worktree where the other has its own, which is left alone", async () => {
    const on = await bench({ "a.txt": "a\n" });
    const { path, base } = await started(on);
    writeFiles(path, { "work.txt": "not on record yet\n" });
    const clone = await secondClone(on);
    expect(clone.repository.hasWorkspace(path)).toBe(false);
    await expect(started(clone, base)).rejects.toMatchObject({
      code: "worktree_taken",
      exitCode: EXIT.usage,
      message: expect.stringContaining(on.root),
      hint: expect.stringContaining("ccp discard"),
    });
    await clone.repository.retireWorkspace(RID, path);
    await clone.repository.removeWorkspace(RID, path);
    expect(await rids(clone)).toEqual([]);
    expect(readFileSync(join(path, "work.txt"), "utf8")).toBe("not on record yet\n");
    expect(on.repository.hasWorkspace(path)).toBe(true);
  });

  it("is the first one's where the repository was copied with all that it had", async () => {
    const on = await bench({ "a.txt": "a\n" });
    const { path, base } = await started(on);
    writeFiles(path, { "large.bin": Buffer.alloc(1024 * 1024, "x") });
    const copy = join(tempDir(), "copy");
    cpSync(on.root, copy, { recursive: true, preserveTimestamps: true });
    const other = await openAt(on, copy);
    expect(other.repository.hasWorkspace(path)).toBe(false);
    await expect(started(other, base)).rejects.toMatchObject({ code: "worktree_taken" });
    const size = async (of: Bench) => (await of.repository.remains())[0]?.sizeBytes;
    expect(await size(on)).toBeGreaterThan(1024 * 1024);
    expect(await size(other)).toBeLessThan(1024 * 1024);
    await other.repository.removeWorkspace(RID, path);
    const kept = on.repository.openWorkspace(RID, path);
    expect((await kept.diffStat(base.tree, await kept.snapshot())).files).toEqual(["large.bin"]);
  });

  it("goes on where the repository was moved", async () => {
    const on = await bench({ "a.txt": "a\n" });
    const { path, base } = await started(on);
    writeFiles(path, { "work.txt": "w\n" });
    const moved = join(tempDir(), "moved");
    cpSync(on.root, moved, { recursive: true, preserveTimestamps: true });
    rmSync(on.root, { recursive: true });
    const there = await openAt(on, moved);
    expect(there.repository.hasWorkspace(path)).toBe(true);
    const { workspace } = await started(there, base);
    expect((await workspace.diffStat(base.tree, await workspace.snapshot())).files).toEqual(["work.txt"]);
  });
});

describe("a worktree is there", () => {
  it("not where there is none, and not for no path", async () => {
    const on = await bench();
    const { path } = await started(on);
    expect(["", ".", on.root, `${path}x`, path].map((at) => on.repository.hasWorkspace(at))).toEqual([
      false,
      false,
      false,
      false,
      true,
    ]);
    rmSync(path, { recursive: true });
    expect(on.repository.hasWorkspace(path)).toBe(false);
  });

  it("whatever an agent did to its `.git`", async () => {
    const on = await bench();
    const { path } = await started(on);
    rmSync(join(path, ".git"));
    expect(on.repository.hasWorkspace(path)).toBe(true);
    git(path, "init", "--quiet");
    expect(on.repository.hasWorkspace(path)).toBe(true);
    rmSync(join(path, ".git"), { recursive: true });
    const other = makeRepository();
    git(other, "worktree", "add", "--quiet", join(tempDir(), "linked"));
    writeFileSync(join(path, ".git"), `gitdir: ${other}/.git/worktrees/linked\n`);
    expect(on.repository.hasWorkspace(path)).toBe(true);
  });

  it("once one that was made again has the files on record, and not before", async () => {
    const on = await bench({ "a.txt": "a\n" });
    const { workspace, path, base } = await started(on);
    writeFiles(path, { "b.txt": "b\n" });
    const tree = await workspace.snapshot();
    rmSync(path, { recursive: true });
    const again = await started(on, base);
    expect(on.repository.hasWorkspace(path)).toBe(false);
    await started(on, base);
    expect(on.repository.hasWorkspace(path)).toBe(false);
    await again.workspace.restore(tree);
    expect(on.repository.hasWorkspace(path)).toBe(true);
    expect(Object.keys(look(path)).sort()).toEqual(["a.txt", "b.txt"]);
  });

  it("not while it is only half made", async () => {
    const on = await bench({ "a.txt": "a\n" });
    const { path } = await started(on);
    rmSync(join(on.root, ".git/ccp/runs", RID, "base"));
    expect(on.repository.hasWorkspace(path)).toBe(false);
  });
});

it("a commit is there or not, and what is no full hash is none", async () => {
  const on = await bench();
  const { commit, tree } = await on.repository.resolveBase("HEAD");
  const asked = [commit, tree, "1".repeat(40), commit.slice(0, 10), "HEAD", "", "--help"];
  expect(await Promise.all(asked.map((name) => on.repository.hasCommit(name)))).toEqual([
    true,
    ...asked.slice(1).map(() => false),
  ]);
});
