import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { git, makeRepository, writeFiles } from "../support/git.ts";
import { tempDir } from "../support/temp.ts";
import { type Bench, bench, look, openBench, RID, started } from "./git-support.ts";

/** The same repository on another machine: its own folders, none of ccp's. */
async function elsewhere(on: Bench): Promise<Bench> {
  const root = join(tempDir(), "clone");
  git("/", "clone", "--quiet", on.root, root);
  return openBench(root);
}

/** Everything below ccp's folder. */
function ccpFiles(root: string): readonly string[] {
  const folder = join(root, ".git/ccp");
  return existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: "utf8" }).sort() : [];
}

describe("a run that is taken elsewhere", () => {
  it("is packed when its worktree is gone, and unpacked before there is one", async () => {
    const on = await bench({ "a.txt": "a\n" });
    const run = await started(on);
    writeFiles(run.path, { "b.txt": "b\n" });
    const tree = await run.workspace.snapshot();
    rmSync(run.path, { recursive: true });
    const pack = await on.repository.openWorkspace(RID, run.path).pack([tree], run.base.commit);
    const there = await elsewhere(on);
    await there.repository.openWorkspace(RID, "").unpack(pack);
    const { workspace, path } = await started(there, run.base);
    await workspace.adopt(tree);
    await workspace.restore(tree);
    expect(Object.keys(look(path)).sort()).toEqual(["a.txt", "b.txt"]);
    expect(await workspace.snapshot()).toBe(tree);
  });

  it("that began from uncommitted work finds its base there", async () => {
    const on = await bench({ "a.txt": "a\n", "gone.txt": "g\n" });
    writeFiles(on.root, { "a.txt": "not committed\n" });
    rmSync(join(on.root, "gone.txt"));
    const run = await started(on, await on.repository.dirtyBase());
    writeFiles(run.path, { "b.txt": "b\n" });
    const tree = await run.workspace.snapshot();
    const pack = await run.workspace.pack([run.base.tree, tree], run.base.commit);
    const there = await elsewhere(on);
    await expect(started(there, run.base)).rejects.toMatchObject({ code: "base_missing" });
    await there.repository.openWorkspace(RID, "").unpack(pack);
    const { workspace, path } = await started(there, run.base);
    expect(readFileSync(join(path, "a.txt"), "utf8")).toBe("not committed\n");
    expect(git(path, "status", "--short")).toBe(" M a.txt\n D gone.txt\n");
    await workspace.restore(tree);
    expect(await workspace.snapshot()).toBe(tree);
  });

  it("keeps apart from another that arrives beside it", async () => {
    const on = await bench({ "a.txt": "a\n" });
    const packs = new Map<string, { readonly tree: string; readonly pack: Uint8Array }>();
    const { path, workspace, base } = await started(on);
    for (const rid of ["r-first1", "r-second"]) {
      writeFiles(path, { "b.txt": `${rid}\n` });
      const tree = await workspace.snapshot();
      packs.set(rid, { tree, pack: await workspace.pack([tree], base.commit) });
    }
    const there = await elsewhere(on);
    for (const [rid, { pack }] of packs) await there.repository.openWorkspace(rid, "").unpack(pack);
    await there.repository.removeWorkspace("r-first1", "");
    const second = packs.get("r-second")?.tree ?? "";
    const run = await started(there, base, "r-second");
    await run.workspace.restore(second);
    expect(await run.workspace.snapshot()).toBe(second);
  });

  it("is packed from the user's repository when only its commit is left", async () => {
    const on = await bench({ "a.txt": "a\n" });
    const run = await started(on);
    writeFiles(run.path, { "b.txt": "b\n" });
    const tree = await run.workspace.snapshot();
    await run.workspace.commit(tree, run.base.commit, "work");
    await on.repository.retireWorkspace(RID, run.path);
    const pack = await on.repository.openWorkspace(RID, run.path).pack([tree], run.base.commit);
    const there = await started(await elsewhere(on), run.base);
    await there.workspace.unpack(pack);
    await there.workspace.restore(tree);
    expect(await there.workspace.snapshot()).toBe(tree);
  });

  it("takes nothing along that the base has", async () => {
    const on = await bench({ "large.bin": Buffer.from(noise(200_000)), "a.txt": "a\n" });
    const run = await started(on);
    writeFiles(run.path, { "b.txt": "b\n" });
    expect((await run.workspace.pack([await run.workspace.snapshot()], run.base.commit)).length).toBeLessThan(1_000);
  });
});

