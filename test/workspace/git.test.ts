import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { CcpError, EXIT } from "../../src/core/errors.ts";
import { createGit } from "../../src/workspace/git.ts";
import { fileFailure, gitFailure, isInTheWay } from "../../src/workspace/git-errors.ts";
import { makeRepository, git as plainGit } from "../support/git.ts";
import { tempDir } from "../support/temp.ts";
import { bareEnvironment } from "./git-support.ts";

it("gives back what git wrote, byte for byte", async () => {
  const bytes = Buffer.from([0xff, 0xfe, 0x00, 0x0a, 0x80]);
  const cwd = makeRepository({ "raw.bin": bytes });
  const { stdout } = await createGit(bareEnvironment()).run({ cwd, args: ["cat-file", "blob", "HEAD:raw.bin"] });
  expect(stdout.equals(bytes)).toBe(true);
});

it("hands an exit code that is an answer to the caller, and throws every other", async () => {
  const cwd = makeRepository();
  const git = createGit(bareEnvironment());
  const args = ["rev-parse", "--verify", "--quiet", "nonsense"];
  expect((await git.run({ cwd, args, answers: [1] })).exitCode).toBe(1);
  await expect(git.run({ cwd, args })).rejects.toMatchObject({ code: "git_failed" });
});

it("says that git is missing where it is not on the path", async () => {
  const git = createGit({ PATH: tempDir() });
  await expect(git.run({ cwd: tempDir(), args: ["version"] })).rejects.toMatchObject({
    code: "git_missing",
    exitCode: EXIT.usage,
  });
});

it("waits for another git that holds a lock, and goes on when that is done", async () => {
  const cwd = makeRepository();
  const { path, calls } = countingGit();
  const lock = join(cwd, ".git", "config.lock");
  writeFileSync(lock, "");
  const git = createGit({ ...bareEnvironment(), PATH: path });
  const done = git.run({ cwd, args: ["config", "a.b", "c"], answers: [255] });
  while (calls() < 2) await new Promise(setImmediate);
  rmSync(lock);
  expect((await done).exitCode).toBe(0);
  expect(plainGit(cwd, "config", "a.b")).toBe("c\n");
});

it.each([
  ["fatal: Unable to create '/r/.git/refs/heads/x.lock': File exists.", true],
  ["error: could not lock config file .git/config: File exists", true],
  ["fatal: failed to read /r/.git/worktrees/r-abc123/commondir: Success", true],
  ["error: unable to create temporary file: No such file or directory", true],
  ["fatal: Unable to create '/r/.git/refs/heads/x.lock': Permission denied", false],
  ["fatal: bad object deadbeef", false],
])("%s: that another git is at work is %s", (stderr, expected) => {
  expect(isInTheWay(stderr)).toBe(expected);
});

/** A search path on which git is one that counts how often it is called. */
function countingGit(): { readonly path: string; calls(): number } {
  const folder = tempDir();
  const log = join(folder, "calls");
  writeFileSync(log, "");
  const search = process.env.PATH ?? "";
  writeFileSync(join(folder, "git"), `#!/bin/sh\necho >>'${log}'\nPATH='${search}' exec git "$@"\n`, { mode: 0o755 });
  return { path: `${folder}:${search}`, calls: () => readFileSync(log, "utf8").length };
}

it("is not led elsewhere by the variables of a hook that ccp is called from", async () => {
  const elsewhere = makeRepository({ "other.txt": "other\n" });
  const cwd = makeRepository({ "mine.txt": "mine\n" });
  const environment = {
    ...bareEnvironment(),
    GIT_DIR: join(elsewhere, ".git"),
    GIT_INDEX_FILE: join(elsewhere, ".git", "index"),
    GIT_WORK_TREE: elsewhere,
    GIT_EXTERNAL_DIFF: "false",
  };
  expect(await createGit(environment).list({ cwd, args: ["ls-files", "-z"] })).toEqual(["mine.txt"]);
});

