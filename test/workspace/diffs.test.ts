import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { git, writeFiles } from "../support/git.ts";
import { tempDir } from "../support/temp.ts";
import { bench, footprint, RID, started } from "./git-support.ts";

const LONG = Array.from({ length: 40 }, (_, index) => `line ${index}`).join("\n");

describe("a diff", () => {
  it("between equal trees is empty", async () => {
    const { workspace, base } = await started(await bench());
    expect((await workspace.diff(base.tree, base.tree)).length).toBe(0);
    expect(await workspace.diffStat(base.tree, base.tree)).toEqual({ files: [], added: 0, removed: 0 });
  });

  it("has the same bytes whatever the user has configured and the tree says of its files", async () => {
    const on = await bench({ "a.txt": LONG, "b.md": "# b\n", "moved.txt": `${LONG}\nend\n` });
    const { workspace, path, base } = await started(on);
    writeFiles(path, { "a.txt": LONG.replace("line 20", "line twenty"), "b.md": "# c\n" });
    renameSync(join(path, "moved.txt"), join(path, "there.txt"));
    const tree = await workspace.snapshot();
    const plain = Buffer.from(await workspace.diff(base.tree, tree)).toString();
    expect(plain).toContain("rename from moved.txt\nrename to there.txt\n");
    const settings = {
      "diff.noprefix": "true",
      "diff.mnemonicPrefix": "true",
      "diff.external": "false",
      "diff.context": "0",
      "diff.interHunkContext": "9",
      "diff.renames": "copies",
      "diff.algorithm": "minimal",
      "diff.suppressBlankEmpty": "true",
      "diff.submodule": "log",
      "diff.wordRegex": ".",
      "diff.md.textconv": "wc",
      "diff.md.command": "false",
      "diff.md.xfuncname": "^#",
      "diff.orderFile": "order",
      "color.ui": "always",
      "core.abbrev": "4",
      "core.quotePath": "false",
      "core.pager": "false",
      "format.pretty": "oneline",
    };
    for (const [key, value] of Object.entries(settings)) git(on.root, "config", key, value);
    writeFiles(path, { ".gitattributes": "*.txt -diff\n*.md diff=md\n" });
    writeFiles(on.root, {
      order: "b.md\n",
      ".git/order": "b.md\n",
      ".git/info/attributes": "b.md diff=md\n",
      ".gitattributes": "*.txt -diff\n",
    });
    git(on.root, "add", ".gitattributes");
    expect(Buffer.from(await workspace.diff(base.tree, tree)).toString()).toBe(plain);
  });

  it("is all of a large binary file", async () => {
    const { workspace, path, base, root } = await started(await bench({ "a.bin": Buffer.alloc(1000, 1) }));
    const bytes = Buffer.alloc(3 * 1024 * 1024);
    for (let i = 0; i < bytes.length; i++) bytes[i] = (i * 2654435761) >>> 24;
    writeFileSync(join(path, "a.bin"), bytes);
    const patch = await workspace.diff(base.tree, await workspace.snapshot());
    execFileSync("git", ["apply"], { cwd: root, input: patch });
    expect(readFileSync(join(root, "a.bin")).equals(bytes)).toBe(true);
  });

  it("counts lines and names files, both names of a moved one, no lines of a binary one", async () => {
    const on = await bench({
      "sp ace\n.txt": "1\n2\n",
      "old.txt": LONG,
      "raw.bin": Buffer.from([0, 1]),
      "gone.txt": "x\n",
    });
    const { workspace, path, base } = await started(on);
    writeFiles(path, { "sp ace\n.txt": "1\nzwei\ndrei\n", "raw.bin": Buffer.from([0, 2]), "ünï.txt": "neu\n" });
    renameSync(join(path, "old.txt"), join(path, "new.txt"));
    rmSync(join(path, "gone.txt"));
    const { files, added, removed } = await workspace.diffStat(base.tree, await workspace.snapshot());
    expect([...files].sort()).toEqual(["gone.txt", "new.txt", "old.txt", "raw.bin", "sp ace\n.txt", "ünï.txt"].sort());
    expect({ added, removed }).toEqual({ added: 3, removed: 2 });
  });

  it("of a run that was discarded says so", async () => {
    const on = await bench();
    const { workspace, path, base } = await started(on);
    await on.repository.removeWorkspace(RID, path);
    await expect(workspace.diff(base.tree, base.tree)).rejects.toMatchObject({ code: "workspace_missing" });
  });
});

