import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createRepository } from "../../src/workspace/create-repository.ts";
import { git, writeFiles } from "../support/git.ts";
import { ccpAt, doerWho, patchOf, plainGit, proveRun, type Site, scripted, site } from "../support/proof.ts";
import { tempDir } from "../support/temp.ts";

const HOOKS = [
  "applypatch-msg commit-msg fsmonitor-watchman post-applypatch post-checkout post-commit post-index-change post-merge",
  "post-rewrite pre-applypatch pre-auto-gc pre-commit pre-merge-commit prepare-commit-msg reference-transaction update",
].flatMap((line) => line.split(" "));

/** Settings that a person may well have, each of which changes what git prints, writes or asks. */
const HOSTILE = (home: string) => `
[diff]
  noprefix = true
  mnemonicPrefix = true
  external = /bin/false
  renames = copies
  context = 0
  interHunkContext = 9
  algorithm = patience
  colorMoved = default
  suppressBlankEmpty = true
  submodule = log
  relative = true
  orderFile = ${home}/order
  wsErrorHighlight = all
[color]
  ui = always
[core]
  hooksPath = ${home}/hooks
  autocrlf = true
  safecrlf = true
  quotePath = false
  fsmonitor = true
  untrackedCache = true
  abbrev = 4
  attributesFile = ${home}/attributes
  whitespace = tab-in-indent
[commit]
  gpgsign = true
  template = /nonexistent
[gpg]
  program = /bin/false
[init]
  templateDir = ${home}/template
  defaultBranch = trunk
[apply]
  whitespace = error-all
  ignoreWhitespace = change
[log]
  showSignature = true
[status]
  short = true
  branch = true
  showUntrackedFiles = no
  relativePaths = true
[index]
  version = 4
[feature]
  manyFiles = true
[branch]
  autoSetupMerge = always
[i18n]
  commitEncoding = ISO-8859-1
  logOutputEncoding = ISO-8859-1
[user]
  useConfigOnly = true
[column]
  ui = always
[alias]
  add = !false
`;

/** The user's home, with failing hooks that leave a trace wherever git may look for some. */
function makeHostile(on: Site): { readonly trace: string } {
  const home = on.env.HOME ?? "";
  const trace = join(on.outside, "hooks-that-ran");
  const hook = `#!/bin/sh\necho "$0" >> ${trace}\nexit 1\n`;
  for (const directory of [join(home, "hooks"), join(home, "template/hooks"), join(on.root, ".git/hooks")]) {
    writeFiles(directory, Object.fromEntries(HOOKS.map((name) => [name, hook])));
    for (const name of HOOKS) chmodSync(join(directory, name), 0o755);
  }
  writeFiles(home, { ".gitconfig": HOSTILE(home), order: "*.rb\n*.txt\n", attributes: "*.txt diff=foo\n" });
  return { trace };
}

test("a run in a repository of a user with every awkward setting is exact, and no hook runs", async () => {
  const on = site({ "a.txt": "one\ntwo\n", "b.rb": "x\n", "é.txt": "é\n" });
  const { trace } = makeHostile(on);
  for (const [key, value] of [
    ["diff.noprefix", "true"],
    ["diff.external", "/bin/false"],
    ["core.hooksPath", ".git/hooks"],
  ]) {
    git(on.root, "config", key ?? "", value ?? "");
  }
  const command = [
    "printf 'one\\n\\n\\ttwo \\nthree\\n' > a.txt",
    "mv b.rb c.rb",
    "printf 'p\\r\\nq\\r\\n' > new.txt",
    "rm é.txt",
    "printf 'ü' > ü.txt",
  ].join("; ");
  const done = await proveRun(on, { turns: doerWho(command), task: "Mäh" });
  const patch = readFileSync(patchOf(done), "utf8");
  expect(patch).toContain("--- a/a.txt\n+++ b/a.txt\n");
  expect(patch).not.toContain("\x1b");
  expect(plainGit(on.root, "log", "-1", "--format=%s", `ccp/${done.rid}`)).toBe("Mäh\n");

  const applied = await ccpAt(on, "apply");
  expect(applied, applied.stderr).toMatchObject({ code: 0, stderr: "" });
  expect(readFileSync(join(on.root, "a.txt"), "utf8").replaceAll("\r\n", "\n")).toBe("one\n\n\ttwo \nthree\n");
  for (const command of ["diff", "view", "runs", "discard"]) {
    const result = await ccpAt(on, command);
    expect(result, result.stderr).toMatchObject({ code: 0, stderr: "" });
  }
  expect(existsSync(trace) ? readFileSync(trace, "utf8") : "").toBe("");
});

test("work that git status is configured not to show is noticed all the same", async () => {
  const on = site({ "a.txt": "one\n" });
  makeHostile(on);
  writeFileSync(join(on.root, "untracked.txt"), "u\n");
  const flags = scripted(on, { turns: doerWho("echo two >> a.txt") });
  const refused = await ccpAt(on, "run", ...flags, "Do it.");
  expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining("1 uncommitted file") });
  expect(refused.stderr).toContain("untracked.txt");
  expect(await ccpAt(on, "runs")).toMatchObject({ stdout: expect.stringContaining("no runs yet") });
});

test("a repository that ccp itself makes takes no hooks from a template and no signature", async () => {
  const on = site();
  const { trace } = makeHostile(on);
  const path = tempDir("ccp-made");
  writeFiles(path, { "a.txt": "one\n" });
  await createRepository(path, on.env);
  expect(existsSync(trace)).toBe(false);
  expect(plainGit(path, "log", "--format=%s %an").trim()).toBe("start ccp");
  expect(plainGit(path, "-c", "core.hooksPath=/dev/null", "status", "--porcelain")).toBe("");
});

test("the user's own ignore file counts in the worktree as it does in their tree", async () => {
  const on = site({ "a.txt": "one\n" });
  const home = on.env.HOME ?? "";
  mkdirSync(join(home, ".config/git"), { recursive: true });
  writeFileSync(join(home, ".config/git/ignore"), "*.swp\n");
  const done = await proveRun(on, { turns: doerWho("echo x > .a.txt.swp; echo two >> a.txt") });
  expect(git(on.root, "ls-tree", "-r", "--name-only", `ccp/${done.rid}`)).toBe("a.txt\n");
});
