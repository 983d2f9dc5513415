import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { list } from "tar";
import { describe, expect, it } from "vitest";
import { openResults } from "../../src/workspace/results.ts";
import { git, makeRepository, writeFiles } from "../support/git.ts";
import { tempDir } from "../support/temp.ts";
import { bareEnvironment, openBench, RID } from "./git-support.ts";

function open(root: string, dir = "results") {
  return openResults({ root, commonDir: join(root, ".git"), dir, environment: bareEnvironment() });
}

const bytes = (text: string) => new TextEncoder().encode(text);
const excluded = (root: string) => readFileSync(join(root, ".git/info/exclude"), "utf8");

it("a symlink that came with the repository does not decide where ccp writes", () => {
  const root = makeRepository();
  const elsewhere = tempDir();
  symlinkSync(elsewhere, join(root, "results"));
  expect(() => open(root)).toThrow(expect.objectContaining({ code: "results_elsewhere", exitCode: 2 }));
  expect(open(root, elsewhere).dir).toBe(elsewhere);
});

describe("what a run leaves behind", () => {
  it("is written whole, read back, and replaced", () => {
    const root = makeRepository();
    const results = open(root);
    expect(results.dir).toBe(join(root, "results"));
    expect(results.pathOf(RID)).toBe(join(root, "results", RID));
    expect(results.read(RID, "PLAN.md")).toBeNull();
    results.write(RID, "PLAN.md", bytes("# plan\n"));
    results.write(RID, "PLAN.md", bytes("# another\n"));
    results.write(RID, "steps/test.log", new Uint8Array([0, 255, 10]));
    expect(Buffer.from(results.read(RID, "PLAN.md") ?? []).toString()).toBe("# another\n");
    expect([...(results.read(RID, "steps/test.log") ?? [])]).toEqual([0, 255, 10]);
    expect(readdirSync(join(root, "results", RID)).sort()).toEqual(["PLAN.md", "steps"]);
  });

  it("is no uncommitted work, and is excluded from git one by one", async () => {
    const root = makeRepository();
    const results = open(root);
    results.write(RID, "run.json", bytes("{}"));
    for (const name of ["PLAN.md", "Diff.patch", "REVIEW.md"])
      expect(results.publish(RID, name, bytes("x"))).toBe(true);
    expect(git(root, "status", "--short")).toBe("");
    expect(await (await openBench(root)).repository.dirtyFiles()).toEqual([]);
    writeFiles(root, { "results/mine.md": "the user's\n" });
    expect(git(root, "status", "--short", "--untracked-files=all")).toBe("?? results/mine.md\n");
    expect(excluded(root).trimEnd().split("\n").slice(-5)).toEqual([
      expect.stringMatching(/^# ccp/),
      `/results/${RID}/`,
      "/results/PLAN.md",
      "/results/Diff.patch",
      "/results/REVIEW.md",
    ]);
  });

  it("keeps nothing of a write that died in the middle, and that is no uncommitted work meanwhile", async () => {
    const root = makeRepository();
    const results = open(root);
    const left = [`results/${RID}/.run.json.0123abcd.tmp`, `results/${RID}/.latest-PLAN.md.0123abcd.tmp`];
    for (const file of left) writeFiles(root, { [file]: "{" });
    expect(await (await openBench(root)).repository.dirtyFiles()).toEqual([]);
    results.write(RID, "run.json", bytes("{}"));
    results.publish(RID, "PLAN.md", bytes("# plan\n"));
    expect(left.filter((file) => existsSync(join(root, file)))).toEqual([]);
  });

  it("a published file takes the place of the last one, or is taken away", () => {
    const root = makeRepository();
    const results = open(root);
    results.publish(RID, "REVIEW.md", bytes("old"));
    results.publish(RID, "REVIEW.md", bytes("new"));
    expect(readFileSync(join(root, "results/REVIEW.md"), "utf8")).toBe("new");
    expect(results.publish(RID, "REVIEW.md", null)).toBe(true);
    expect(results.publish(RID, "REVIEW.md", null)).toBe(true);
    expect(existsSync(join(root, "results/REVIEW.md"))).toBe(false);
  });

  it("never replaces or removes a file that git tracks", () => {
    const root = makeRepository({ "results/PLAN.md": "the team's\n" });
    const results = open(root);
    expect(results.publish(RID, "PLAN.md", bytes("ours"))).toBe(false);
    expect(results.publish(RID, "PLAN.md", null)).toBe(false);
    expect(readFileSync(join(root, "results/PLAN.md"), "utf8")).toBe("the team's\n");
    expect(results.publish(RID, "REVIEW.md", bytes("ours"))).toBe(true);
  });

  it("stays where it is put: no name leads elsewhere", () => {
    const results = open(makeRepository());
    for (const name of ["../x", "a/b/c", "/etc/passwd", "", ".", "a/..", ".git/config", "a\0b"]) {
      expect(() => results.write(RID, name, bytes("x")), name).toThrow("not a name");
      expect(() => results.publish(RID, name, bytes("x")), name).toThrow("not a name");
    }
  });
});

describe("the list of exclusions", () => {
  it("keeps the user's lines, ended or not, and adds each of ours once", () => {
    const root = makeRepository();
    writeFileSync(join(root, ".git/info/exclude"), "mine.txt");
    for (let round = 0; round < 3; round++) {
      open(root).write(RID, "a.txt", bytes("a"));
      open(root).write("r-other1", "a.txt", bytes("a"));
    }
    const [first, marker, ...rest] = excluded(root).split("\n");
    expect([first, rest]).toEqual(["mine.txt", [`/results/${RID}/`, "/results/r-other1/", ""]]);
    expect(marker).toMatch(/^#/);
  });

  it("is made where it is missing", () => {
    const root = makeRepository();
    renameSync(join(root, ".git/info"), join(root, ".git/info.away"));
    open(root).write(RID, "a.txt", bytes("a"));
    expect(git(root, "status", "--short")).toBe("");
  });

  it("survives many processes that add the same lines at once", async () => {
    const root = makeRepository();
    const start = join(root, ".git/start");
    const script = `
      import { existsSync } from "node:fs";
      import { excludeFromGit } from ${JSON.stringify(join(import.meta.dirname, "../../src/workspace/exclude.ts"))};
      const [commonDir, start] = process.argv.slice(1);
      process.stdout.write("ready");
      while (!existsSync(start));
      for (let i = 0; i < 300; i++) excludeFromGit(commonDir, ["/shared-" + i]);`;
    const workers = [1, 2, 3].map(() =>
      spawn(process.execPath, ["--input-type=module", "--eval", script, join(root, ".git"), start], {
        stdio: ["ignore", "pipe", "inherit"],
      }),
    );
    await Promise.all(workers.map((worker) => once(worker.stdout, "data")));
    const ends = workers.map((worker) => once(worker, "exit"));
    writeFileSync(start, "");
    expect(await Promise.all(ends)).toEqual(workers.map(() => [0, null]));
    const lines = excluded(root)
      .split("\n")
      .filter((line) => line.startsWith("/") || line.startsWith("# ccp"));
    expect(new Set(lines).size).toBe(lines.length);
    expect(lines).toHaveLength(1 + 300);
  });

  it("is not held up by the lock of a process that died", () => {
    const root = makeRepository();
    mkdirSync(join(root, ".git/ccp"), { recursive: true });
    writeFileSync(join(root, ".git/ccp/exclude.lock"), "");
    const longAgo = new Date(Date.now() - 60_000);
    utimesSync(join(root, ".git/ccp/exclude.lock"), longAgo, longAgo);
    open(root).write(RID, "a.txt", bytes("a"));
    expect(excluded(root)).toContain(`/results/${RID}/`);
  });

  it.each(["out put/[x]*?!#", "deep/er/place", "ünï", ".", "#hash", "!bang"])(
    "a folder called %j is excluded",
    (dir) => {
      const root = makeRepository();
      const results = open(root, dir);
      results.write(RID, "a.txt", bytes("a"));
      results.publish(RID, "PLAN.md", bytes("x"));
      expect(git(root, "status", "--short")).toBe("");
      writeFiles(root, { [`${dir}/mine.md`]: "m\n" });
      expect(git(root, "status", "--short", "--untracked-files=all").split("\n")).toHaveLength(2);
    },
  );

  it("a folder outside the repository needs none, one that only seems outside does", () => {
    const root = makeRepository();
    const before = excluded(root);
    const outside = tempDir();
    open(root, outside).write(RID, "a.txt", bytes("a"));
    expect(readFileSync(join(outside, RID, "a.txt"), "utf8")).toBe("a");
    expect(excluded(root)).toBe(before);
    const link = join(outside, "link");
    mkdirSync(join(root, "inside"));
    symlinkSync(join(root, "inside"), link);
    open(root, link).write(RID, "a.txt", bytes("a"));
    expect(git(root, "status", "--short")).toBe("");
  });

  it("works in a linked worktree of the user's", () => {
    const root = makeRepository();
    const linked = join(tempDir(), "linked");
    git(root, "worktree", "add", "--quiet", linked);
    openResults({ root: linked, commonDir: join(root, ".git"), dir: "results" }).write(RID, "a.txt", bytes("a"));
    expect(git(linked, "status", "--short")).toBe("");
  });
});

describe("a bundle", () => {
  it("has the same bytes for the same files, whoever writes them, in whatever order and when", async () => {
    const [one, two] = [tempDir(), tempDir()];
    const files = { "PLAN.md": "# plan\n", "steps/a.log": "a\n", "steps/b.log": "b\n", "ünï.txt": "ü\n" };
    writeFiles(join(one, "results", RID), files);
    writeFiles(join(two, "results", RID), Object.fromEntries(Object.entries(files).reverse()));
    chmodSync(join(two, "results", RID, "PLAN.md"), 0o600);
    utimesSync(join(two, "results", RID, "PLAN.md"), 1, 1);
    writeFileSync(join(two, "results", RID, ".PLAN.md.0123abcd.tmp"), "left by a crash");
    const bundles = await Promise.all(
      [one, two].map(async (root) => {
        const target = join(root, "out", "bundle.tar.gz");
        await openResults({ root, commonDir: root, dir: "results" }).bundle(RID, target);
        return readFileSync(target);
      }),
    );
    expect(bundles[0]?.equals(bundles[1] ?? Buffer.alloc(0))).toBe(true);
    const names: string[] = [];
    await list({ file: join(one, "out/bundle.tar.gz"), onReadEntry: (entry) => names.push(entry.path) });
    expect(names).toEqual(["PLAN.md", "steps/a.log", "steps/b.log", "ünï.txt"].map((name) => `${RID}/${name}`));
    expect(readdirSync(join(one, "out"))).toEqual(["bundle.tar.gz"]);
    expect(statSync(join(one, "out/bundle.tar.gz")).size).toBeGreaterThan(0);
  });

  it("of nothing is refused", async () => {
    const root = makeRepository();
    await expect(open(root).bundle(RID, join(root, "out.tar.gz"))).rejects.toMatchObject({ code: "nothing_to_bundle" });
    expect(existsSync(join(root, "out.tar.gz"))).toBe(false);
  });
});