describe("a commit", () => {
  it("is one commit of the tree on the base, by whoever the user is, and all of it is in the user's repository", async () => {
    const on = await bench({ "a.txt": "a\n" }, (root) => {
      git(root, "config", "user.name", "Ada");
      git(root, "config", "user.email", "ada@example.invalid");
      git(root, "config", "commit.gpgSign", "true");
    });
    const { workspace, path, base } = await started(on);
    const before = footprint(on.root);
    writeFiles(path, { "a.txt": "changed\n", "dir/b.txt": "b\n" });
    const tree = await workspace.snapshot();
    const commit = await workspace.commit(tree, base.commit, "the title\n\n# not a comment\nCcp-Run: x\n");
    expect(git(on.root, "log", "-1", "--format=%H %T %P %an <%ae> %cn%n%B", `ccp/${RID}`).trimEnd()).toBe(
      `${commit} ${tree} ${base.commit} Ada <ada@example.invalid> Ada\nthe title\n\n# not a comment\nCcp-Run: x`,
    );
    rmSync(join(on.root, ".git/ccp"), { recursive: true });
    expect(git(on.root, "fsck", "--strict", "--full").trim()).toBe("");
    expect(git(on.root, "show", `ccp/${RID}:dir/b.txt`)).toBe("b\n");
    expect({ ...footprint(on.root), objects: null }).toEqual({ ...before, objects: null });
    expect(git(path, "status", "--short")).toBe("");
  });

  it("has a name where the user has told git none", async () => {
    const { workspace, path, base, root } = await started(await bench());
    writeFiles(path, { "b.txt": "b\n" });
    await workspace.commit(await workspace.snapshot(), base.commit, "work");
    expect(git(root, "log", "-1", "--format=%an <%ae>", `ccp/${RID}`)).toBe("ccp <ccp@localhost>\n");
  });

  it("brings only objects that are not there yet", async () => {
    const on = await bench({ "a.txt": "a\n" }, (root) => {
      writeFiles(root, { "later.txt": "known already\n" });
      git(root, "hash-object", "-w", "later.txt");
      rmSync(join(root, "later.txt"));
    });
    const { workspace, path, base } = await started(on);
    writeFiles(path, { "noise.txt": "an earlier snapshot\n" });
    await workspace.snapshot();
    rmSync(join(path, "noise.txt"));
    writeFiles(path, { "later.txt": "known already\n", "new.txt": "new\n" });
    await workspace.commit(await workspace.snapshot(), base.commit, "work");
    const count = (text: string, field: string) => Number(new RegExp(`^${field}: (\\d+)`, "m").exec(text)?.[1]);
    // One tree and one blob; the commit itself is loose.
    expect(count(git(on.root, "count-objects", "-v"), "in-pack")).toBe(2);
  });

  it("of a dirty base brings what the user had not committed, too", async () => {
    const on = await bench({ "a.txt": "a\n" });
    writeFiles(on.root, { "mine.txt": "uncommitted\n" });
    const { workspace, path, base } = await started(on, await on.repository.dirtyBase());
    writeFiles(path, { "b.txt": "b\n" });
    await workspace.commit(await workspace.snapshot(), base.commit, "work");
    expect(git(on.root, "show", "--name-only", "--format=", `ccp/${RID}`)).toBe("b.txt\nmine.txt\n");
    const next = await on.repository.resolveBase(`ccp/${RID}`);
    expect(next).toMatchObject({ dirty: false, branch: `ccp/${RID}` });
  });

  it("done twice is the same commit; another tree replaces it", async () => {
    const { workspace, path, base, root } = await started(await bench());
    writeFiles(path, { "b.txt": "b\n" });
    const tree = await workspace.snapshot();
    await workspace.commit(tree, base.commit, "work");
    // Another second, so that a second commit would be another one.
    const date = { GIT_COMMITTER_DATE: "2001-02-03T04:05:06Z" };
    const args = ["-c", "user.name=a", "-c", "user.email=a@b", "commit-tree", tree, "-p", base.commit, "-m", "work"];
    const commit = execFileSync("git", args, { cwd: root, encoding: "utf8", env: { ...process.env, ...date } }).trim();
    git(root, "update-ref", `refs/heads/ccp/${RID}`, commit);
    expect(await workspace.commit(tree, base.commit, "work\n")).toBe(commit);
    writeFiles(path, { "c.txt": "c\n" });
    const next = await workspace.commit(await workspace.snapshot(), base.commit, "work");
    expect(next).not.toBe(commit);
    expect(git(root, "rev-list", `${base.commit}..ccp/${RID}`).trim()).toBe(next);
  });

  it("replaces whatever an agent put on the branch, and an unchanged tree may be committed", async () => {
    const { workspace, path, base, root } = await started(await bench());
    writeFiles(path, { "secret.txt": "s\n" });
    git(path, "add", "--all");
    git(path, "commit", "--quiet", "--message=an agent's own");
    const commit = await workspace.commit(base.tree, base.commit, "nothing");
    expect(git(root, "rev-list", `${base.commit}..ccp/${RID}`).trim()).toBe(commit);
  });

  it("needs no worktree", async () => {
    const { workspace, path, base, root } = await started(await bench());
    writeFiles(path, { "b.txt": "b\n" });
    const tree = await workspace.snapshot();
    rmSync(path, { recursive: true });
    await workspace.commit(tree, base.commit, "work");
    expect(git(root, "show", `ccp/${RID}:b.txt`)).toBe("b\n");
  });
});

