import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { markOf } from "../../src/workspace/orphans.ts";
import { git, writeFiles } from "../support/git.ts";
import { tempDir } from "../support/temp.ts";
import { bench, footprint, look, openBench, RID, started } from "./git-support.ts";

describe("a snapshot", () => {
  it("of what is there already is the base's tree, and again the same", async () => {
    const { workspace, base } = await started(await bench({ "a.txt": "a\n" }));
    expect(await workspace.snapshot()).toBe(base.tree);
    expect(await workspace.snapshot()).toBe(base.tree);
  });

  it("sees a change that keeps size and time", async () => {
    const { workspace, path, base } = await started(await bench({ "a.txt": "aaaa\n" }));
    await workspace.snapshot();
    const { atime, mtime } = statSync(join(path, "a.txt"));
    writeFileSync(join(path, "a.txt"), "bbbb\n");
    utimesSync(join(path, "a.txt"), atime, mtime);
    expect(await workspace.snapshot()).not.toBe(base.tree);
  });

  it("leaves no trace in the user's repository, and none of its objects there", async () => {
    const on = await bench({ "a.txt": "a\n" });
    writeFiles(on.root, { "a.txt": "staged\n", "untracked.txt": "u\n" });
    git(on.root, "stash", "--quiet", "--include-untracked");
    writeFiles(on.root, { "a.txt": "dirty\n" });
    const { workspace, path } = await started(on);
    const before = { ...footprint(on.root), stash: git(on.root, "stash", "list") };
    for (const round of [1, 2, 3]) {
      writeFiles(path, { "a.txt": `round ${round}\n`, [`new ${round}.txt`]: "n\n" });
      await workspace.snapshot();
    }
    expect({ ...footprint(on.root), stash: git(on.root, "stash", "list") }).toEqual(before);
  });

  it("does not depend on what an agent does to git in the worktree", async () => {
    const { workspace, path, base } = await started(await bench({ "a.txt": "a\n" }));
    writeFiles(path, { "b.txt": "b\n" });
    const tree = await workspace.snapshot();
    git(path, "add", "--all");
    git(path, "commit", "--quiet", "--message=an agent's own");
    git(path, "switch", "--quiet", "--create", "elsewhere");
    expect(await workspace.snapshot()).toBe(tree);
    rmSync(join(path, ".git"));
    expect(await workspace.snapshot()).toBe(tree);
    git(path, "init", "--quiet");
    expect(await workspace.snapshot()).toBe(tree);
    await workspace.restore(base.tree);
    expect(await workspace.snapshot()).toBe(base.tree);
  });

  it("is taken one after the other, however many are asked for at once", async () => {
    const on = await bench({ "a.txt": "a\n" });
    const { path } = await started(on);
    writeFiles(path, { "b.txt": "b\n" });
    const again = () => on.repository.openWorkspace(RID, path).snapshot();
    const trees = await Promise.all([again(), again(), again(), again()]);
    expect(new Set(trees).size).toBe(1);
  });

  it("leaves out what is ignored, and keeps what is tracked although it is", async () => {
    const on = await bench({ ".gitignore": "*.log\nbuild/\n", "a.txt": "a\n" }, (root) => {
      writeFiles(root, { "kept.log": "tracked\n" });
      git(root, "add", "--force", "kept.log");
      git(root, "commit", "--quiet", "--message=more");
    });
    const { workspace, path, base } = await started(on);
    writeFiles(path, { "noise.log": "x\n", "build/out.js": "x\n" });
    expect(await workspace.snapshot()).toBe(base.tree);
    writeFiles(path, { "kept.log": "changed\n" });
    expect((await workspace.diffStat(base.tree, await workspace.snapshot())).files).toEqual(["kept.log"]);
  });

  it("drops what was taken in before it was ignored", async () => {
    const { workspace, path, base } = await started(await bench());
    writeFiles(path, { "node_modules/x/index.js": "x\n", "a.txt": "a\n" });
    const early = await workspace.snapshot();
    expect((await workspace.diffStat(base.tree, early)).files).toEqual(["a.txt", "node_modules/x/index.js"]);
    writeFiles(path, { ".gitignore": "node_modules\n" });
    const late = await workspace.snapshot();
    expect((await workspace.diffStat(base.tree, late)).files).toEqual([".gitignore", "a.txt"]);
    expect(existsSync(join(path, "node_modules/x/index.js"))).toBe(true);
  });

  it("honours the user's own ignore file and .git/info/exclude", async () => {
    const on = await bench();
    mkdirSync(join(on.environment.HOME ?? "", ".config/git"), { recursive: true });
    writeFileSync(join(on.environment.HOME ?? "", ".config/git/ignore"), ".DS_Store");
    appendFileSync(join(on.root, ".git/info/exclude"), "scratch\n");
    const { workspace, path, base } = await started(on);
    writeFiles(path, { "sub/.DS_Store": "x", scratch: "x\n" });
    expect(await workspace.snapshot()).toBe(base.tree);
  });

  it("is made from scratch when the private index is damaged or gone", async () => {
    const on = await bench({ "a.txt": "a\n", ".gitignore": "*.log\n" }, (root) => {
      writeFiles(root, { "kept.log": "tracked\n" });
      git(root, "add", "--force", "kept.log");
      git(root, "commit", "--quiet", "--message=more");
    });
    const { workspace, path } = await started(on);
    writeFiles(path, { "b.txt": "b\n" });
    const tree = await workspace.snapshot();
    const index = join(on.root, ".git/ccp/runs", RID, "index");
    for (const damage of ["", "DIRC nonsense", `${readFileSync(index, "latin1").slice(0, -30)}${"x".repeat(30)}`]) {
      writeFileSync(index, damage, "latin1");
      expect(await workspace.snapshot()).toBe(tree);
    }
    rmSync(index);
    expect(await workspace.snapshot()).toBe(tree);
    writeFileSync(index, "DIRC");
    rmSync(join(path, "b.txt"));
    await workspace.restore(tree);
    expect(existsSync(join(path, "b.txt"))).toBe(true);
  });

  it("is not held up by the lock of a git that died", async () => {
    const on = await bench();
    const { workspace, base } = await started(on);
    writeFileSync(join(on.root, ".git/ccp/runs", RID, "index.lock"), "");
    expect(await workspace.snapshot()).toBe(base.tree);
  });

  it.skipIf(process.platform !== "linux")("ends a git that outlived its owner before it begins", async () => {
    const on = await bench();
    const { path, base } = await started(on);
    // It waits for its input as long as it lives.
    const begin = (commonDir: string, rid: string) =>
      spawn("git", ["cat-file", "--batch"], {
        cwd: on.root,
        env: { ...on.environment, ...markOf({ commonDir, rid }) },
      });
    const orphan = begin(on.repository.commonDir, RID);
    const others = [begin(on.repository.commonDir, "r-other1"), begin("/a/clone/.git", RID)];
    onTestFinished(() => others.forEach((other) => void other.kill("SIGKILL")));
    const ended = once(orphan, "exit");
    const next = await openBench(on.root);
    expect(await next.repository.openWorkspace(RID, path).snapshot()).toBe(base.tree);
    expect(await ended).toEqual([null, "SIGTERM"]);
    expect(others.map((other) => other.exitCode ?? other.signalCode)).toEqual([null, null]);
  });

  it("removes what a killed git left of objects it was writing", async () => {
    const on = await bench();
    const { workspace } = await started(on);
    const objects = join(on.root, ".git/ccp/runs", RID, "objects");
    writeFiles(objects, { "ab/tmp_obj_x1": "half", "pack/tmp_pack_x2": "half" });
    await workspace.snapshot();
    expect(existsSync(join(objects, "ab/tmp_obj_x1")) || existsSync(join(objects, "pack/tmp_pack_x2"))).toBe(false);
  });

  it("leaves out sockets and pipes", async () => {
    const { workspace, path, base } = await started(await bench());
    expect((await workspace.run(command("mkfifo pipe"))).exitCode).toBe(0);
    expect(lstatSync(join(path, "pipe")).isFIFO()).toBe(true);
    expect(await workspace.snapshot()).toBe(base.tree);
  });
});

