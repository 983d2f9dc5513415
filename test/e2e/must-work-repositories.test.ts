import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { git, makeRepository, writeFiles } from "../support/git.ts";
import { ccpAt, doerWho, doneFrom, patchOf, proveRun, runAt, type Site, site, siteAt } from "../support/proof.ts";
import { APPROVAL, PLAN } from "../support/scenario.ts";
import { tempDir } from "../support/temp.ts";

const FILES = { "a.txt": "one\n", "b/c.txt": "deep\n" };
const CHANGE = doerWho("echo two >> a.txt; echo new > new.txt; rm b/c.txt");

test("a run starts from a detached HEAD and leaves it detached", async () => {
  const on = site(FILES, (root) => git(root, "checkout", "--quiet", "--detach"));
  const { record, stderr } = await proveRun(on, { turns: CHANGE });
  expect(record.base).toMatchObject({ commit: git(on.root, "rev-parse", "HEAD").trim(), branch: null });
  expect(stderr).toBe("");
});

test("a shallow clone is enough to work in", async () => {
  const origin = makeRepository(FILES);
  for (const n of [1, 2, 3]) git(origin, "commit", "--quiet", "--allow-empty", `--message=${n}`);
  const root = tempDir("ccp-shallow");
  git(root, "clone", "--quiet", "--depth=1", `file://${origin}`, ".");
  await proveRun(siteAt(root), { turns: CHANGE });
  expect(git(root, "rev-parse", "--is-shallow-repository").trim()).toBe("true");
});

test("nobody has told git who they are: the run's commit is by ccp", async () => {
  const on = site(FILES);
  const { rid } = await proveRun({ ...on, env: { ...on.env, GIT_CONFIG_NOSYSTEM: "1" } }, { turns: CHANGE });
  expect(git(on.root, "log", "-1", "--format=%an <%ae> %cn", `ccp/${rid}`).trim()).toBe("ccp <ccp@localhost> ccp");
});

test("the user's own identity is on the run's commit where there is one", async () => {
  const on = site(FILES);
  writeFileSync(join(on.env.HOME ?? "", ".gitconfig"), "[user]\n\tname = Ann Ünal\n\temail = ann@example.invalid\n");
  const { rid } = await proveRun(on, { turns: CHANGE });
  expect(git(on.root, "log", "-1", "--format=%an <%ae>", `ccp/${rid}`).trim()).toBe("Ann Ünal <ann@example.invalid>");
});

test("from a subdirectory, paths on the command line are relative to it and results go to the root", async () => {
  const on = site({ ...FILES, "sub/dir/p.yaml": "pipeline:\n  - role: doer\n", "sub/task.md": "Do as I say.\n" });
  const cwd = join(on.root, "sub", "dir");
  writeFileSync(join(on.outside, "t.yaml"), JSON.stringify({ turns: doerWho("pwd -P; echo two >> a.txt") }));
  const flags = ["--pipeline", "p.yaml", "--task-file", "../task.md", "--transcript", `${on.outside}/t.yaml`, "--json"];
  const result = await ccpAt({ ...on, cwd }, "run", ...flags);
  expect(result, result.stderr).toMatchObject({ code: 0 });
  const done = doneFrom(result);
  expect(done.results).toBe(join(on.root, "results", done.rid));
  expect(done.record).toMatchObject({ title: "Do as I say.", pipeline: { name: "p" } });
  expect(readFileSync(patchOf(done), "utf8")).toContain("--- a/a.txt");
  expect(existsSync(join(cwd, "results"))).toBe(false);
});

test("apply from a subdirectory changes files outside of it too", async () => {
  const on = site({ ...FILES, "sub/x": "x\n" });
  const { rid } = await runAt(on, { turns: CHANGE });
  const applied = await ccpAt({ ...on, cwd: join(on.root, "sub") }, "apply");
  expect(applied, applied.stderr).toMatchObject({ code: 0 });
  expect(git(on.root, "status", "--porcelain").split("\n")).toEqual([" M a.txt", " D b/c.txt", "?? new.txt", ""]);
  expect(applied.stdout).toContain(rid);
});

