import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { describe, expect, it } from "vitest";
import { writeFiles } from "../support/git.ts";
import { tempDir } from "../support/temp.ts";
import { bench, RID, type Running, started } from "./git-support.ts";

const SCRIPT = join(import.meta.dirname, "flush-worktree.ts");
const canWatch = spawnSync("strace", ["-qq", "true"]).status === 0;

/** What a flush asks the disk to keep: paths from the worktree's root, or the names of other files. */
function flushed({ root, stateHome, path, environment }: Running): ReadonlySet<string> {
  const log = join(tempDir(), "log");
  const watch = ["-f", "-qq", "-y", "-o", log, "-e", "trace=fsync", "-e", "status=successful"];
  const argv = [...watch, process.execPath, SCRIPT, root, stateHome, RID, path];
  execFileSync("strace", argv, { env: environment, stdio: "pipe" });
  const asked = [...readFileSync(log, "utf8").matchAll(/fsync\(\d+<(.*)>/g)].map(([, file]) => file ?? "");
  return new Set(asked.map((file) => (`${file}/`.startsWith(`${path}/`) ? relative(path, file) : file)));
}

describe.skipIf(!canWatch)("a flush (seen by strace, skipped without it)", () => {
  it("reaches every file that a snapshot has, those of the base too, and every directory above one", async () => {
    const on = await started(await bench({ "a.txt": "a\n", "dir/deep/b.txt": "b\n" }));
    writeFiles(on.path, { "new/c.txt": "c\n", "dir/d é.txt": "d\n" });
    await on.workspace.snapshot();
    const seen = flushed(on);
    for (const path of ["", "a.txt", "dir", "dir/deep", "dir/deep/b.txt", "new", "new/c.txt"])
      expect(seen).toContain(path);
  });

  it("reaches a directory that a file has gone from, though nothing of a tree is left in it", async () => {
    const on = await started(await bench({ "gone/a.txt": "a\n", "b.txt": "b\n" }));
    mkdirSync(join(on.path, "never", "there"), { recursive: true });
    rmSync(join(on.path, "gone/a.txt"));
    const seen = flushed(on);
    for (const path of ["", "gone", "never", "never/there"]) expect(seen).toContain(path);
  });

  it("leaves out what git ignores as a whole, but for files of the base there", async () => {
    const files = { ".gitignore": "node_modules/\n", "a.txt": "a\n", "node_modules/kept/a.js": "a\n" };
    const on = await started(await bench({ "a.txt": "a\n" }, (root) => commitAll(root, files)));
    writeFiles(on.path, { "node_modules/other/b.js": "b\n" });
    const seen = flushed(on);
    for (const path of ["node_modules", "node_modules/kept", "node_modules/kept/a.js"]) expect(seen).toContain(path);
    expect(seen).not.toContain("node_modules/other/b.js");
  });

  it("reaches what ccp and git know of the files", async () => {
    const on = await started(await bench({ "a.txt": "a\n" }));
    const names = [...flushed(on)].filter((path) => path.startsWith("/"));
    expect(names.filter((path) => /\/ccp\/runs\/[^/]+(\/index)?$/.test(path))).toHaveLength(2);
    expect(names.filter((path) => /\/worktrees\/[^/]+(\/index)?$/.test(path))).toHaveLength(2);
  });
});

it("a flush follows no symlink, waits for no pipe and changes nothing", async () => {
  const { workspace, path } = await started(await bench({ "a.txt": "a\n", ".gitignore": "*.secret\n" }));
  symlinkSync("/dev/zero", join(path, "endless"));
  symlinkSync(".", join(path, "round"));
  execFileSync("mkfifo", [join(path, "pipe")]);
  writeFileSync(join(path, "no.secret"), "x");
  chmodSync(join(path, "no.secret"), 0);
  execFileSync("bash", ["-c", "echo x > $'no \\xff text'; mkdir $'\\xfe'; echo y > $'\\xfe/y'"], { cwd: path });
  const tree = await workspace.snapshot();
  await workspace.flush();
  expect(await workspace.snapshot()).toBe(tree);
});

function commitAll(root: string, files: Readonly<Record<string, string>>): void {
  writeFiles(root, files);
  execFileSync("git", ["add", "--all", "--force"], { cwd: root });
  execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@t", "commit", "--quiet", "-m", "all"], { cwd: root });
}
