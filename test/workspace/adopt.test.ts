import { readdirSync, rmSync, statSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { git, makeRepository, writeFiles } from "../support/git.ts";
import { tempDir } from "../support/temp.ts";
import { type Bench, bench, look, openBench, RID, started } from "./git-support.ts";

/** Drops all that nothing in the user's repository leads to. */
function collectGarbage(root: string): void {
  git(root, "reflog", "expire", "--expire=now", "--all");
  git(root, "gc", "--quiet", "--prune=now");
}

/** Another run with a file of its own, on record. */
async function otherRun(on: Bench) {
  const run = await started(on, undefined, "r-other1");
  writeFiles(run.path, { "b.txt": "what the other run did\n", "deep/er/c.txt": "c\n" });
  return { ...run, tree: await run.workspace.snapshot() };
}

function storedBytes(root: string, rid: string): readonly string[] {
  return readdirSync(join(root, ".git/ccp/runs", rid, "objects"), { recursive: true, encoding: "utf8" }).sort();
}

/** When something was last written, made or removed in each directory of a run's store. */
function touched(root: string, rid: string): Readonly<Record<string, number>> {
  const store = join(root, ".git/ccp/runs", rid, "objects");
  const folders = [".", "pack", "info"];
  return Object.fromEntries(folders.map((name) => [name, statSync(join(store, name)).mtimeMs]));
}

describe("a tree of another run", () => {
  it("is there when that run is gone", async () => {
    const on = await bench({ "a.txt": "a\n" });
    const other = await otherRun(on);
    const { workspace, path } = await started(on);
    const before = touched(on.root, "r-other1");
    await workspace.adopt(other.tree);
    expect(touched(on.root, "r-other1")).toEqual(before);
    await on.repository.removeWorkspace("r-other1", other.path);
    collectGarbage(on.root);
    await workspace.restore(other.tree);
    expect(Object.keys(look(path)).sort()).toEqual(["a.txt", "b.txt", "deep/er/c.txt"]);
    expect(await workspace.snapshot()).toBe(other.tree);
  });

  it("is there when the user's repository had it, by that run's commit, and has dropped it since", async () => {
    const on = await bench({ "a.txt": "a\n" });
    const other = await otherRun(on);
    await other.workspace.commit(other.tree, other.base.commit, "work");
    const { workspace } = await started(on);
    await workspace.adopt(other.tree);
    await on.repository.removeWorkspace("r-other1", other.path);
    collectGarbage(on.root);
    await workspace.restore(other.tree);
    expect(await workspace.snapshot()).toBe(other.tree);
  });

  it("is found in the user's repository when the run's own store is gone", async () => {
    const on = await bench({ "a.txt": "a\n" });
    const other = await otherRun(on);
    await other.workspace.commit(other.tree, other.base.commit, "work");
    await on.repository.retireWorkspace("r-other1", other.path);
    const { workspace } = await started(on);
    await workspace.adopt(other.tree);
    await workspace.restore(other.tree);
    expect(await workspace.snapshot()).toBe(other.tree);
  });

  it("is not copied twice, and a tree of the run's own not at all", async () => {
    const on = await bench({ "a.txt": "a\n" });
    const other = await otherRun(on);
    const { workspace, path } = await started(on);
    writeFiles(path, { "mine.txt": "m\n" });
    const mine = await workspace.snapshot();
    const before = storedBytes(on.root, RID);
    await workspace.adopt(mine);
    expect(storedBytes(on.root, RID)).toEqual(before);
    await workspace.adopt(other.tree);
    const adopted = storedBytes(on.root, RID);
    expect(adopted.length).toBeGreaterThan(before.length);
    await workspace.adopt(other.tree);
    expect(storedBytes(on.root, RID)).toEqual(adopted);
  });

  it("is taken from where it is whole", async () => {
    const on = await bench({ "a.txt": "a\n" });
    const other = await otherRun(on);
    const whole = await started(on, undefined, "r-whole1");
    await whole.workspace.adopt(other.tree);
    const blob = git(other.path, "hash-object", "b.txt").trim();
    rmSync(join(on.root, ".git/ccp/runs/r-other1/objects", blob.slice(0, 2), blob.slice(2)));
    const { workspace } = await started(on);
    await workspace.adopt(other.tree);
    await workspace.restore(other.tree);
    expect(await workspace.snapshot()).toBe(other.tree);
  });

  it("that half is gone is told before anything is restored", async () => {
    const on = await bench({ "a.txt": "a\n" });
    const other = await otherRun(on);
    const blob = git(other.path, "hash-object", "b.txt").trim();
    rmSync(join(on.root, ".git/ccp/runs/r-other1/objects", blob.slice(0, 2), blob.slice(2)));
    const { workspace, base } = await started(on);
    await expect(workspace.adopt(other.tree)).rejects.toMatchObject({ code: "tree_missing" });
    expect(await workspace.snapshot()).toBe(base.tree);
  });

  it("that began from uncommitted work is adopted with that", async () => {
    const on = await bench({ "a.txt": "a\n" });
    writeFiles(on.root, { "a.txt": "not committed\n" });
    const other = await started(on, await on.repository.dirtyBase(), "r-other1");
    writeFiles(other.path, { "b.txt": "b\n" });
    const tree = await other.workspace.snapshot();
    const { workspace } = await started(on);
    await workspace.adopt(tree);
    await on.repository.removeWorkspace("r-other1", other.path);
    await workspace.restore(tree);
    expect(await workspace.snapshot()).toBe(tree);
  });
});

it("a snapshot of the user's uncommitted work can be adopted while it waits for its own run", async () => {
  const on = await bench({ "a.txt": "a\n" });
  writeFiles(on.root, { "a.txt": "not committed\n" });
  const waiting = await on.repository.dirtyBase();
  const { workspace } = await started(on);
  await workspace.adopt(waiting.tree);
  rmSync(join(on.root, ".git/ccp/bases"), { recursive: true });
  await workspace.restore(waiting.tree);
  expect(await workspace.snapshot()).toBe(waiting.tree);
});

it("a tree is adopted before the worktree is made, and where the path is full of surprises", async () => {
  const root = join(tempDir(), 'sp ace"\\:\nünï');
  git("/", "clone", "--quiet", makeRepository({ "a.txt": "a\n" }), root);
  const on = await openBench(root);
  const other = await otherRun(on);
  await on.repository.openWorkspace("r-early1", "").adopt(other.tree);
  await on.repository.removeWorkspace("r-other1", other.path);
  const { workspace } = await started(on, undefined, "r-early1");
  await workspace.restore(other.tree);
  expect(await workspace.snapshot()).toBe(other.tree);
});

describe("what a snapshot has taken in", () => {
  it("stays, though the user's repository had the same object and has dropped it", async () => {
    const on = await bench({ "a.txt": "a\n" });
    const other = await otherRun(on);
    await other.workspace.commit(other.tree, other.base.commit, "work");
    const { workspace, path, base } = await started(on);
    writeFiles(path, { "b.txt": "what the other run did\n", "deep/er/c.txt": "c\n" });
    const tree = await workspace.snapshot();
    await on.repository.removeWorkspace("r-other1", other.path);
    collectGarbage(on.root);
    await workspace.restore(base.tree);
    await workspace.restore(tree);
    expect(await workspace.snapshot()).toBe(tree);
  });

  it("is not copied where the base has it under another name", async () => {
    const on = await bench({ "large.bin": Buffer.alloc(100_000, "x"), "a.txt": "a\n" });
    const { workspace, path } = await started(on);
    git(path, "mv", "large.bin", "moved.bin");
    await workspace.snapshot();
    expect(storedBytes(on.root, RID).filter((name) => name.endsWith(".pack"))).toEqual([]);
  });

  it("is taken in again when a crash left an index that speaks of an object which is gone", async () => {
    const on = await bench({ "a.txt": "a\n" });
    const { workspace, path } = await started(on);
    writeFiles(path, { "b.txt": "b\n", "deep/c.txt": "c\n" });
    // Git reads a file again that is as young as its index.
    for (const name of ["b.txt", "deep/c.txt"]) utimesSync(join(path, name), 1_000_000_000, 1_000_000_000);
    const tree = await workspace.snapshot();
    for (const name of ["b.txt", "deep/c.txt"]) {
      const blob = git(path, "hash-object", name).trim();
      rmSync(join(on.root, ".git/ccp/runs", RID, "objects", blob.slice(0, 2), blob.slice(2)));
      writeFiles(path, { "d.txt": `${name}\n` });
      const { repository } = await openBench(on.root);
      const next = await repository.openWorkspace(RID, path).snapshot();
      rmSync(join(path, name));
      await workspace.restore(next);
      expect(look(path)).toHaveProperty([name]);
    }
    rmSync(join(path, "d.txt"));
    expect(await workspace.snapshot()).toBe(tree);
  });
});
