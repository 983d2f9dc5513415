import { readdirSync, readFileSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createFiles } from "../../src/workspace/files.ts";
import { isGitName } from "../../src/workspace/paths.ts";
import { writeFiles } from "../support/git.ts";
import { tempDir } from "../support/temp.ts";

const SECRET = "outside the worktree";

/** A worktree with every kind of way out, and what lies outside. */
function prison() {
  const top = tempDir("ccp-prison");
  const root = join(top, "tree");
  const outside = join(top, "tree-outside");
  writeFiles(outside, { "secret.txt": SECRET, "deep/secret.txt": SECRET, "only-outside": "" });
  writeFiles(root, { "in/a.txt": "inside", "in/deep/b.txt": "inside", ".git/config": SECRET, ".git/only-git": SECRET });
  const links = {
    "out-dir": outside,
    "out-file": join(outside, "secret.txt"),
    "out-relative": "../tree-outside",
    "in/up": "../..",
    "in/round": "round",
    "in/to-git": "../.git",
    "in/to-config": "../.git/config",
    "in/nowhere": join(outside, "new.txt"),
    "in/nowhere-inside": "../not-there",
    "in/self": "/proc/self/cwd",
    "in/chain": "../out-chain",
    "out-chain": "out-dir/deep",
    good: "in/deep",
  };
  for (const [path, target] of Object.entries(links)) symlinkSync(target, join(root, path));
  return { top, root, outside, files: createFiles(root) };
}

/** Not with `recursive`: node follows symlinks there. */
function everythingIn(directory: string): Record<string, string> {
  const entries = readdirSync(directory, { withFileTypes: true });
  const found = entries.map((entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return everythingIn(path);
    return { [path]: entry.isFile() ? readFileSync(path, "utf8") : "no file" };
  });
  return Object.assign({}, ...found);
}

const query = (path: string) => ({ pattern: "outside", path, glob: null, ignoreCase: false, maxMatches: 10 });

describe("every way out is closed, with a reason", () => {
  test.each([
    ["../tree-outside/secret.txt", '".."'],
    ["in/../in/a.txt", '".."'],
    ["in/up/tree-outside/secret.txt", "out of the worktree"],
    ["/etc/passwd", "outside the worktree"],
    ["/", "outside the worktree"],
    ["out-dir/secret.txt", "out of the worktree"],
    ["out-dir", "out of the worktree"],
    ["out-file", "out of the worktree"],
    ["out-relative/secret.txt", "out of the worktree"],
    ["out-relative/new.txt", "out of the worktree"],
    ["in/chain/secret.txt", "out of the worktree"],
    ["in/self/secret", "out of the worktree"],
    ["in/round", "symlinks"],
    ["in/round/x", "symlinks"],
    ["in/nowhere", "leads nowhere"],
    ["in/nowhere-inside", "leads nowhere"],
    ["in/nowhere-inside/x", "leads nowhere"],
    [".git", ".git"],
    [".git/config", ".git"],
    [".git/", ".git"],
    [".git/new", ".git"],
    [".GIT/config", ".git"],
    [".gIt/config", ".git"],
    [".git /config", ".git"],
    [".git./config", ".git"],
    [".git\u200c/config", ".git"],
    ["git~1/config", ".git"],
    ["in/.git/config", ".git"],
    ["in/to-git/config", ".git"],
    ["in/to-config", ".git"],
    ["in/a.txt\0.png", "NUL"],
  ])("%j", async (path, reason) => {
    const { top, files } = prison();
    const before = everythingIn(top);
    const refused = { ok: false, reason: expect.stringContaining(reason) };
    expect(await files.readFile(path)).toMatchObject(refused);
    expect(await files.writeFile(path, new Uint8Array())).toMatchObject(refused);
    expect(await files.list(path)).toMatchObject(refused);
    expect(await files.glob("**", path)).toMatchObject(refused);
    expect(await files.grep(query(path))).toMatchObject(refused);
    expect(everythingIn(top)).toEqual(before);
  });

  test("an absolute path that only begins like the worktree's is outside", async () => {
    const { outside, files } = prison();
    const refused = { ok: false, reason: expect.stringContaining("is outside the worktree") };
    expect(await files.readFile(join(outside, "secret.txt"))).toMatchObject(refused);
  });

  test("names that merely look like .git are files like any other", async () => {
    const { files } = prison();
    for (const path of [".gitignore", ".github/ci.yml", "x.git/a", "git/a", ".git-blame", "in/.gitkeep"]) {
      expect(isGitName(path.split("/")[0] ?? "")).toBe(false);
      expect(await files.writeFile(path, new Uint8Array())).toMatchObject({ ok: true });
    }
  });

  test("a symlink that stays inside is followed", async () => {
    const { files } = prison();
    expect(await files.readFile("good/b.txt")).toMatchObject({ ok: true });
    expect(await files.list("good")).toMatchObject({ ok: true, value: [{ path: "good/b.txt" }] });
  });

  test("a search from the root does not follow symlinks out, and does not see .git", async () => {
    const { files } = prison();
    expect(await files.grep(query("."))).toEqual({ ok: true, value: [] });
    expect(await files.glob("**", ".")).toEqual({ ok: true, value: ["in/a.txt", "in/deep/b.txt"] });
  });
});