describe("applying a patch to the user's tree", () => {
  /** A change of every kind, as a patch on the base. */
  async function changed() {
    const on = await bench({
      "a.txt": `${LONG}\n`,
      "gone.txt": "x\n",
      "run.sh": "x\n",
      "raw.bin": Buffer.from([0, 1]),
    });
    const { workspace, path, base } = await started(on);
    writeFiles(path, { "a.txt": `${LONG.replace("line 20", "changed")}\n`, "new dir/n.txt": "no end" });
    writeFileSync(join(path, "raw.bin"), Buffer.from([0, 255, 13, 10]));
    chmodSync(join(path, "run.sh"), 0o755);
    rmSync(join(path, "gone.txt"));
    symlinkSync("a.txt", join(path, "link"));
    const tree = await workspace.snapshot();
    return { ...on, tree, patch: await workspace.diff(base.tree, tree) };
  }

  it("gives the run's tree, and does not touch the index", async () => {
    const { repository, root, patch, tree } = await changed();
    const { index } = footprint(root);
    expect(await repository.applyPatch(patch)).toEqual({ ok: true });
    expect(footprint(root).index).toBe(index);
    git(root, "add", "--all");
    expect(git(root, "write-tree").trim()).toBe(tree);
  });

  it("keeps the user's edits elsewhere, and in other lines of the same file", async () => {
    const { repository, root, patch } = await changed();
    writeFiles(root, { "a.txt": `mine\n${LONG}\n`, "mine.txt": "untracked\n" });
    expect(await repository.applyPatch(patch)).toEqual({ ok: true });
    const text = readFileSync(join(root, "a.txt"), "utf8");
    expect([text.startsWith("mine\n"), text.includes("changed")]).toEqual([true, true]);
    expect(existsSync(join(root, "mine.txt"))).toBe(true);
  });

  it.each([
    ["a conflicting edit", "a.txt", LONG.replace("line 20", "mine"), "a.txt: patch does not apply"],
    ["an untracked file in the way", "new dir/n.txt", "mine\n", "new dir/n.txt: already exists in working directory"],
    ["a file that is gone", "gone.txt", null, "gone.txt: No such file or directory"],
  ])("refuses %s and changes nothing", async (_name, file, content, reason) => {
    const { repository, root, patch } = await changed();
    if (content === null) rmSync(join(root, file));
    else writeFiles(root, { [file]: content });
    const before = footprint(root);
    expect(await repository.applyPatch(patch)).toEqual({ ok: false, reason });
    expect(footprint(root)).toEqual(before);
  });

  it("an ignored file in the way is refused, too", async () => {
    const { repository, root, patch } = await changed();
    writeFiles(root, { ".git/info/exclude": "new dir\n", "new dir/n.txt": "mine\n" });
    expect(await repository.applyPatch(patch)).toMatchObject({ ok: false });
    expect(readFileSync(join(root, "new dir/n.txt"), "utf8")).toBe("mine\n");
  });

  it("does not write through a link that leads out of the tree", async () => {
    const { repository, root, patch } = await changed();
    const outside = tempDir();
    symlinkSync(outside, join(root, "new dir"));
    expect(await repository.applyPatch(patch)).toMatchObject({ ok: false });
    expect(existsSync(join(outside, "n.txt"))).toBe(false);
  });

  it("an empty patch is applied", async () => {
    const { repository } = await bench();
    expect(await repository.applyPatch(new Uint8Array())).toEqual({ ok: true });
  });

  it("what is no patch is refused in words", async () => {
    const { repository } = await bench();
    expect(await repository.applyPatch(Buffer.from("nonsense\n"))).toEqual({
      ok: false,
      reason: expect.stringMatching(/patch/i),
    });
  });

  it("tells of the first few of many conflicts", async () => {
    const names = Array.from({ length: 9 }, (_, index) => `f${index}.txt`);
    const on = await bench(Object.fromEntries(names.map((name) => [name, "x\n"])));
    const { workspace, path, base } = await started(on);
    writeFiles(path, Object.fromEntries(names.map((name) => [name, "y\n"])));
    const patch = await workspace.diff(base.tree, await workspace.snapshot());
    writeFiles(on.root, Object.fromEntries(names.map((name) => [name, "z\n"])));
    const outcome = await on.repository.applyPatch(patch);
    expect(outcome).toMatchObject({ ok: false, reason: expect.stringMatching(/^(f\d.txt: .*\n){5}and 4 more$/) });
  });

  it("ignores apply.whitespace and the like", async () => {
    const on = await bench({ "a.txt": "a\n" }, (root) => {
      git(root, "config", "apply.whitespace", "fix");
      git(root, "config", "core.whitespace", "cr-at-eol,trailing-space");
    });
    const { workspace, path, base } = await started(on);
    writeFiles(path, { "a.txt": "a  \nb\t\r\n\n\n" });
    const patch = await workspace.diff(base.tree, await workspace.snapshot());
    expect(await on.repository.applyPatch(patch)).toEqual({ ok: true });
    expect(readFileSync(join(on.root, "a.txt"), "utf8")).toBe("a  \nb\t\r\n\n\n");
  });

  it("works from a subdirectory", async () => {
    const { root, patch, stateHome, environment } = await changed();
    mkdirSync(join(root, "sub"));
    const { openRepository } = await import("../../src/workspace/repository.ts");
    const repository = await openRepository({ cwd: join(root, "sub"), environment, stateHome });
    expect(await repository.applyPatch(patch)).toEqual({ ok: true });
    expect(existsSync(join(root, "new dir/n.txt"))).toBe(true);
  });
});