it("runs no hook and no file system monitor of the repository's", async () => {
  const cwd = makeRepository();
  const mark = join(tempDir(), "ran");
  for (const name of ["post-checkout", "post-index-change", "reference-transaction", "fsmonitor-watchman"]) {
    const hook = join(cwd, ".git", "hooks", name);
    mkdirSync(join(cwd, ".git", "hooks"), { recursive: true });
    writeFileSync(hook, `#!/bin/sh\necho ${name} >>'${mark}'\n`);
    chmodSync(hook, 0o755);
  }
  plainGit(cwd, "config", "core.fsmonitor", ".git/hooks/fsmonitor-watchman");
  const git = createGit(bareEnvironment());
  await git.run({ cwd, args: ["branch", "another"] });
  await git.run({ cwd, args: ["worktree", "add", "--quiet", join(tempDir(), "tree"), "another"] });
  await git.run({ cwd, args: ["add", "--all"] });
  expect(existsSync(mark)).toBe(false);
  plainGit(cwd, "branch", "by-hand");
  expect(existsSync(mark)).toBe(true);
});

it("finds the user's identity and settings in the home that was handed in, and nowhere else", async () => {
  const home = tempDir();
  writeFileSync(join(home, ".gitconfig"), "[user]\n\tname = Ada\n");
  const cwd = makeRepository();
  const args = ["config", "--get", "user.name"];
  expect(await createGit(bareEnvironment(home)).text({ cwd, args })).toBe("Ada");
  expect((await createGit(bareEnvironment()).run({ cwd, args, answers: [1] })).exitCode).toBe(1);
});

it("takes a file for tracked when git cannot be asked, and for untracked outside a repository", () => {
  const cwd = makeRepository({ "results/PLAN.md": "mine\n" });
  const git = createGit(bareEnvironment());
  expect(git.tracks(join(cwd, "results"), "PLAN.md")).toBe(true);
  expect(git.tracks(join(cwd, "results"), "REVIEW.md")).toBe(false);
  expect(git.tracks(tempDir(), "PLAN.md")).toBe(false);
  expect(createGit({ PATH: tempDir() }).tracks(cwd, "REVIEW.md")).toBe(true);
});

it.each([
  ["error: unable to write file x: No space left on device", "disk_full", EXIT.disk],
  ["fatal: write error: Disk quota exceeded", "disk_full", EXIT.disk],
  ["fatal: sha1 file '/r/.git/index.lock' write error. Out of diskspace", "disk_full", EXIT.disk],
  ["error: unable to write file sum.mjs", "cannot_write", EXIT.disk],
  ["fatal: cannot update ref 'refs/heads/x': couldn't write '/r/.git/refs/heads/x.lock'", "cannot_write", EXIT.disk],
  ["fatal: Unable to create '/r/.git/index.lock': Read-only file system", "read_only", EXIT.disk],
  ["error: insufficient permission for adding an object to repository database .git/objects", "read_only", EXIT.disk],
  ["fatal: could not create work tree dir 'x': Permission denied", "read_only", EXIT.disk],
  ["fatal: detected dubious ownership in repository at '/r'", "unsafe_ownership", EXIT.usage],
  ["fatal: Unable to create '/r/.git/packed-refs.lock': File exists.", "git_locked", EXIT.failed],
  ["error: could not lock config file .git/config: File exists", "git_locked", EXIT.failed],
  ["fatal: failed to read /r/.git/worktrees/r-abc123/commondir: Success", "worktree_broken", EXIT.failed],
  ["fatal: bad object deadbeef", "git_failed", EXIT.failed],
])("%s", (stderr, code, exitCode) => {
  expect(gitFailure(["add"], stderr)).toMatchObject({ code, exitCode, message: expect.stringContaining(stderr) });
});

it.each([
  ["ENOSPC", "disk_full"],
  ["EROFS", "read_only"],
  ["EACCES", "read_only"],
])("a file operation that fails with %s has the code %s", (code, expected) => {
  const failure = fileFailure(Object.assign(new Error(`${code}: something, write`), { code }));
  expect(failure).toBeInstanceOf(CcpError);
  expect(failure).toMatchObject({ code: expected, exitCode: EXIT.disk });
});

it("any other failure of a file operation stays what it was", () => {
  const failure = Object.assign(new Error("EISDIR: illegal operation on a directory"), { code: "EISDIR" });
  expect(fileFailure(failure)).toBe(failure);
});