describe("a pack that is not what it says", () => {
  it.each([
    "a broken link",
    "a name that leads into .git",
    "a name that leads out",
    "a size that no machine has",
    "a delta of a size that no machine has",
  ])("%s is refused, and nothing of it is left", async (what) => {
    const on = await bench({ "a.txt": "a\n" });
    const before = ccpFiles(on.root);
    const refusal = on.repository.openWorkspace(RID, "").unpack(HOSTILE[what]?.() ?? new Uint8Array());
    await expect(refusal).rejects.toMatchObject({
      code: "damaged_export",
      message: expect.stringMatching(SAID[what] ?? /^$/),
    });
    expect(ccpFiles(on.root).filter((name) => name !== "runs")).toEqual(before);
  });

  it("leaves what the run had already", async () => {
    const on = await bench({ "a.txt": "a\n" });
    const { workspace, path } = await started(on);
    writeFiles(path, { "b.txt": "b\n" });
    const tree = await workspace.snapshot();
    const before = ccpFiles(on.root);
    await expect(workspace.unpack(withoutBlob())).rejects.toMatchObject({ code: "damaged_export" });
    expect(ccpFiles(on.root)).toEqual(before);
    expect(await workspace.snapshot()).toBe(tree);
  });
});

const SAID: Readonly<Record<string, RegExp>> = {
  "a broken link": /missing|not found|expected|did not receive|bad/i,
  "a name that leads into .git": /hasDotgit/,
  "a name that leads out": /hasDotdot/,
  "a size that no machine has": /attempting to allocate/,
  "a delta of a size that no machine has": /attempting to allocate/,
};

const HOSTILE: Readonly<Record<string, () => Uint8Array>> = {
  "a broken link": withoutBlob,
  "a name that leads into .git": () => packOfTree(".git"),
  "a name that leads out": () => packOfTree(".."),
  "a size that no machine has": () => packOf([[header(2, 2 ** 42), deflateSync(Buffer.alloc(1000))]]),
  "a delta of a size that no machine has": () => {
    const blob = Buffer.concat([header(3, 1), deflateSync("x")]);
    // Source size, target size, then "copy 1 byte from 0".
    const delta = Buffer.concat([varint(1), varint(2 ** 42), Buffer.from([0x90, 1])]);
    return packOf([[blob], [header(6, delta.length), Buffer.from([blob.length]), deflateSync(delta)]]);
  },
};

/** A tree without the file that is in it. */
function withoutBlob(): Uint8Array {
  const root = makeRepository({ "c.txt": "nobody else has this\n" });
  const tree = git(root, "rev-parse", "HEAD^{tree}");
  return execFileSync("git", ["pack-objects", "--stdout", "--quiet"], { cwd: root, input: tree });
}

/** A tree with a file of this name in it, which no git would make. */
function packOfTree(name: string): Uint8Array {
  const root = makeRepository();
  const id = Buffer.from(git(root, "hash-object", "README.md").trim(), "hex");
  const input = Buffer.concat([Buffer.from(`100644 ${name}\0`), id]);
  const args = ["hash-object", "-t", "tree", "--literally", "-w", "--stdin"];
  const tree = execFileSync("git", args, { cwd: root, input });
  const objects = `${tree}${git(root, "hash-object", "README.md")}`;
  return execFileSync("git", ["pack-objects", "--stdout", "--quiet"], { cwd: root, input: objects });
}

function packOf(entries: readonly (readonly Buffer[])[]): Uint8Array {
  const start = Buffer.from(
    [..."PACK"].map((letter) => letter.charCodeAt(0)).concat(0, 0, 0, 2, 0, 0, 0, entries.length),
  );
  const body = Buffer.concat([start, ...entries.flat()]);
  return Buffer.concat([body, createHash("sha1").update(body).digest()]);
}

/** Type and size of an entry: four bits of the size, then seven a byte. */
function header(type: number, size: number): Buffer {
  const rest = Math.floor(size / 16);
  const first = (type << 4) | (size % 16);
  return rest === 0 ? Buffer.from([first]) : Buffer.concat([Buffer.from([first | 0x80]), varint(rest)]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let left = value; ; left = Math.floor(left / 128)) {
    if (left < 128) return Buffer.from([...bytes, left]);
    bytes.push((left % 128) | 0x80);
  }
}

/** Bytes that cannot be packed. */
function noise(size: number): Uint8Array {
  const blocks = Array.from({ length: size / 32 }, (_, index) => createHash("sha256").update(`${index}`).digest());
  return Buffer.concat(blocks);
}
