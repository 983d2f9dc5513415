import { mkdirSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { CcpError, EXIT } from "../../src/core/errors.ts";
import { openRepository } from "../../src/workspace/repository.ts";
import { git, makeRepository, writeFiles } from "../support/git.ts";
import { tempDir } from "../support/temp.ts";
import { bareEnvironment, bench, footprint, openBench, withSubmodule } from "./git-support.ts";

function open(cwd: string, environment = bareEnvironment()) {
  return openRepository({ cwd, environment, stateHome: tempDir(), resultsDir: "results" });
}

describe("finding the repository", () => {
  it("works from a subdirectory", async () => {
    const root = makeRepository({ "src/deep/a.ts": "a\n" });
    const repository = await open(join(root, "src", "deep"));
    expect(repository).toMatchObject({ root, commonDir: join(root, ".git") });
  });

  it("works in a linked worktree of the user's, where the common directory is the main one's", async () => {
    const root = makeRepository();
    const linked = join(tempDir(), "linked");
    git(root, "worktree", "add", "--quiet", linked);
    expect(await open(linked)).toMatchObject({ root: realpathSync(linked), commonDir: join(root, ".git") });
  });

  it("knows the working trees that are its own, one that was moved away, and a stranger's", async () => {
    const root = makeRepository();
    const linked = join(tempDir(), "linked");
    git(root, "worktree", "add", "--quiet", linked);
    const repository = await open(linked);
    expect([root, realpathSync(linked), join(root, "was-here")].map((path) => repository.isOurs(path))).toEqual([
      true,
      true,
      true,
    ]);
    expect([makeRepository(), tempDir()].map((path) => repository.isOurs(path))).toEqual([false, false]);
  });

  it("works where the path has spaces, unicode and a line feed in it", async () => {
    const parent = join(tempDir(), "sp ace\nünï:'\"");
    mkdirSync(parent);
    const original = makeRepository();
    git(original, "clone", "--quiet", original, join(parent, "re po"));
    const { root, commonDir } = await open(join(parent, "re po"));
    expect({ root, commonDir }).toEqual({ root: join(parent, "re po"), commonDir: join(parent, "re po", ".git") });
  });

  it.each([
    ["not_a_repository", () => tempDir()],
    ["not_a_repository", () => join(makeRepository(), ".git")],
    ["not_a_repository", () => join(tempDir(), "is-not-there")],
    ["bare_repository", bareRepository],
  ])("%s is refused with exit 2 and a hint", async (code, make) => {
    await expect(open(make())).rejects.toMatchObject({ code, exitCode: EXIT.usage, hint: expect.any(String) });
  });

  it("one without a commit is found, and refused as the start of a run", async () => {
    const repository = await open(emptyRepository());
    await expect(repository.resolveBase("HEAD")).rejects.toMatchObject({ code: "no_commit" });
  });

  it("a home directory under git is refused as a root, a project in it is not", async () => {
    const home = makeRepository();
    const link = join(tempDir(), "home");
    symlinkSync(home, link);
    for (const HOME of [home, link]) {
      await expect(open(home, { ...bareEnvironment(), HOME })).rejects.toMatchObject({ code: "unsafe_root" });
    }
    mkdirSync(join(home, "project"));
    git(join(home, "project"), "clone", "--quiet", home, "clone");
    expect((await open(join(home, "project", "clone"), bareEnvironment(home))).root).toContain("clone");
  });
});

function bareRepository(): string {
  const bare = join(tempDir(), "bare.git");
  git(tempDir(), "clone", "--quiet", "--bare", makeRepository(), bare);
  return bare;
}

function emptyRepository(): string {
  const root = tempDir();
  git(root, "init", "--quiet");
  return root;
}

describe("uncommitted work", () => {
  it("a clean tree has none, ignored files included", async () => {
    const { repository, root } = await bench({ ".gitignore": "*.log\n", "a.txt": "a\n" });
    writeFiles(root, { "noise.log": "x\n" });
    expect(await repository.dirtyFiles()).toEqual([]);
  });

  it("counts changed, staged, deleted, renamed and untracked files, whatever their names", async () => {
    const { repository, root } = await bench({
      "changed.txt": "1\n",
      "gone.txt": "1\n",
      "old name.txt": "long\nenough\n",
    });
    const strange = ["sp ace.txt", "ünï.txt", "line\nfeed.txt", 'quo"te.txt', "-dash.txt", "new dir/file.txt"];
    writeFiles(root, Object.fromEntries(strange.map((name) => [name, "x\n"])));
    writeFiles(root, { "changed.txt": "2\n", "staged.txt": "s\n" });
    git(root, "add", "staged.txt");
    git(root, "mv", "old name.txt", "moved.txt");
    rmSync(join(root, "gone.txt"));
    const expected = ["changed.txt", "gone.txt", "moved.txt", "old name.txt", "staged.txt", ...strange];
    expect([...(await repository.dirtyFiles())].sort()).toEqual(expected.sort());
  });

  it("sees an unresolved conflict", async () => {
    const { repository, root } = await bench({ "a.txt": "base\n" });
    git(root, "checkout", "--quiet", "-b", "other");
    writeFiles(root, { "a.txt": "theirs\n" });
    git(root, "commit", "--quiet", "--all", "--message=theirs");
    git(root, "checkout", "--quiet", "main");
    writeFiles(root, { "a.txt": "ours\n" });
    git(root, "commit", "--quiet", "--all", "--message=ours");
    expect(() => git(root, "merge", "other")).toThrow();
    expect(await repository.dirtyFiles()).toEqual(["a.txt"]);
  });

  it("does not count what ccp left in its results, but does count a file that is tracked there", async () => {
    const { repository, root } = await bench({ "results/PLAN.md": "the team's own\n" });
    writeFiles(root, { "results/r-abc123/run.json": "{}\n", "results/Diff.patch": "", "results/REVIEW.md": "x\n" });
    expect(await repository.dirtyFiles()).toEqual([]);
    writeFiles(root, { "results/PLAN.md": "changed\n", "results/notes.md": "mine\n" });
    expect(await repository.dirtyFiles()).toEqual(["results/PLAN.md", "results/notes.md"]);
  });

  it("names a submodule with uncommitted work in it", async () => {
    const { repository, root } = await withSubmodule();
    expect(await repository.dirtyFiles()).toEqual([]);
    writeFiles(root, { "lib/inner.txt": "changed\n" });
    expect(await repository.dirtyFiles()).toEqual(["lib"]);
  });

  it("leaves the user's index alone, even where only times have changed", async () => {
    const { repository, root } = await bench({ "a.txt": "a\n" });
    writeFileSync(join(root, "a.txt"), readFileSync(join(root, "a.txt")));
    const before = footprint(root);
    expect(await repository.dirtyFiles()).toEqual([]);
    expect(footprint(root)).toEqual(before);
  });
});

describe("resolving a base", () => {
  it("names the commit, its tree and the branch", async () => {
    const { repository, root } = await bench();
    expect(await repository.resolveBase("HEAD")).toEqual({
      commit: git(root, "rev-parse", "HEAD").trim(),
      tree: git(root, "rev-parse", "HEAD^{tree}").trim(),
      dirty: false,
      branch: "main",
    });
  });

  it("a branch, a tag, a hash and an ancestor will do; only a branch has a name", async () => {
    const { repository, root } = await bench();
    git(root, "tag", "--annotate", "--message=v1", "v1");
    git(root, "branch", "feature/x");
    git(root, "commit", "--quiet", "--allow-empty", "--message=second");
    const first = git(root, "rev-parse", "HEAD~1").trim();
    expect(await repository.resolveBase("v1")).toMatchObject({ commit: first, branch: null });
    expect(await repository.resolveBase("HEAD~1")).toMatchObject({ commit: first, branch: null });
    expect(await repository.resolveBase(first.slice(0, 10))).toMatchObject({ commit: first, branch: null });
    expect(await repository.resolveBase("feature/x")).toMatchObject({ commit: first, branch: "feature/x" });
  });

  it("a detached HEAD has no branch", async () => {
    const { repository, root } = await bench();
    git(root, "checkout", "--quiet", "--detach");
    expect(await repository.resolveBase("HEAD")).toMatchObject({ branch: null });
  });

  it("works in a shallow clone", async () => {
    const origin = makeRepository();
    git(origin, "commit", "--quiet", "--allow-empty", "--message=second");
    const clone = join(tempDir(), "clone");
    git(origin, "clone", "--quiet", "--depth=1", `file://${origin}`, clone);
    const { repository } = await openBench(clone);
    const base = await repository.resolveBase("HEAD");
    const { path } = await repository.createWorkspace({ rid: "r-shallo", base });
    expect(readFileSync(join(path, "README.md"), "utf8")).toBe("# Sample\n");
  });

  it.each(["nonsense", "--upload-pack=touch", "-x", "HEAD:README.md", "", "a b", "main\n"])(
    "%j is no revision",
    async (revision) => {
      const { repository } = await bench();
      await expect(repository.resolveBase(revision)).rejects.toMatchObject({
        code: "unknown_revision",
        exitCode: EXIT.usage,
      });
    },
  );

  it("a branch without a commit is told from a wrong name", async () => {
    const { repository, root } = await bench();
    git(root, "checkout", "--quiet", "--orphan", "empty");
    await expect(repository.resolveBase("HEAD")).rejects.toMatchObject({ code: "no_commit" });
  });
});

describe("a snapshot of the user's uncommitted work", () => {
  it("has what is tracked and unignored, as it is on disk, and leaves no trace in the user's repository", async () => {
    const { repository, root } = await bench({
      ".gitignore": "*.log\n",
      "a.txt": "a\n",
      "gone.txt": "x\n",
      "s.txt": "1\n",
    });
    writeFiles(root, { "a.txt": "changed\n", "new file.txt": "n\n", "noise.log": "x\n", "s.txt": "staged\n" });
    git(root, "add", "s.txt");
    writeFiles(root, { "s.txt": "then changed\n" });
    rmSync(join(root, "gone.txt"));
    const before = footprint(root);
    const base = await repository.dirtyBase();
    expect(footprint(root)).toEqual(before);
    expect(base).toMatchObject({ dirty: true, branch: "main", commit: git(root, "rev-parse", "HEAD").trim() });

    const { path } = await repository.createWorkspace({ rid: "r-dirty1", base });
    expect(readFileSync(join(path, "s.txt"), "utf8")).toBe("then changed\n");
    expect(
      git(path, "ls-files", "--others", "--cached", "--exclude-standard", "--deduplicate").split("\n").sort(),
    ).toEqual(["", ".gitignore", "a.txt", "gone.txt", "new file.txt", "s.txt"].sort());
    expect(git(path, "status", "--short").split("\n").filter(Boolean).sort()).toEqual(
      [" D gone.txt", " M a.txt", " M s.txt", '?? "new file.txt"'].sort(),
    );
    expect(await repository.openWorkspace("r-dirty1", path).snapshot()).toBe(base.tree);
  });

  it("of a clean tree is the commit itself", async () => {
    const { repository } = await bench();
    expect(await repository.dirtyBase()).toEqual(await repository.resolveBase("HEAD"));
  });

  it("outlives a garbage collection of the user's and the loss of what was staged", async () => {
    const { repository, root } = await bench({ "a.txt": "a\n" });
    writeFiles(root, { "a.txt": "staged only once\n", "b.txt": "untracked\n" });
    git(root, "add", "a.txt");
    const base = await repository.dirtyBase();
    git(root, "reset", "--quiet", "--hard");
    git(root, "gc", "--quiet", "--prune=now");
    const { path } = await repository.createWorkspace({ rid: "r-dirty2", base });
    git(root, "gc", "--quiet", "--prune=now");
    expect(readFileSync(join(path, "a.txt"), "utf8")).toBe("staged only once\n");
    const workspace = repository.openWorkspace("r-dirty2", path);
    rmSync(join(path, "a.txt"));
    await workspace.restore(base.tree);
    expect(readFileSync(join(path, "a.txt"), "utf8")).toBe("staged only once\n");
  });

  it("serves two runs that begin from the same state at once", async () => {
    const { repository, root } = await bench({ "a.txt": "a\n" });
    writeFiles(root, { "a.txt": "changed\n" });
    const [one, two] = await Promise.all([repository.dirtyBase(), repository.dirtyBase()]);
    expect(one).toEqual(two);
    for (const [rid, base] of [
      ["r-first1", one],
      ["r-second", two],
    ] as const) {
      const { path } = await repository.createWorkspace({ rid, base });
      expect(readFileSync(join(path, "a.txt"), "utf8")).toBe("changed\n");
    }
  });

  it("keeps the files of a sparse checkout that are not on disk, and the checkout sparse", async () => {
    const { repository, root } = await bench({ "in/a.txt": "a\n", "out/b.txt": "b\n", "top.txt": "t\n" });
    git(root, "sparse-checkout", "set", "in");
    writeFiles(root, { "in/a.txt": "changed\n", "out/new.txt": "beyond the patterns\n" });
    const before = footprint(root);
    const base = await repository.dirtyBase();
    expect(footprint(root)).toEqual(before);
    const { path } = await repository.createWorkspace({ rid: "r-sparse", base });
    expect(readFileSync(join(path, "out/b.txt"), "utf8")).toBe("b\n");
    expect(readFileSync(join(path, "in/a.txt"), "utf8")).toBe("changed\n");
    expect(git(path, "status", "--short")).toBe(" M in/a.txt\n?? out/new.txt\n");
    expect(footprint(root)).toEqual(before);
  });

  it("of a repository with a submodule keeps the link and does not look inside", async () => {
    const { repository, root } = await withSubmodule();
    writeFiles(root, { "a.txt": "changed\n", "lib/inner.txt": "changed\n" });
    const base = await repository.dirtyBase();
    const { path, notices } = await repository.createWorkspace({ rid: "r-submod", base });
    expect(notices).toEqual([expect.stringContaining("lib")]);
    expect(git(path, "diff", "--name-only", "HEAD")).toBe("a.txt\n");
  });
});

it("a base that is gone is told as such", async () => {
  const { repository } = await bench();
  const base = { ...(await repository.resolveBase("HEAD")), tree: "1".repeat(40), dirty: true };
  const failure = await repository.createWorkspace({ rid: "r-gone11", base }).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(CcpError);
  expect(failure).toMatchObject({ code: "base_missing" });
});