test("no path, however it is put together, reads or changes anything outside", async () => {
  const { top, root, outside, files } = prison();
  const before = everythingIn(outside);
  const gitBefore = everythingIn(join(root, ".git"));
  const words = [
    "..",
    ".",
    "",
    "in",
    "deep",
    "up",
    "out-dir",
    "out-file",
    "out-relative",
    "to-git",
    "to-config",
    "good",
  ];
  const names = [".git", ".Git", "config", "a.txt", "b.txt", "secret.txt", "tree", "tree-outside", "chain", "round"];
  const segment = fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...words, ...names) }, fc.string({ maxLength: 4 }));
  const start = fc.constantFrom("", "", "/", `${root}/`, `${top}/`, "./", "~/", "\0");
  await fc.assert(
    fc.asyncProperty(start, fc.array(segment, { maxLength: 6 }), async (prefix, segments) => {
      const path = prefix + segments.join("/");
      const read = await files.readFile(path);
      if (read.ok) expect(Buffer.from(read.value).toString()).not.toBe(SECRET);
      const listed = await files.list(path);
      if (listed.ok) expect(listed.value.map((entry) => entry.path).join()).not.toContain("only-");
      await files.writeFile(path, Buffer.from("written"));
    }),
    { numRuns: 300 },
  );
  expect(everythingIn(outside)).toEqual(before);
  expect(everythingIn(join(root, ".git"))).toEqual(gitBefore);
  expect(readdirSync(top).sort()).toEqual(["tree", "tree-outside"]);
});

test("a directory that is swapped for a symlink again and again is never left through it", async () => {
  const { root, outside, files } = prison();
  const before = everythingIn(outside);
  const door = join(root, "door");
  const kept = join(root, "kept");
  writeFiles(kept, { "secret.txt": "inside" });
  let open = true;
  const outcomes = new Set<string>();
  const reader = async () => {
    for (let round = 0; round < 300; round++) {
      const read = await files.readFile("door/secret.txt");
      outcomes.add(read.ok ? Buffer.from(read.value).toString() : "refused");
      await files.writeFile(`door/new/${round}`, new Uint8Array());
    }
    open = false;
  };
  const moments = async (count: number) => {
    for (let moment = 0; moment < count; moment++) await new Promise(setImmediate);
  };
  const swapper = async () => {
    for (let turn = 0; open; turn++) {
      putInPlace(door, () => renameSync(kept, door));
      await moments(1 + ((turn * 7) % 23));
      renameSync(door, kept);
      putInPlace(door, () => symlinkSync(outside, door));
      await moments(1 + ((turn * 5) % 11));
    }
  };
  await Promise.all([reader(), swapper()]);
  expect([...outcomes]).not.toContain(SECRET);
  expect(everythingIn(outside)).toEqual(before);
});

/** The writer may have made a directory of the name meanwhile. */
function putInPlace(path: string, put: () => void): void {
  for (;;) {
    rmSync(path, { recursive: true, force: true });
    try {
      put();
      return;
    } catch (error) {
      if (!/EEXIST|ENOTEMPTY/.test(String(error))) throw error;
    }
  }
}