function command(text: string) {
  return { command: text, env: {}, timeoutMs: 10_000, signal: new AbortController().signal };
}

describe("a repository inside the worktree", () => {
  it.each([
    ["without a commit", false],
    ["with a commit", true],
  ])("%s counts as plain files", async (_name, committed) => {
    const { workspace, path, base } = await started(await bench());
    writeFiles(path, {
      "nested/a.txt": "a\n",
      "nested/deep/b.txt": "b\n",
      "nested/.gitignore": "*.log\n",
      "nested/x.log": "",
    });
    git(join(path, "nested"), "init", "--quiet");
    if (committed) commitAll(join(path, "nested"));
    const tree = await workspace.snapshot();
    const files = ["nested/.gitignore", "nested/a.txt", "nested/deep/b.txt"];
    expect((await workspace.diffStat(base.tree, tree)).files).toEqual(files);
    writeFiles(path, { "nested/c.txt": "c\n" });
    rmSync(join(path, "nested/a.txt"));
    const next = await workspace.snapshot();
    expect((await workspace.diffStat(tree, next)).files).toEqual(["nested/a.txt", "nested/c.txt"]);
    await workspace.restore(tree);
    expect(readFileSync(join(path, "nested/a.txt"), "utf8")).toBe("a\n");
    expect(existsSync(join(path, "nested/c.txt"))).toBe(false);
    expect(existsSync(join(path, "nested/.git"))).toBe(true);
    expect(await workspace.snapshot()).toBe(tree);
  });

  it("counts as plain files however deep it is nested, and when there is nothing in it", async () => {
    const { workspace, path, base } = await started(await bench());
    for (const below of ["one", "one/two", "one/two/three", "empty", "other, with a comma\nand more"]) {
      mkdirSync(join(path, below), { recursive: true });
      git(join(path, below), "init", "--quiet");
      if (below !== "empty") writeFiles(path, { [`${below}/file`]: "x\n" });
    }
    const files = ["one/file", "one/two/file", "one/two/three/file", "other, with a comma\nand more/file"];
    const tree = await workspace.snapshot();
    expect([...(await workspace.diffStat(base.tree, tree)).files].sort()).toEqual(files.sort());
    expect(await workspace.snapshot()).toBe(tree);
  });

  it("that was not there yet is gone after a restore", async () => {
    const { workspace, path, base } = await started(await bench({ "a.txt": "a\n" }));
    writeFiles(path, { "clone/x.txt": "x\n" });
    git(join(path, "clone"), "init", "--quiet");
    await workspace.restore(base.tree);
    expect(existsSync(join(path, "clone"))).toBe(false);
    writeFiles(path, { "clone/x.txt": "x\n" });
    git(join(path, "clone"), "init", "--quiet");
    commitAll(join(path, "clone"));
    await workspace.snapshot();
    await workspace.restore(base.tree);
    expect(existsSync(join(path, "clone"))).toBe(false);
    expect(await workspace.snapshot()).toBe(base.tree);
  });
});

