import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { EXIT } from "../../src/core/errors.ts";
import type { Base } from "../../src/core/event.ts";
import type { Workspace } from "../../src/core/ports.ts";

export interface WorkspaceOnTrial {
  readonly workspace: Workspace;
  readonly base: Base;
  /** A checkout of the base on this machine, for trying patches; its repository is where `commit` leaves its commit. */
  readonly checkout: string;
  /** The branch on which `commit` leaves it. */
  readonly branch: string;
}

/** The files that a workspace on trial starts with. */
export const CONTRACT_FILES = {
  ".gitignore": "*.log\ncache/\n",
  "a.txt": "one\ntwo\nthree\n",
  "dir/b.txt": "b\n",
} as const;

/**
 * What the engine relies on, whoever implements `Workspace` and wherever its files are: everything is done and seen
 * through the port itself. `make` gives a fresh workspace over `CONTRACT_FILES`.
 */
export function workspaceContract(name: string, make: () => Promise<WorkspaceOnTrial>): void {
  describe(`${name}: files`, () => {
    it("a file that is removed is gone, and its directory stays", async () => {
      const { workspace } = await make();
      expect(await workspace.removeFile("dir/b.txt")).toEqual({ ok: true, value: undefined });
      expect(await workspace.readFile("dir/b.txt")).toMatchObject({ ok: false, isMissing: true });
      expect(await workspace.list("dir")).toEqual({ ok: true, value: [] });
    });

    it("a file that moves keeps bytes and mode, into directories that are made for it", async () => {
      const { workspace } = await make();
      await shell(workspace, "chmod +x a.txt");
      expect(await workspace.moveFile("a.txt", "new/deep/c.txt")).toEqual({ ok: true, value: undefined });
      expect(await read(workspace, "new/deep/c.txt")).toBe(CONTRACT_FILES["a.txt"]);
      expect(await workspace.readFile("a.txt")).toMatchObject({ ok: false, isMissing: true });
      await shell(workspace, "test -x new/deep/c.txt");
    });

    it("nothing is moved over what is there", async () => {
      const { workspace } = await make();
      for (const taken of ["dir/b.txt", "dir", "a.txt"]) {
        const refused = await workspace.moveFile("a.txt", taken);
        expect(refused).toMatchObject({ ok: false, reason: expect.stringContaining("exists already") });
      }
      expect(await read(workspace, "dir/b.txt")).toBe("b\n");
    });

    it("what is no file, not there, behind a symlink or outside is neither removed nor moved", async () => {
      const { workspace, base } = await make();
      await shell(workspace, "ln -s a.txt link && ln -s dir way");
      const tree = await workspace.snapshot();
      for (const path of ["dir", ".", "link", "way/b.txt", "missing", "../out", "/etc/hostname", ".git/config"]) {
        expect(await workspace.removeFile(path), path).toMatchObject({ ok: false });
        expect(await workspace.moveFile(path, "elsewhere"), path).toMatchObject({ ok: false });
      }
      for (const target of ["../out", "/tmp/ccp-out", ".git/hooks/post-commit", "a.txt/b"])
        expect(await workspace.moveFile("dir/b.txt", target), target).toMatchObject({ ok: false });
      expect(await workspace.snapshot()).toBe(tree);
      expect(tree).not.toBe(base.tree);
    });
  });

  describe(`${name}: history`, () => {
    it("a fresh workspace has the base's tree", async () => {
      const { workspace, base } = await make();
      expect(await workspace.snapshot()).toBe(base.tree);
    });

    it("equal files have equal trees, whatever happened in between", async () => {
      const { workspace, base } = await make();
      await write(workspace, "new.txt", "n\n");
      const tree = await workspace.snapshot();
      expect(tree).not.toBe(base.tree);
      await shell(workspace, "rm new.txt && mv a.txt away && mv away a.txt");
      expect(await workspace.snapshot()).toBe(base.tree);
      await write(workspace, "new.txt", "n\n");
      expect(await workspace.snapshot()).toBe(tree);
    });

    it("the mode of a file, a symlink's words and a missing last line feed count; an empty directory does not", async () => {
      const { workspace, base } = await make();
      const seen = new Set([base.tree]);
      for (const command of ["chmod +x a.txt", "ln -s a.txt link", "ln -sfn dir link", "printf b > dir/b.txt"]) {
        await shell(workspace, command);
        seen.add(await workspace.snapshot());
      }
      expect(seen.size).toBe(5);
      const before = await workspace.snapshot();
      await shell(workspace, "mkdir empty");
      expect(await workspace.snapshot()).toBe(before);
    });

    it("ignored files are in no tree, and stay through a restore", async () => {
      const { workspace, base } = await make();
      await shell(workspace, "mkdir cache && echo x > cache/c && echo x > trace.log");
      expect(await workspace.snapshot()).toBe(base.tree);
      await write(workspace, "a.txt", "changed\n");
      await workspace.restore(base.tree);
      expect(await read(workspace, "trace.log")).toBe("x\n");
      expect(await read(workspace, "cache/c")).toBe("x\n");
      expect(await read(workspace, "a.txt")).toBe(CONTRACT_FILES["a.txt"]);
    });

    it("a restore goes back and forth between any two trees, and undoes what no snapshot has seen", async () => {
      const { workspace, base } = await make();
      await shell(
        workspace,
        'rm -r dir && echo file > dir && ln -s /etc out && echo x > "sp ace\nand more" && rm a.txt',
      );
      const tree = await workspace.snapshot();
      await shell(workspace, "rm dir out && mkdir -p dir out && echo x > dir/x && echo x > out/x && echo x > stray");
      await workspace.restore(base.tree);
      expect(await workspace.snapshot()).toBe(base.tree);
      expect((await workspace.readFile("stray")).ok).toBe(false);
      await workspace.restore(tree);
      expect(await workspace.snapshot()).toBe(tree);
      expect(await read(workspace, "dir")).toBe("file\n");
    });

    it("a repository made inside counts as plain files", async () => {
      const { workspace, base } = await make();
      await shell(workspace, "mkdir inner && git -C inner init -q && echo x > inner/x.txt");
      const tree = await workspace.snapshot();
      expect((await workspace.diffStat(base.tree, tree)).files).toEqual(["inner/x.txt"]);
      await workspace.restore(base.tree);
      expect(await workspace.snapshot()).toBe(base.tree);
    });

    it("the empty directories beside a tree are put back with it", async () => {
      const { workspace, base } = await make();
      await shell(workspace, "mkdir was dir/was && echo x > new.txt");
      const tree = await workspace.snapshot();
      await shell(workspace, "rmdir dir/was && mkdir -p made/deep && echo x > was/x && rm new.txt");
      await workspace.snapshot();
      await workspace.restore(tree);
      const are = await shell(workspace, "find . -type d -empty -not -path './.git*' | sort");
      expect(are).toBe("./dir/was\n./was\n");
      await workspace.restore(base.tree);
      expect(await shell(workspace, "find . -type d -empty -not -path './.git*'")).toBe("");
    });

    it("no empty directory is made where a symlink leads, and what git ignores keeps its own", async () => {
      const { workspace } = await make();
      await shell(workspace, "mkdir dir/was && mkdir -p mixed/cache/empty");
      const tree = await workspace.snapshot();
      await shell(workspace, "mkdir ../elsewhere-$$ && mv dir moved && ln -s ../elsewhere-$$ dir && mkdir mixed/other");
      await workspace.restoreHollows(tree);
      expect(await shell(workspace, "ls dir/; ls mixed/cache; rm -r ../elsewhere-*")).toBe("empty\n");
    });

    it("snapshots asked for at once agree", async () => {
      const { workspace } = await make();
      await write(workspace, "new.txt", "n\n");
      const trees = await Promise.all([workspace.snapshot(), workspace.snapshot(), workspace.snapshot()]);
      expect(new Set(trees).size).toBe(1);
    });

    it("a diff applies with git to the base and gives the tree, bit for bit", async () => {
      const { workspace, base, checkout } = await make();
      await write(workspace, "a.txt", "one\r\nzwei\nthree");
      await workspace.writeFile("raw.bin", new Uint8Array([0, 255, 10, 13, 0]));
      await shell(workspace, 'mv dir/b.txt "dir/ünï ☃.txt" && chmod +x a.txt && ln -s a.txt link && : > empty');
      const tree = await workspace.snapshot();
      const input = await workspace.diff(base.tree, tree);
      execFileSync("git", ["apply", "--whitespace=nowarn"], { cwd: checkout, input });
      execFileSync("git", ["-c", "core.autocrlf=false", "add", "--all"], { cwd: checkout });
      expect(execFileSync("git", ["write-tree"], { cwd: checkout, encoding: "utf8" }).trim()).toBe(tree);
      expect(Buffer.from(await workspace.diff(base.tree, tree)).equals(input)).toBe(true);
      expect((await workspace.diff(tree, tree)).length).toBe(0);
    });

    it("a diff of one file or directory speaks of nothing else, and its name is no pattern", async () => {
      const { workspace, base } = await make();
      await write(workspace, "a.txt", "1\n");
      await write(workspace, "dir/c.txt", "c\n");
      const tree = await workspace.snapshot();
      const below = async (path: string) => new TextDecoder().decode(await workspace.diff(base.tree, tree, path));
      expect((await below("dir")).match(/^diff .*$/gm)).toEqual(["diff --git a/dir/c.txt b/dir/c.txt"]);
      expect((await below("a.txt")).match(/^diff .*$/gm)).toEqual(["diff --git a/a.txt b/a.txt"]);
      expect(await below("*.txt")).toBe("");
      expect(await below("--stat")).toBe("");
    });

    it("the figures of a diff name every file and count its lines", async () => {
      const { workspace, base } = await make();
      await write(workspace, "a.txt", "one\nzwei\nthree\nfour\n");
      await write(workspace, "c.txt", "c\n");
      const { files, added, removed } = await workspace.diffStat(base.tree, await workspace.snapshot());
      expect({ files, added, removed }).toEqual({ files: ["a.txt", "c.txt"], added: 3, removed: 1 });
    });

    it("a commit is one, on the base, whole, and the same when it is made twice", async () => {
      const { workspace, base, checkout, branch } = await make();
      const git = (...args: readonly string[]) =>
        execFileSync("git", [...args], { cwd: checkout, encoding: "utf8" }).trim();
      await write(workspace, "c.txt", "c\n");
      const tree = await workspace.snapshot();
      const commit = await workspace.commit(tree, base.commit, "work\n\nCcp-Run: x");
      expect(await workspace.commit(tree, base.commit, "work\n\nCcp-Run: x")).toBe(commit);
      expect(git("rev-parse", branch)).toBe(commit);
      expect(git("show", "-s", "--format=%T %P %s", commit)).toBe(`${tree} ${base.commit} work`);
      expect(git("show", `${branch}:c.txt`)).toBe("c");
    });

    it("a tree that is there already is adopted without a word, and one that nobody has is told as such", async () => {
      const { workspace, base } = await make();
      await write(workspace, "c.txt", "c\n");
      const tree = await workspace.snapshot();
      for (const there of [base.tree, tree]) await workspace.adopt(there);
      const missing = { code: "tree_missing", exitCode: EXIT.usage, hint: expect.any(String) };
      await expect(workspace.adopt("1".repeat(40))).rejects.toMatchObject(missing);
      await expect(workspace.adopt("--help")).rejects.toMatchObject(missing);
      expect(await workspace.snapshot()).toBe(tree);
    });

    it("trees that were packed in one place can be restored in another that has the same base", async () => {
      const [one, other] = [await make(), await make()];
      await write(one.workspace, "c.txt", "c\n");
      const first = await one.workspace.snapshot();
      await shell(
        one.workspace,
        "rm a.txt && mkdir deep && cp dir/b.txt deep/copy && ln -s a.txt link && chmod +x c.txt",
      );
      const second = await one.workspace.snapshot();
      const pack = await one.workspace.pack([first, second, one.base.tree], one.base.commit);
      await expect(other.workspace.adopt(second)).rejects.toMatchObject({ code: "tree_missing" });
      await other.workspace.unpack(pack);
      for (const tree of [second, first]) {
        await other.workspace.adopt(tree);
        await other.workspace.restore(tree);
        expect(await other.workspace.snapshot()).toBe(tree);
      }
    });

    it("what is no tree is never handed on as one: a journal may come from elsewhere", async () => {
      const { workspace, base } = await make();
      for (const word of ["--index-output=away", "HEAD", ""]) {
        await expect(workspace.restore(word)).rejects.toThrow("not the id of an object");
        await expect(workspace.diff(base.tree, word)).rejects.toThrow("not the id of an object");
        await expect(workspace.diffStat(word, base.tree)).rejects.toThrow("not the id of an object");
        await expect(workspace.commit(word, base.commit, "work")).rejects.toThrow("not the id of an object");
        await expect(workspace.pack([base.tree], word)).rejects.toThrow("not the id of an object");
      }
      expect(await workspace.snapshot()).toBe(base.tree);
    });

    it("a pack of nothing new is one that can be taken in, and what is no tree cannot be packed", async () => {
      const { workspace, base } = await make();
      await workspace.unpack(await workspace.pack([base.tree], base.commit));
      await workspace.unpack(await workspace.pack([], base.commit));
      expect(await workspace.snapshot()).toBe(base.tree);
      const refusal = { code: "tree_missing", exitCode: EXIT.usage };
      await expect(workspace.pack([base.tree, "1".repeat(40)], base.commit)).rejects.toMatchObject(refusal);
    });

    it("what is no pack is refused, whatever it is, and leaves everything as it was", async () => {
      const { workspace, base } = await make();
      await write(workspace, "c.txt", "c\n".repeat(1000));
      const tree = await workspace.snapshot();
      const pack = await workspace.pack([tree], base.commit);
      const flipped = pack.map((byte, index) => (index === pack.length >> 1 ? byte ^ 1 : byte));
      const noise = Uint8Array.from({ length: 300_000 }, (_, index) => (index * index) % 251);
      const junk = Uint8Array.from([...pack, 0]);
      for (const bytes of [new Uint8Array(), noise, pack.subarray(0, -1), pack.subarray(0, 12), flipped, junk]) {
        const refusal = { code: "damaged_export", exitCode: EXIT.usage, hint: expect.any(String) };
        await expect(workspace.unpack(bytes)).rejects.toMatchObject(refusal);
      }
      expect(await workspace.snapshot()).toBe(tree);
    });

    it("no command of a run's own to git changes what is recorded", async () => {
      const { workspace, base } = await make();
      await write(workspace, "c.txt", "c\n");
      const tree = await workspace.snapshot();
      await shell(
        workspace,
        "git add -A && git -c user.name=a -c user.email=a@b commit -qm x && git rm -q --cached a.txt",
      );
      expect(await workspace.snapshot()).toBe(tree);
      await workspace.restore(base.tree);
      expect(await workspace.snapshot()).toBe(base.tree);
    });
  });
}

async function write(workspace: Workspace, path: string, text: string): Promise<void> {
  expect(await workspace.writeFile(path, new TextEncoder().encode(text))).toMatchObject({ ok: true });
}

async function read(workspace: Workspace, path: string): Promise<string> {
  const outcome = await workspace.readFile(path);
  if (!outcome.ok) throw new Error(outcome.reason);
  return new TextDecoder().decode(outcome.value);
}

async function shell(workspace: Workspace, command: string): Promise<string> {
  const result = await workspace.run({ command, env: {}, timeoutMs: 20_000, signal: new AbortController().signal });
  expect(result.exitCode, new TextDecoder().decode(result.stderr)).toBe(0);
  return new TextDecoder().decode(result.stdout);
}
