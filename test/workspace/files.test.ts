import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createFiles } from "../../src/workspace/files.ts";
import { writeFiles } from "../support/git.ts";
import { tempDir } from "../support/temp.ts";

const bytes = (content: string) => new TextEncoder().encode(content);

function worktree(files: Record<string, string | Uint8Array> = {}) {
  const root = tempDir("ccp-files");
  writeFiles(root, files);
  return { root, files: createFiles(root) };
}

describe("reading", () => {
  test("a file is read as it is, whatever its bytes", async () => {
    const content = Uint8Array.from([0, 255, 13, 10, 128]);
    const { files } = worktree({ "a dir/ü\n.bin": content });
    expect(await files.readFile("a dir/ü\n.bin")).toEqual({ ok: true, value: Buffer.from(content) });
  });

  test("an absolute path inside the worktree is as good as a relative one", async () => {
    const { root, files } = worktree({ "src/a.ts": "a" });
    expect(await files.readFile(join(root, "src/a.ts"))).toMatchObject({ ok: true });
    expect(await files.readFile("./src//a.ts")).toMatchObject({ ok: true });
  });

  test("a worktree that is itself behind a symlink is entered by both of its names", async () => {
    const { root } = worktree({ "a.txt": "a" });
    const alias = join(tempDir(), "alias");
    symlinkSync(root, alias);
    const files = createFiles(alias);
    expect(await files.readFile(join(alias, "a.txt"))).toMatchObject({ ok: true });
    expect(await files.readFile(join(root, "a.txt"))).toMatchObject({ ok: true });
  });

  test.each([
    ["missing.txt", "does not exist"],
    ["src", "is a directory"],
    [".", "is a directory"],
    ["", "is a directory"],
    ["src/a.ts/deeper", "not a directory"],
    ["x".repeat(300), "too long"],
  ])("%j is refused with its reason", async (path, reason) => {
    const { files } = worktree({ "src/a.ts": "a" });
    expect(await files.readFile(path)).toMatchObject({ ok: false, reason: expect.stringContaining(reason) });
  });

  test("a pipe, a socket or a device is refused and nobody waits for it", async () => {
    const { root, files } = worktree();
    execFileSync("mkfifo", [join(root, "pipe")]);
    const server = createServer().listen(join(root, "socket"));
    symlinkSync("/dev/zero", join(root, "zero"));
    for (const path of ["pipe", "socket"]) {
      const refused = { ok: false, reason: expect.stringContaining("not a file") };
      expect(await files.readFile(path)).toMatchObject(refused);
      expect(await files.writeFile(path, bytes("x"))).toMatchObject(refused);
      expect(await files.grep({ pattern: "x", path, glob: null, ignoreCase: false, maxMatches: 9 })).toMatchObject({
        ok: false,
      });
    }
    expect(await files.readFile("zero")).toMatchObject({ ok: false, reason: expect.stringContaining("out of") });
    connect(join(root, "socket")).destroy();
    server.close();
  });

  test("a file too large to be of use is refused by its size, unread", async () => {
    const { root, files } = worktree({ big: "" });
    execFileSync("truncate", ["--size=101M", join(root, "big")]);
    expect(await files.readFile("big")).toMatchObject({
      ok: false,
      reason: expect.stringContaining("105906176 bytes"),
    });
  });
});

describe("writing", () => {
  test("a new file gets its directories, an old one keeps its mode, and nothing else is left", async () => {
    const { root, files } = worktree({ "run.sh": "old" });
    chmodSync(join(root, "run.sh"), 0o754);
    expect(await files.writeFile("run.sh", bytes("new"))).toEqual({ ok: true, value: undefined });
    expect(await files.writeFile("a/b/c.txt", bytes("c"))).toEqual({ ok: true, value: undefined });
    expect(statSync(join(root, "run.sh")).mode & 0o777).toBe(0o754);
    expect(readFileSync(join(root, "a/b/c.txt"), "utf8")).toBe("c");
    expect(readdirSync(root).sort()).toEqual(["a", "run.sh"]);
    expect(readdirSync(join(root, "a/b"))).toEqual(["c.txt"]);
  });

  test("a symlink inside the worktree is written through, and stays one", async () => {
    const { root, files } = worktree({ "real/a.txt": "old" });
    symlinkSync("real/a.txt", join(root, "link"));
    symlinkSync("real", join(root, "dir"));
    await files.writeFile("link", bytes("one"));
    expect(readFileSync(join(root, "real/a.txt"), "utf8")).toBe("one");
    await files.writeFile("dir/new/b.txt", bytes("two"));
    expect(readFileSync(join(root, "real/new/b.txt"), "utf8")).toBe("two");
    expect(readdirSync(root).sort()).toEqual(["dir", "link", "real"]);
    expect(execFileSync("readlink", [join(root, "link")], { encoding: "utf8" })).toBe("real/a.txt\n");
  });

  test("another name of the same file outside the worktree keeps its content", async () => {
    const { root, files } = worktree();
    const outside = join(tempDir(), "original");
    writeFileSync(outside, "mine");
    execFileSync("ln", [outside, join(root, "copy")]);
    await files.writeFile("copy", bytes("changed"));
    expect(readFileSync(outside, "utf8")).toBe("mine");
  });

  test("a directory, or a place below a file, is refused", async () => {
    const { files } = worktree({ "src/a.ts": "a" });
    expect(await files.writeFile("src", bytes(""))).toMatchObject({ ok: false, reason: '"src" is a directory' });
    expect(await files.writeFile(".", bytes(""))).toMatchObject({ ok: false });
    expect(await files.writeFile("src/a.ts/b", bytes(""))).toMatchObject({ ok: false });
  });

  test("fifty megabytes are written and read back", async () => {
    const { files } = worktree();
    const content = Buffer.alloc(50 * 1024 * 1024, "0123456789abcdef");
    expect(await files.writeFile("big.bin", content)).toMatchObject({ ok: true });
    const back = await files.readFile("big.bin");
    expect(back.ok && content.equals(back.value)).toBe(true);
  });
});

describe("listing", () => {
  test("one level, sorted, each with its kind and size, .git left out", async () => {
    const { root, files } = worktree({
      "b.txt": "12345",
      "a/deep.txt": "",
      "Z.md": "1",
      ".env": "",
      ".git": "gitdir: x",
    });
    symlinkSync("/etc", join(root, "link"));
    expect(await files.list(".")).toEqual({
      ok: true,
      value: [
        { path: ".env", kind: "file", sizeBytes: 0 },
        { path: "Z.md", kind: "file", sizeBytes: 1 },
        { path: "a", kind: "directory", sizeBytes: 0 },
        { path: "b.txt", kind: "file", sizeBytes: 5 },
        { path: "link", kind: "symlink", sizeBytes: 0 },
      ],
    });
    expect(await files.list("a/")).toEqual({ ok: true, value: [{ path: "a/deep.txt", kind: "file", sizeBytes: 0 }] });
  });

  test("a file and a missing place are refused", async () => {
    const { files } = worktree({ "a.txt": "" });
    expect(await files.list("a.txt")).toMatchObject({ ok: false, reason: expect.stringContaining("not a directory") });
    expect(await files.list("b")).toMatchObject({ ok: false, reason: expect.stringContaining("does not exist") });
  });
});

test("an empty directory lists as empty", async () => {
  const { root, files } = worktree();
  mkdirSync(join(root, "empty"));
  expect(await files.list("empty")).toEqual({ ok: true, value: [] });
});
