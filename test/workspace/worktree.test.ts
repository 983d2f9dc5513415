import {
  appendFileSync,
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { EXIT } from "../../src/core/errors.ts";
import { createRepository } from "../../src/workspace/create-repository.ts";
import { ownerOfWorktree, stateDirOf } from "../../src/workspace/layout.ts";
import { openRepository } from "../../src/workspace/repository.ts";
import { git, makeRepository, writeFiles } from "../support/git.ts";
import { tempDir } from "../support/temp.ts";
import { bareEnvironment, bench, footprint, look, openBench, RID, started, withSubmodule } from "./git-support.ts";

describe("making a worktree", () => {
  it("has the files of the base on a branch of its own, outside the repository, and leaves the user's tree alone", async () => {
    const on = await bench({ "a.txt": "a\n", "bin/tool": "#!/bin/sh\n" }, (root) => {
      chmodSync(join(root, "bin/tool"), 0o755);
      symlinkSync("../a.txt", join(root, "bin/link"));
      git(root, "add", "--all");
      git(root, "commit", "--quiet", "--message=more");
    });
    const before = footprint(on.root);
    const { path, base } = await started(on);
    expect(path).toBe(join(realpathSync(on.stateHome), "ccp", "worktrees", RID));
    expect(readFileSync(join(path, "a.txt"), "utf8")).toBe("a\n");
    expect(statSync(join(path, "bin/tool")).mode & 0o111).toBe(0o111);
    expect(readlinkSync(join(path, "bin/link"))).toBe("../a.txt");
    expect(git(path, "status", "--porcelain=v2", "--branch").split("\n").slice(0, 2)).toEqual([
      `# branch.oid ${base.commit}`,
      `# branch.head ccp/${RID}`,
    ]);
    expect(git(path, "status", "--short")).toBe("");
    expect(footprint(on.root)).toEqual(before);
  });

  it("holds names with spaces, unicode, line feeds and leading dashes, CRLF, binary and large files", async () => {
    const large = Buffer.alloc(50 * 1024 * 1024, "0123456789abcdef");
    const files = {
      "sp ace/ünï☃.txt": "x\n",
      "line\nfeed": "x\n",
      "-dash": "x\n",
      "crlf.txt": "one\r\ntwo\r\n",
      "no-end.txt": "last line without an end",
      "raw.bin": Buffer.from([0, 1, 2, 0xff, 0xfe]),
      empty: "",
      "large.bin": large,
    };
    const on = await bench(files);
    const { path, workspace, base } = await started(on);
    expect(look(path)).toEqual(look(on.root));
    expect(await workspace.snapshot()).toBe(base.tree);
  });

  it("works where the state directory's path is full of surprises", async () => {
    const root = makeRepository();
    const stateHome = join(tempDir(), "st ate\nünï:\"'");
    const repository = await openRepository({ cwd: root, environment: bareEnvironment(), stateHome });
    const base = await repository.resolveBase("HEAD");
    const { path } = await repository.createWorkspace({ rid: RID, base });
    const workspace = repository.openWorkspace(RID, path);
    writeFileSync(join(path, "new.txt"), "x\n");
    const tree = await workspace.snapshot();
    expect((await workspace.diffStat(base.tree, tree)).files).toEqual(["new.txt"]);
    await repository.removeWorkspace(RID, path);
    expect(existsSync(path)).toBe(false);
  });

  it("runs no hook of the repository's", async () => {
    const on = await bench();
    const mark = join(tempDir(), "ran");
    mkdirSync(join(on.root, ".git", "hooks"), { recursive: true });
    for (const name of ["post-checkout", "post-index-change", "reference-transaction"]) {
      writeFileSync(join(on.root, ".git", "hooks", name), `#!/bin/sh\necho ${name} >>'${mark}'\n`, { mode: 0o755 });
    }
    const { workspace, path, base } = await started(on);
    writeFileSync(join(path, "new.txt"), "x\n");
    await workspace.commit(await workspace.snapshot(), base.commit, "work");
    await workspace.restore(base.tree);
    await on.repository.removeWorkspace(RID, path);
    expect(existsSync(mark)).toBe(false);
  });

  it("is not taken for stale by a prune of the user's", async () => {
    const on = await bench();
    const { workspace, path } = await started(on);
    rmSync(join(path, ".git"));
    git(on.root, "worktree", "prune");
    git(on.root, "gc", "--quiet", "--prune=now");
    writeFileSync(join(path, "new.txt"), "x\n");
    expect(await workspace.snapshot()).toMatch(/^[0-9a-f]{40}$/);
  });

  it.each(["true", "input"])("with core.autocrlf=%s records what git would", async (autocrlf) => {
    const on = await bench({ "a.txt": "one\ntwo\n" }, (root) => git(root, "config", "core.autocrlf", autocrlf));
    const { workspace, path, base } = await started(on);
    expect(await workspace.snapshot()).toBe(base.tree);
    writeFileSync(join(path, "b.txt"), "three\r\nfour\r\n");
    const tree = await workspace.snapshot();
    expect(git(on.root, "config", "core.autocrlf").trim()).toBe(autocrlf);
    rmSync(join(path, "b.txt"));
    await workspace.restore(tree);
    expect(await workspace.snapshot()).toBe(tree);
  });

  it("gives a whole tree where the user's checkout is sparse, and leaves that sparse", async () => {
    const on = await bench({ "in/a.txt": "a\n", "out/b.txt": "b\n" }, (root) =>
      git(root, "sparse-checkout", "set", "in"),
    );
    const before = footprint(on.root);
    const { workspace, path, base } = await started(on);
    expect(Object.keys(look(path)).sort()).toEqual(["in/a.txt", "out/b.txt"]);
    expect(git(path, "status", "--short")).toBe("");
    expect(await workspace.snapshot()).toBe(base.tree);
    expect(footprint(on.root)).toEqual(before);
    expect(existsSync(join(on.root, "out"))).toBe(false);
    git(path, "read-tree", "-m", "-u", "HEAD");
    expect(existsSync(join(path, "out/b.txt"))).toBe(true);
  });

  it("leaves submodules empty, says so, and keeps their links", async () => {
    const on = await withSubmodule();
    git(on.root, "config", "submodule.recurse", "true");
    const { workspace, path, base, notices } = await started(on);
    expect(notices).toEqual([expect.stringMatching(/submodules .*: lib$/)]);
    expect(readdirSync(join(path, "lib"))).toEqual([]);
    expect(await workspace.snapshot()).toBe(base.tree);
    rmSync(join(path, "lib"), { recursive: true });
    expect(await workspace.snapshot()).not.toBe(base.tree);
    await workspace.restore(base.tree);
    expect(await workspace.snapshot()).toBe(base.tree);
  });

  it("leaves files of git-lfs as pointers where the program is missing, and says so", async () => {
    const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${"0".repeat(64)}\nsize 12345\n`;
    const on = await bench({ "a.txt": "a\n", "assets/big.bin": pointer }, (root) => {
      writeFiles(root, { "assets/.gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n" });
      git(root, "add", "--all");
      git(root, "commit", "--quiet", "--message=lfs");
      for (const [key, value] of [
        ["process", "git-lfs filter-process"],
        ["smudge", "git-lfs smudge -- %f"],
        ["clean", "git-lfs clean -- %f"],
        ["required", "true"],
      ] as const) {
        git(root, "config", `filter.lfs.${key}`, value);
      }
    });
    const { workspace, path, base, notices } = await started(on);
    expect(notices).toEqual([expect.stringContaining("git-lfs")]);
    expect(readFileSync(join(path, "assets/big.bin"), "utf8")).toBe(pointer);
    appendFileSync(join(path, "a.txt"), "more\n");
    rmSync(join(path, "assets/big.bin"));
    const tree = await workspace.snapshot();
    await workspace.restore(base.tree);
    expect(await workspace.snapshot()).toBe(base.tree);
    expect((await workspace.diffStat(base.tree, tree)).files).toEqual(["a.txt", "assets/big.bin"]);
  });

  it("says what is in the way when the user has a branch named ccp", async () => {
    const on = await bench();
    git(on.root, "branch", "ccp");
    await expect(started(on)).rejects.toMatchObject({
      code: "worktree_failed",
      exitCode: EXIT.usage,
      hint: expect.stringContaining("git branch -m ccp"),
    });
  });

  it("can be made from a linked worktree of the user's, too", async () => {
    const root = makeRepository();
    const linked = join(tempDir(), "linked");
    git(root, "worktree", "add", "--quiet", linked);
    const { workspace, path, base } = await started(await openBench(linked));
    writeFileSync(join(path, "new.txt"), "x\n");
    const commit = await workspace.commit(await workspace.snapshot(), base.commit, "work");
    expect(git(root, "rev-parse", `ccp/${RID}`).trim()).toBe(commit);
  });
});

describe("making a worktree again after a crash", () => {
  /** What a kill between any two steps can leave behind, made from a worktree that is complete. */
  const leftovers: Readonly<Record<string, (root: string, path: string) => void>> = {
    "only the branch": (root, path) => {
      git(root, "worktree", "remove", "--force", "--force", path);
    },
    "a branch that is elsewhere": (root, path) => {
      git(root, "worktree", "remove", "--force", "--force", path);
      git(root, "commit", "--quiet", "--allow-empty", "--message=second");
      git(root, "branch", "--force", `ccp/${RID}`, "HEAD");
      git(root, "reset", "--quiet", "--soft", "HEAD~1");
    },
    "a registration without a worktree": (_root, path) => rmSync(path, { recursive: true }),
    "a registration that git had just begun": (root, path) => {
      rmSync(path, { recursive: true });
      for (const name of ["gitdir", "HEAD", "commondir"]) rmSync(join(root, ".git/worktrees", RID, name));
      writeFileSync(join(root, ".git/worktrees", RID, "locked"), "initializing");
    },
    "half of the files": (_root, path) => rmSync(join(path, "a.txt")),
    "half of a file, and the locks": (root, path) => {
      writeFileSync(join(path, "a.txt"), "hal");
      writeFileSync(join(root, ".git/worktrees", RID, "index.lock"), "");
      writeFileSync(join(root, ".git/ccp/runs", RID, "index.lock"), "");
    },
    "a broken index": (root) => writeFileSync(join(root, ".git/ccp/runs", RID, "index"), "DIRC"),
    "no objects": (root) => rmSync(join(root, ".git/ccp/runs", RID), { recursive: true }),
  };

  it.each(Object.keys(leftovers))("%s: it is completed", async (name) => {
    const on = await bench({ "a.txt": "a\n", "b/c.txt": "c\n" });
    const { path, base } = await started(on);
    leftovers[name]?.(on.root, path);
    rmSync(join(on.root, ".git/ccp/runs", RID, "base"), { force: true });
    const before = footprint(on.root);
    const again = await started(on, base);
    expect(again.path).toBe(path);
    expect(look(path)).toEqual(look(on.root));
    expect(git(path, "status", "--short", "--branch")).toBe(`## ccp/${RID}\n`);
    expect(await again.workspace.snapshot()).toBe(base.tree);
    expect(footprint(on.root)).toEqual(before);
    expect(readdirSync(join(on.root, ".git/worktrees"))).toEqual([RID]);
  });

  it("the lock of a git that died over the run's branch is in nobody's way", async () => {
    const on = await bench({ "a.txt": "a\n" });
    const { path, base } = await started(on);
    const lock = join(on.root, ".git/refs/heads/ccp", `${RID}.lock`);
    writeFileSync(lock, "");
    const { repository } = await openBench(on.root);
    const tree = await repository.openWorkspace(RID, path).snapshot();
    await repository.openWorkspace(RID, path).commit(tree, base.commit, "work");
    writeFileSync(lock, "");
    await repository.removeWorkspace(RID, path);
    expect(git(on.root, "for-each-ref", "refs/heads/ccp")).toBe("");
  });

  it("one that was complete is found with all that was done in it", async () => {
    const on = await bench({ "a.txt": "a\n" });
    const { path, base } = await started(on);
    writeFiles(path, { "work.txt": "half a day of it\n", "a.txt": "changed\n" });
    const again = await started(on, base);
    expect(readFileSync(join(again.path, "work.txt"), "utf8")).toBe("half a day of it\n");
    expect(readFileSync(join(again.path, "a.txt"), "utf8")).toBe("changed\n");
  });

  it("one whose registration was lost gets a new one and keeps its files", async () => {
    const on = await bench({ ".gitignore": "node_modules\n" });
    const { path, base } = await started(on);
    writeFiles(path, { "work.txt": "w\n", "node_modules/x/index.js": "x\n" });
    git(on.root, "worktree", "unlock", path);
    rmSync(join(path, ".git"));
    git(on.root, "worktree", "prune");
    const { workspace } = await started(on, base);
    expect(Object.keys(look(path)).sort()).toEqual([".gitignore", "node_modules/x/index.js", "work.txt"]);
    expect(git(path, "status", "--short")).toBe("?? work.txt\n");
    const tree = await workspace.snapshot();
    expect((await workspace.diffStat(base.tree, tree)).files).toEqual(["work.txt"]);
  });

  it("one that someone has deleted is made again by restoring what is on record", async () => {
    const on = await bench({ "a.txt": "a\n" });
    const { workspace, path } = await started(on);
    writeFiles(path, { "work.txt": "w\n" });
    const tree = await workspace.snapshot();
    rmSync(path, { recursive: true });
    await expect(workspace.snapshot()).rejects.toMatchObject({ code: "workspace_missing" });
    await workspace.restore(tree);
    expect(Object.keys(look(path)).sort()).toEqual(["a.txt", "work.txt"]);
    expect(await workspace.snapshot()).toBe(tree);
  });
});

describe("removing a worktree", () => {
  it("leaves the repository as it was before the run", async () => {
    const on = await bench({ "a.txt": "a\n" });
    writeFiles(on.root, { "a.txt": "dirty\n" });
    const before = { ...footprint(on.root), refs: git(on.root, "for-each-ref") };
    const { path, workspace } = await started(on, await on.repository.dirtyBase());
    writeFiles(path, { "b.txt": "b\n" });
    await workspace.snapshot();
    await on.repository.removeWorkspace(RID, path);
    expect({ ...footprint(on.root), refs: git(on.root, "for-each-ref") }).toEqual(before);
    expect(existsSync(path)).toBe(false);
    expect(git(on.root, "worktree", "list").trim().split("\n")).toHaveLength(1);
    expect(readdirSync(join(on.root, ".git/ccp/runs"))).toEqual([]);
    expect(readdirSync(join(on.root, ".git/ccp/bases"))).toEqual([]);
  });

  it("does not miss what is gone already, in whatever order it went", async () => {
    const on = await bench();
    const { path } = await started(on);
    rmSync(path, { recursive: true });
    await on.repository.removeWorkspace(RID, path);
    await on.repository.removeWorkspace(RID, path);
    expect(git(on.root, "branch", "--list", "ccp/*")).toBe("");
  });

  it("touches no other run and no worktree or branch of the user's", async () => {
    const on = await bench();
    const mine = join(tempDir(), "mine");
    git(on.root, "worktree", "add", "--quiet", mine, "-b", "mine");
    const kept = await started(on, undefined, "r-kept11");
    const { path } = await started(on, undefined, "r-gone11");
    rmSync(mine, { recursive: true });
    await on.repository.removeWorkspace("r-gone11", path);
    expect(existsSync(kept.path)).toBe(true);
    expect(await kept.workspace.snapshot()).toBe(kept.base.tree);
    expect(git(on.root, "worktree", "list")).toContain(mine);
    expect(git(on.root, "branch", "--list").replace(/[+* ]/g, "").split("\n").filter(Boolean).sort()).toEqual(
      ["ccp/r-kept11", "main", "mine"].sort(),
    );
  });

  it("keeps the branch where the user has checked it out", async () => {
    const on = await bench();
    const { path, workspace, base } = await started(on);
    writeFiles(path, { "b.txt": "b\n" });
    await workspace.commit(await workspace.snapshot(), base.commit, "work");
    git(on.root, "switch", "--quiet", "--ignore-other-worktrees", `ccp/${RID}`);
    await on.repository.removeWorkspace(RID, path);
    expect(git(on.root, "log", "-1", "--format=%s")).toBe("work\n");
  });

  it("deletes links, not what they lead to, and directories that forbid it", async () => {
    const on = await bench();
    const { path } = await started(on);
    symlinkSync(on.root, join(path, "link"));
    mkdirSync(join(path, "closed/inner"), { recursive: true });
    writeFileSync(join(path, "closed/inner/file"), "x");
    chmodSync(join(path, "closed/inner"), 0o500);
    await on.repository.removeWorkspace(RID, path);
    expect(lstatSync(join(on.root, "README.md")).isFile()).toBe(true);
    expect(existsSync(path)).toBe(false);
  });

  it("refuses to delete any path but a worktree of that run", async () => {
    const on = await bench();
    await started(on);
    for (const path of [on.root, join(on.stateHome, "ccp/worktrees"), join(on.stateHome, "ccp/worktrees/r-other1")]) {
      await expect(on.repository.removeWorkspace(RID, path)).rejects.toThrow("not a worktree");
    }
    await expect(on.repository.removeWorkspace("../..", on.root)).rejects.toThrow("not a rid");
    expect(existsSync(join(on.root, "README.md"))).toBe(true);
  });
});

describe("where things are", () => {
  it("the owner of a worktree is the repository that made it", async () => {
    const on = await bench();
    await started(on);
    expect(await ownerOfWorktree(on.stateHome, RID)).toBe(on.root);
    expect(await ownerOfWorktree(on.stateHome, "r-other1")).toBeNull();
    expect(await ownerOfWorktree(on.stateHome, "../../etc")).toBeNull();
  });

  it("two repositories never share a state directory", () => {
    expect(stateDirOf("/a/project/.git", null)).toBe("/a/project/.git/ccp");
    const [one, two] = [stateDirOf("/a/project/.git", "/state"), stateDirOf("/b/project/.git", "/state")];
    expect(one).toMatch(/^\/state\/project-[0-9a-f]{12}$/);
    expect(one).not.toBe(two);
  });
});

it("a new repository has one commit of all that was there, and needs no identity", async () => {
  const path = tempDir();
  writeFiles(path, { "a.txt": "a\n", ".gitignore": "b.txt\n", "b.txt": "b\n" });
  await createRepository(path, bareEnvironment());
  expect(git(path, "log", "--format=%s %an")).toBe("start ccp\n");
  expect(git(path, "ls-files")).toBe(".gitignore\na.txt\n");
  expect(git(path, "branch", "--show-current")).toBe("main\n");
});

/** Root may write anywhere, so this shows something only for other users. */
it.skipIf(process.getuid?.() === 0)("a repository that cannot be written to is refused, nothing lost", async () => {
  const on = await bench();
  chmodSync(join(on.root, ".git"), 0o500);
  await expect(started(on)).rejects.toMatchObject({ code: "read_only", exitCode: EXIT.disk });
  chmodSync(join(on.root, ".git"), 0o700);
});