test("a linked worktree of the user's is a repository like any other", async () => {
  const main = makeRepository(FILES);
  const root = join(tempDir("ccp-linked"), "side by side");
  git(main, "worktree", "add", "--quiet", "-b", "side", root);
  writeFiles(root, { "only-here.txt": "side\n" });
  git(root, "add", "--all");
  git(root, "commit", "--quiet", "--message=side");
  const done = await proveRun(siteAt(root), { turns: doerWho("cat only-here.txt; echo more >> only-here.txt") });
  expect(done.record.base.branch).toBe("side");
  expect(existsSync(join(main, "results"))).toBe(false);
  expect(git(main, "status", "--porcelain")).toBe("");
});

test("a repository whose own path has spaces, quotes, line breaks and dashes in it is one like any other", async () => {
  const root = join(tempDir("ccp-odd"), '-re "po" \n ü$x\'s');
  git(tempDir(), "clone", "--quiet", makeRepository(FILES), root);
  const on = siteAt(root);
  await proveRun(on, { turns: CHANGE });
  expect(await ccpAt(on, "apply")).toMatchObject({ code: 0 });
  expect(await ccpAt(on, "discard")).toMatchObject({ code: 0 });
  expect(git(root, "worktree", "list", "--porcelain").match(/^worktree /gm)).toHaveLength(1);
});