function commitAll(root: string): void {
  git(root, "add", "--all");
  git(root, "commit", "--quiet", "--message=nested");
}

describe("a restore", () => {
  it("touches only what differs", async () => {
    const { workspace, path, base } = await started(await bench({ "a.txt": "a\n", "b.txt": "b\n" }));
    const before = statSync(join(path, "a.txt"));
    writeFiles(path, { "b.txt": "changed\n", "c.txt": "c\n" });
    await workspace.restore(base.tree);
    const { ino, mtimeMs } = statSync(join(path, "a.txt"));
    expect({ ino, mtimeMs }).toEqual({ ino: before.ino, mtimeMs: before.mtimeMs });
    expect(look(path)).toMatchObject({ "b.txt": expect.any(String) });
    expect(existsSync(join(path, "c.txt"))).toBe(false);
  });

  it("undoes what no snapshot has seen", async () => {
    const { workspace, path, base } = await started(await bench({ "a/b.txt": "b\n", "c.txt": "c\n", "run.sh": "x\n" }));
    rmSync(join(path, "a"), { recursive: true });
    writeFileSync(join(path, "a"), "a file now");
    rmSync(join(path, "c.txt"));
    symlinkSync("/etc/passwd", join(path, "c.txt"));
    chmodSync(join(path, "run.sh"), 0o755);
    writeFiles(path, { "new/deep/er.txt": "x\n" });
    await workspace.restore(base.tree);
    expect(Object.keys(look(path)).sort()).toEqual(["a/b.txt", "c.txt", "run.sh"]);
    expect(readFileSync(join(path, "c.txt"), "utf8")).toBe("c\n");
    expect(existsSync(join(path, "new"))).toBe(false);
    expect(await workspace.snapshot()).toBe(base.tree);
  });

  it("never follows a link out of the worktree", async () => {
    const { workspace, path, base } = await started(await bench({ "dir/a.txt": "a\n", "dir/b.txt": "b\n" }));
    const outside = tempDir();
    writeFiles(outside, { "a.txt": "not yours\n", "c.txt": "nor this\n" });
    rmSync(join(path, "dir"), { recursive: true });
    symlinkSync(outside, join(path, "dir"));
    await workspace.restore(base.tree);
    expect(readFileSync(join(outside, "a.txt"), "utf8")).toBe("not yours\n");
    expect(readdirSync(outside).sort()).toEqual(["a.txt", "c.txt"]);
    expect(lstatSync(join(path, "dir")).isDirectory()).toBe(true);
    expect(await workspace.snapshot()).toBe(base.tree);
  });

  it("leaves ignored files, even those that the present rules would not ignore", async () => {
    const { workspace, path, base } = await started(await bench({ ".gitignore": "node_modules\n*.log\n" }));
    writeFiles(path, { "node_modules/x.js": "x\n", "sub/trace.log": "x\n" });
    rmSync(join(path, ".gitignore"));
    await workspace.restore(base.tree);
    expect(existsSync(join(path, "node_modules/x.js"))).toBe(true);
    expect(existsSync(join(path, "sub/trace.log"))).toBe(true);
    expect(await workspace.snapshot()).toBe(base.tree);
  });

  it("removes what only later rules ignored", async () => {
    const { workspace, path, base } = await started(await bench());
    writeFiles(path, { ".gitignore": "node_modules\n", "node_modules/x.js": "x\n" });
    await workspace.snapshot();
    await workspace.restore(base.tree);
    expect(existsSync(join(path, "node_modules"))).toBe(false);
    expect(await workspace.snapshot()).toBe(base.tree);
  });

  it("replaces an ignored file that is in the way of a tracked one", async () => {
    const { workspace, path, base } = await started(await bench({ ".gitignore": "build\n", "a.txt": "a\n" }));
    writeFiles(path, { ".gitignore": "", build: "a tracked file\n" });
    const tree = await workspace.snapshot();
    await workspace.restore(base.tree);
    writeFiles(path, { "build/ignored.txt": "in the way\n" });
    await workspace.restore(tree);
    expect(readFileSync(join(path, "build"), "utf8")).toBe("a tracked file\n");
  });

  it("goes on after one that was cut short", async () => {
    const on = await bench({ "a.txt": "a\n" });
    const { workspace, path, base } = await started(on);
    writeFiles(path, { "b.txt": "b\n", "untracked.txt": "u\n" });
    const tree = await workspace.snapshot();
    // Cut between its two passes: new files are noted in the index, not yet deleted.
    const GIT_INDEX_FILE = join(on.root, ".git/ccp/runs", RID, "index");
    execFileSync("git", ["read-tree", base.tree], { cwd: path, env: { ...on.environment, GIT_INDEX_FILE } });
    execFileSync("git", ["add", "-N", "."], { cwd: path, env: { ...on.environment, GIT_INDEX_FILE } });
    writeFiles(path, { "later.txt": "l\n" });
    await workspace.restore(base.tree);
    expect(Object.keys(look(path))).toEqual(["a.txt"]);
    await workspace.restore(tree);
    expect(Object.keys(look(path)).sort()).toEqual(["a.txt", "b.txt", "untracked.txt"]);
  });

  it("gives symlinks back with their words, wherever they lead", async () => {
    const { workspace, path, base } = await started(await bench());
    symlinkSync("/no/such/place", join(path, "absolute"));
    symlinkSync("../../out", join(path, "relative"));
    const tree = await workspace.snapshot();
    await workspace.restore(base.tree);
    await workspace.restore(tree);
    expect(readlinkSync(join(path, "absolute"))).toBe("/no/such/place");
    expect(readlinkSync(join(path, "relative"))).toBe("../../out");
  });
});