test("a run works inside of a submodule, and in a worktree of a bare repository", async () => {
  const library = makeRepository(FILES);
  const outer = site({ "outer.txt": "outer\n" }, (root) => {
    git(root, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", library, "lib");
    git(root, "commit", "--quiet", "--message=submodule");
  });
  await proveRun(siteAt(join(outer.root, "lib")), { turns: CHANGE });
  expect(git(outer.root, "status", "--porcelain")).toBe("");

  const bare = join(tempDir("ccp-bare"), "bare.git");
  const root = join(tempDir("ccp-linked"), "work");
  git(tempDir(), "clone", "--quiet", "--bare", library, bare);
  git(bare, "worktree", "add", "--quiet", root, "main");
  await proveRun(siteAt(root), { turns: CHANGE });
});

test("a submodule stays as it is, and the notice says that it is empty in the worktree", async () => {
  const library = makeRepository({ "lib.txt": "library\n" });
  const on = site(FILES, (root) => {
    git(root, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", library, "vendor/lib");
    git(root, "commit", "--quiet", "--message=submodule");
  });
  const done = await proveRun(on, { turns: doerWho("echo two >> a.txt; echo stray > vendor/lib/stray") });
  expect(done.stdout).toContain("submodules are left empty, and what is written into them is not kept: vendor/lib");
  expect(readFileSync(patchOf(done), "utf8")).not.toContain("vendor/lib");
});

test("files of git-lfs stay pointers, with a notice, where git-lfs is not installed", async () => {
  const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22e\nsize 12\n";
  const on = site({ ...FILES, ".gitattributes": "*.psd filter=lfs diff=lfs merge=lfs -text\n", "big.psd": pointer });
  const filters = { clean: "git-lfs clean -- %f", smudge: "git-lfs smudge -- %f", process: "git-lfs filter-process" };
  for (const [name, command] of Object.entries(filters)) git(on.root, "config", `filter.lfs.${name}`, command);
  git(on.root, "config", "filter.lfs.required", "true");
  const done = await runAt(on, { turns: doerWho("grep -q git-lfs big.psd && echo two >> a.txt; echo psd > new.psd") });
  expect(done.stdout).toContain("files kept by git-lfs are pointers in the worktree");
  expect(git(on.root, "show", `ccp/${done.rid}:big.psd`)).toBe(pointer);
  expect(git(on.root, "show", `ccp/${done.rid}:a.txt`)).toBe("one\ntwo\n");
});

test("planner and reviewer alone leave an empty patch, and nothing to apply", async () => {
  const on = site(FILES);
  const turns = [
    { role: "planner", turn: 1, calls: [{ tool: "finish", args: PLAN }] },
    { role: "reviewer", turn: 1, calls: [{ tool: "finish", args: { ...APPROVAL, findings: [] } }] },
  ];
  const done = await proveRun(on, { turns, pipeline: "pipeline:\n  - role: planner\n  - role: reviewer\n" });
  expect(done.record.tree).toBe(done.record.base.tree);
  expect(readFileSync(patchOf(done))).toHaveLength(0);
  expect(readFileSync(join(done.results, "PLAN.md"), "utf8")).toContain(PLAN.plan);
  expect(readFileSync(join(done.results, "REVIEW.md"), "utf8")).toContain("approve");
  expect(await ccpAt(on, "diff")).toMatchObject({ code: 0, stdout: "", stderr: `${done.rid} changed nothing\n` });
  const applied = await ccpAt(on, "apply");
  expect(applied).toMatchObject({ code: 0 });
  expect(applied.stdout).toContain("nothing to apply");
});

test("--base starts from an older commit, whatever the working tree is like", async () => {
  const on = site(FILES, (root) => {
    git(root, "tag", "v1");
    writeFiles(root, { "a.txt": "rewritten\n" });
    git(root, "commit", "--quiet", "--all", "--message=later");
    writeFiles(root, { "a.txt": "uncommitted\n", "untracked.txt": "u\n" });
  });
  const done = await proveRun(on, { turns: CHANGE, args: ["--base", "v1"] });
  expect(done.record.base.commit).toBe(git(on.root, "rev-parse", "v1").trim());
  expect(git(on.root, "show", `ccp/${done.rid}:a.txt`)).toBe("one\ntwo\n");
});

test("--include-dirty takes staged, unstaged, untracked and deleted files along, and the patch fits the dirty tree", async () => {
  const on = dirtySite();
  const turns = doerWho(
    "cat staged.txt untracked.txt && test ! -e deleted.txt && echo more | tee -a untracked.txt >> staged.txt",
  );
  const done = await proveRun(on, { turns, args: ["--include-dirty"] });
  expect(done.record.base).toMatchObject({ dirty: true, commit: git(on.root, "rev-parse", "HEAD").trim() });
  expect(git(on.root, "show", `ccp/${done.rid}:staged.txt`)).toBe("s\nindex\ntree\nmore\n");
  expect(readFileSync(patchOf(done), "utf8")).not.toContain("deleted.txt");
});

test("a run on a dirty tree is applied to it, and what was staged stays staged", async () => {
  const on = dirtySite();
  const staged = git(on.root, "diff", "--cached");
  await runAt(on, { turns: doerWho("echo more | tee -a untracked.txt >> staged.txt"), args: ["--include-dirty"] });
  const applied = await ccpAt(on, "apply");
  expect(applied, applied.stderr).toMatchObject({ code: 0 });
  expect(git(on.root, "diff", "--cached")).toBe(staged);
  expect(readFileSync(join(on.root, "staged.txt"), "utf8")).toBe("s\nindex\ntree\nmore\n");
  expect(readFileSync(join(on.root, "untracked.txt"), "utf8")).toBe("u\nmore\n");
  expect(existsSync(join(on.root, "deleted.txt"))).toBe(false);
});

test("--include-dirty in the middle of a merge takes the files as they are, and the merge can go on afterwards", async () => {
  const on = site({ "a.txt": "one\n", "b.txt": "b\n" }, (root) => {
    for (const branch of ["ours", "theirs"]) {
      git(root, "checkout", "--quiet", "-b", branch, "main");
      writeFiles(root, { "a.txt": `${branch}\n` });
      git(root, "commit", "--quiet", "--all", `--message=${branch}`);
    }
    expect(() => git(root, "merge", "--quiet", "ours")).toThrow();
  });
  const turns = doerWho("grep -c '^<<<<<<<' a.txt >> b.txt");
  const done = await proveRun(on, { turns, args: ["--include-dirty"] });
  expect(git(on.root, "show", `ccp/${done.rid}:b.txt`)).toBe("b\n1\n");
  expect(existsSync(join(on.root, ".git/MERGE_HEAD"))).toBe(true);
  expect(git(on.root, "ls-files", "--unmerged")).not.toBe("");
});

/** Staged and then changed again, unstaged, untracked, ignored, deleted; and a stash. */
function dirtySite(): Site {
  return site({ ...FILES, "staged.txt": "s\n", "deleted.txt": "d\n", ".gitignore": "*.log\n" }, (root) => {
    writeFiles(root, { "a.txt": "stashed\n" });
    git(root, "stash", "push", "--quiet");
    appendFileSync(join(root, "staged.txt"), "index\n");
    git(root, "add", "staged.txt");
    appendFileSync(join(root, "staged.txt"), "tree\n");
    writeFiles(root, { "untracked.txt": "u\n", "ignored.log": "i\n" });
    rmSync(join(root, "deleted.txt"));
  });
}
