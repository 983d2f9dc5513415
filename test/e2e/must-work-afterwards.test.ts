import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runCli } from "../../src/cli/run-cli.ts";
import { git, makeRepository } from "../support/git.ts";
import {
  ccpAt,
  checkout,
  type Done,
  doerWho,
  footprint,
  patchOf,
  plainGit,
  proveRun,
  runAt,
  type Site,
  scripted,
  site,
  siteAt,
} from "../support/proof.ts";
import { REJECTION, type ScriptedTurn } from "../support/scenario.ts";
import { tempDir } from "../support/temp.ts";

const FILES = { "a.txt": "one\ntwo\nthree\n", "b.txt": "b\n" };
const CHANGE = { turns: doerWho("sed -i s/two/zwei/ a.txt; rm b.txt; mkdir -p new; echo new > new/c.txt") };

/** What `apply` must not touch when it refuses: all of the user's, untracked and ignored files too. */
async function proveRefusal(on: Site, argv: readonly string[], says: string): Promise<void> {
  const before = footprint(on.root);
  const refused = await ccpAt(on, ...argv);
  expect(refused.stderr).toContain(says);
  expect(refused).toMatchObject({ stdout: "" });
  expect(refused.code).not.toBe(0);
  expect(footprint(on.root)).toEqual(before);
}

test("apply refuses where the user edited the same lines, and changes nothing else either", async () => {
  const on = site(FILES);
  await runAt(on, CHANGE);
  writeFileSync(join(on.root, "a.txt"), "one\nmine\nthree\n");
  await proveRefusal(on, ["apply"], "a.txt: patch does not apply");
  git(on.root, "checkout", "--quiet", "a.txt");
  expect(await ccpAt(on, "apply")).toMatchObject({ code: 0 });
});

test("apply keeps what the user edited elsewhere in the same file", async () => {
  const on = site({ "a.txt": Array.from({ length: 40 }, (_, index) => `line ${index}\n`).join("") });
  await runAt(on, { turns: doerWho("sed -i 's/^line 5$/from the run/' a.txt") });
  const edited = readFileSync(join(on.root, "a.txt"), "utf8").replace("line 35\n", "mine\n");
  writeFileSync(join(on.root, "a.txt"), edited);
  expect(await ccpAt(on, "apply")).toMatchObject({ code: 0 });
  expect(readFileSync(join(on.root, "a.txt"), "utf8")).toBe(edited.replace("line 5\n", "from the run\n"));
});

test("apply refuses where something of the user's is in the way, ignored or not, equal or not", async () => {
  const on = site({ ...FILES, ".gitignore": "ignored.txt\n" });
  await runAt(on, { turns: doerWho("for name in a b c d; do echo new > $name.txt; done; git add -f ignored.txt") });
  const inTheWay: readonly [string, (path: string) => void][] = [
    ["c.txt", (path) => writeFileSync(path, "mine\n")],
    ["c.txt", (path) => writeFileSync(path, "new\n")],
    ["d.txt", (path) => symlinkSync("/nowhere", path)],
  ];
  for (const [name, put] of inTheWay) {
    put(join(on.root, name));
    await proveRefusal(on, ["apply"], `${name}: already exists in working directory`);
    rmSync(join(on.root, name));
  }
  writeFileSync(join(on.root, ".git/info/exclude"), "/results/\nc.txt\n");
  writeFileSync(join(on.root, "c.txt"), "ignored and mine\n");
  await proveRefusal(on, ["apply"], "c.txt: already exists in working directory");
});

test("apply that git cannot finish puts back all that git had changed by then, the user's edits included", async () => {
  const lines = Array.from({ length: 40 }, (_, index) => `line ${index}\n`).join("");
  const on = site(
    { "edited.txt": lines, "gone/deep/only.txt": lines, "script.sh": lines, "moved.txt": lines },
    (root) => {
      symlinkSync("edited.txt", join(root, "link"));
      chmodSync(join(root, "script.sh"), 0o755);
      git(root, "add", "--all");
      git(root, "commit", "--quiet", "--message=more");
    },
  );
  const commands = [
    "sed -i 's/^line 5$/from the run/' edited.txt script.sh",
    "rm -r gone && ln -sfn moved-on.txt link && mv moved.txt moved-on.txt",
    "mkdir -p in-the-way made/by && echo x > in-the-way/file && echo x > made/by/run && echo x > folder",
  ];
  await runAt(on, { turns: doerWho(commands.join(" && ")) });
  writeFileSync(join(on.root, "edited.txt"), lines.replace("line 35\n", "mine\n"));
  const inTheWay: readonly [string, () => void][] = [
    ["in-the-way", () => writeFileSync(join(on.root, "in-the-way"), "a file where the run makes a directory\n")],
    ["folder", () => mkdirSync(join(on.root, "folder/of/mine"), { recursive: true })],
  ];
  for (const [name, put] of inTheWay) {
    put();
    await proveRefusal(on, ["apply"], name);
    rmSync(join(on.root, name), { recursive: true });
  }
  expect(await ccpAt(on, "apply")).toMatchObject({ code: 0 });
  expect(readFileSync(join(on.root, "edited.txt"), "utf8")).toMatch(/from the run\n(line \d+\n)+mine\n/);
  expect(readdirSync(join(on.root, ".git/ccp")).filter((name) => name.startsWith("aside-"))).toEqual([]);
});

test("apply refuses where the user deleted, or moved on from, what the run changed", async () => {
  const on = site(FILES);
  await runAt(on, CHANGE);
  rmSync(join(on.root, "a.txt"));
  await proveRefusal(on, ["apply"], "a.txt: No such file or directory");
  git(on.root, "checkout", "--quiet", "a.txt");
  writeFileSync(join(on.root, "b.txt"), "committed since\n");
  git(on.root, "commit", "--quiet", "--all", "--message=since");
  await proveRefusal(on, ["apply"], "b.txt: patch does not apply");
});

test("apply never writes through a link of the user's that leads out of the tree", async () => {
  const on = site(FILES);
  const elsewhere = tempDir("ccp-elsewhere");
  await runAt(on, CHANGE);
  symlinkSync(elsewhere, join(on.root, "new"));
  await proveRefusal(on, ["apply"], "new/c.txt");
  expect(readdirSync(elsewhere)).toEqual([]);
});

test("a run is applied once; a second time is refused, and so is a run that does not exist", async () => {
  const on = site(FILES);
  const { rid } = await runAt(on, CHANGE);
  expect(await ccpAt(on, "apply", "--json")).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('"applied": true'),
  });
  await proveRefusal(on, ["apply", rid], "has been applied already");
  await proveRefusal(on, ["apply", "r-nosuch"], "there is no run r-nosuch");
});

test("what is staged stays staged, and apply stages nothing", async () => {
  const on = site({ ...FILES, "c.txt": "c\n" });
  await runAt(on, CHANGE);
  writeFileSync(join(on.root, "c.txt"), "staged\n");
  git(on.root, "add", "c.txt");
  const staged = git(on.root, "diff", "--cached");
  expect(await ccpAt(on, "apply")).toMatchObject({ code: 0 });
  expect(git(on.root, "diff", "--cached")).toBe(staged);
});

test("the work of a failed run can be looked at, applied and gone on from", async () => {
  const on = site(FILES);
  const failed = await failedRun(on);
  const diff = await ccpAt(on, "diff");
  expect(diff.stdout).toBe(readFileSync(patchOf(failed), "utf8"));
  const applied = await ccpAt(on, "apply");
  expect(applied).toMatchObject({ code: 0, stdout: expect.stringContaining("the run itself is failed") });
  expect(readFileSync(join(on.root, "a.txt"), "utf8")).toBe("one\nzwei\nthree\n");
});

test("--on starts from the tree of a failed run, and its patch holds only what came after", async () => {
  const on = site(FILES);
  const failed = await failedRun(on);
  const turns = doerWho("test -e new/c.txt && test ! -e b.txt && sed -i s/zwei/deux/ a.txt");
  const done = await proveRun(on, {
    turns,
    args: ["--on", failed.rid.slice(0, 5)],
    task: "fix what the reviewer found",
  });
  expect(done.record).toMatchObject({ parent: failed.rid, base: { tree: failed.record.tree } });
  const patch = readFileSync(patchOf(done), "utf8");
  expect(patch).toContain("-zwei\n+deux\n");
  expect(patch).not.toContain("c.txt");
});

test("a run that goes on from another is not applied without it, and after it gives its own tree", async () => {
  const on = site(FILES);
  const failed = await failedRun(on);
  // Fits the user's tree as it is: alone it would bring half of the work without a word.
  const done = await runAt(on, { turns: doerWho("echo more > more.txt"), args: ["--on", failed.rid] });
  await proveRefusal(on, ["apply"], `${done.rid} goes on from ${failed.rid}, whose changes have not been applied`);
  for (const rid of [failed.rid, done.rid]) expect(await ccpAt(on, "apply", rid)).toMatchObject({ code: 0 });
  git(on.root, "add", "--all");
  expect(git(on.root, "write-tree").trim()).toBe(done.record.tree);
});

test("both commands that the refusal names bring the work of both runs", async () => {
  const on = site(FILES);
  const failed = await failedRun(on);
  const done = await runAt(on, { turns: doerWho("echo more > more.txt"), args: ["--on", failed.rid] });
  const merged = checkout(on.root, git(on.root, "rev-parse", "HEAD").trim());
  plainGit(merged, "merge", "--quiet", "--ff-only", `origin/ccp/${done.rid}`);
  expect(plainGit(merged, "rev-parse", "HEAD^{tree}").trim()).toBe(done.record.tree);
});

test("a rerun of a run is applied without the run that it repeats", async () => {
  const on = site(FILES);
  const first = await runAt(on, CHANGE);
  const again = await ccpAt(on, "rerun", first.rid, "--json");
  expect(again, again.stderr).toMatchObject({ code: 0 });
  const { rid } = JSON.parse(again.stdout.trim().split("\n").at(-1) ?? "");
  expect(rid).not.toBe(first.rid);
  expect(git(on.root, "rev-parse", `ccp/${rid}^{tree}`)).toBe(git(on.root, "rev-parse", `ccp/${first.rid}^{tree}`));
  expect(await ccpAt(on, "apply")).toMatchObject({ code: 0, stdout: expect.stringContaining(rid) });
});

test("--on a run that was stopped before its work was kept is refused, and does not start from the base in silence", async () => {
  const on = site(FILES);
  const rid = await abortedRun(on);
  const flags = scripted(on, CHANGE);
  await proveRefusal(on, ["run", ...flags, "--on", rid, "Go on."], `does not hold the last tree of ${rid}`);
});

test("discard takes worktree and branch away, keeps results and record, and is done once", async () => {
  const on = site(FILES);
  const before = footprint(on.root);
  const { rid, results } = await runAt(on, CHANGE);
  expect(git(on.root, "worktree", "list", "--porcelain")).toContain(rid);
  const discarded = await ccpAt(on, "discard");
  expect(discarded).toMatchObject({ code: 0, stdout: expect.stringContaining(`Next: ccp rerun ${rid}`) });
  expect(git(on.root, "worktree", "list", "--porcelain")).not.toContain(rid);
  expect(git(on.root, "for-each-ref", "refs/heads/ccp")).toBe("");
  expect(existsSync(join(on.env.HOME ?? "", ".local/state/ccp/worktrees", rid))).toBe(false);
  expect(existsSync(join(results, "Diff.patch"))).toBe(true);
  expect(footprint(on.root)).toEqual(before);
  await proveRefusal(on, ["discard", rid], "was discarded already");
  expect(await ccpAt(on, "view")).toMatchObject({ code: 0, stdout: expect.stringContaining(rid) });
  expect((await ccpAt(on, "diff")).stdout).toBe(readFileSync(patchOf({ results }), "utf8"));
});

test("discarding one run leaves the others whole", async () => {
  const on = site(FILES);
  const first = await runAt(on, CHANGE);
  const second = await runAt(on, { turns: doerWho("echo x > a.txt") });
  expect(await ccpAt(on, "discard", first.rid)).toMatchObject({ code: 0 });
  git(on.root, "gc", "--quiet", "--prune=now");
  expect(git(on.root, "rev-parse", `ccp/${second.rid}^{tree}`).trim()).toBe(second.record.tree);
  expect(await ccpAt(on, "apply", second.rid)).toMatchObject({ code: 0 });
});

test("bundle writes beside the results, where it is nobody's uncommitted work", async () => {
  const on = site(FILES);
  const { rid } = await runAt(on, CHANGE);
  const target = join(on.root, "results", `${rid}.tar.gz`);
  expect(await ccpAt(on, "bundle")).toMatchObject({ code: 0, stdout: `${target}\n` });
  expect(existsSync(target)).toBe(true);
  expect(git(on.root, "status", "--porcelain")).toBe("");
});

test("bundle packs everything of a run, twice with the same bytes, applied or not", async () => {
  const on = site(FILES);
  const { rid, results } = await runAt(on, CHANGE);
  const pack = async (name: string) => {
    const result = await ccpAt(on, "bundle", rid, "-o", join(on.outside, name));
    expect(result, result.stderr).toMatchObject({ code: 0, stdout: `${join(on.outside, name)}\n` });
    return readFileSync(join(on.outside, name));
  };
  const first = await pack("1.tar.gz");
  expect((await pack("2.tar.gz")).equals(first)).toBe(true);
  expect(await ccpAt(on, "apply")).toMatchObject({ code: 0 });
  expect((await pack("3.tar.gz")).equals(first)).toBe(true);
  const { list } = await import("tar");
  const names: string[] = [];
  await list({ file: join(on.outside, "1.tar.gz"), onReadEntry: (entry) => void names.push(entry.path) });
  const kept = readdirSync(results, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  expect(names).toHaveLength(kept.length);
  expect(names).toEqual(expect.arrayContaining([`${rid}/Diff.patch`, `${rid}/run.json`, `${rid}/steps/doer.txt`]));
});

test("results that were put elsewhere are found again without the flag", async () => {
  const on = site(FILES);
  const { rid, results } = await runAt(on, { ...CHANGE, args: ["--results-dir", "out/of the way"] });
  expect(results).toBe(join(on.root, "out/of the way", rid));
  const bundled = await ccpAt(on, "bundle", "-o", join(on.outside, "b.tar.gz"));
  expect(bundled, bundled.stderr).toMatchObject({ code: 0 });
  const { list } = await import("tar");
  const names: string[] = [];
  await list({ file: join(on.outside, "b.tar.gz"), onReadEntry: (entry) => void names.push(entry.path) });
  expect(names).toContain(`${rid}/Diff.patch`);
  expect(await ccpAt(on, "view")).toMatchObject({ code: 0, stdout: expect.stringContaining(results) });
  expect(existsSync(join(on.root, "results"))).toBe(false);
  expect(git(on.root, "status", "--porcelain")).toBe("");
});

test("a run of a linked worktree is seen from the other ones, with the results where they are", async () => {
  const main = makeRepository(FILES);
  const root = join(tempDir("ccp-linked"), "linked");
  git(main, "worktree", "add", "--quiet", "-b", "side", root);
  const linked = siteAt(root);
  const { rid, results } = await runAt(linked, CHANGE);
  const other = { ...linked, root: main, cwd: main };
  const target = join(linked.outside, "b.tar.gz");
  expect(await ccpAt(other, "bundle", "-o", target)).toMatchObject({ code: 0 });
  expect(await ccpAt(other, "view", rid)).toMatchObject({
    stdout: expect.stringContaining(join(results, "Diff.patch")),
  });
  expect(existsSync(join(main, "results"))).toBe(false);
  const { list } = await import("tar");
  const names: string[] = [];
  await list({ file: target, onReadEntry: (entry) => void names.push(entry.path) });
  expect(names).toContain(`${rid}/Diff.patch`);
});

test("runs are listed newest first, without a rid the newest is meant, and the beginning of one is enough", async () => {
  const on = site(FILES);
  const older = await runAt(on, { ...CHANGE, task: "the older one" });
  const newer = await runAt(on, { turns: doerWho("echo x > a.txt"), task: "the newer one" });
  const listed = JSON.parse((await ccpAt(on, "runs", "--json")).stdout).runs;
  expect(listed.map((run: { rid: string; title: string; state: string }) => [run.rid, run.title, run.state])).toEqual([
    [newer.rid, "the newer one", "succeeded"],
    [older.rid, "the older one", "succeeded"],
  ]);
  expect((await ccpAt(on, "runs")).stdout).toMatch(new RegExp(`${newer.rid}.*\n.*${older.rid}`));
  expect((await ccpAt(on, "diff")).stdout).toBe(readFileSync(patchOf(newer), "utf8"));
  for (const prefix of [older.rid, shortest(older.rid, newer.rid), shortest(older.rid, newer.rid).slice(2)]) {
    expect((await ccpAt(on, "diff", prefix)).stdout).toBe(readFileSync(patchOf(older), "utf8"));
  }
  const ambiguous = await ccpAt(on, "diff", "r-");
  expect(ambiguous).toMatchObject({ code: 2, stderr: expect.stringContaining("is the beginning of 2 runs") });
});

test("view shows the steps and, of one, all that was said and done", async () => {
  const on = site(FILES);
  const { rid } = await runAt(on, CHANGE);
  const whole = await ccpAt(on, "view", "--json");
  expect(JSON.parse(whole.stdout)).toMatchObject({ rid, status: "succeeded", steps: [{ id: "doer" }] });
  const step = await ccpAt(on, "view", rid, "--step", "doer");
  expect(step.stdout).toContain("sed -i s/two/zwei/ a.txt");
  const unknown = await ccpAt(on, "view", "--step", "deor");
  expect(unknown).toMatchObject({ code: 2, stderr: expect.stringContaining('did you mean "doer"?') });
});

/** A doer whose work the reviewer turns down. */
async function failedRun(on: Site): Promise<Done> {
  const reject: ScriptedTurn = { role: "reviewer", turn: 1, calls: [{ tool: "finish", args: REJECTION }] };
  const pipeline = "pipeline:\n  - role: doer\n  - role: reviewer\n";
  const done = await runAt(on, { turns: [...CHANGE.turns, reject], pipeline, code: 1 });
  expect(done.record.status).toBe("failed");
  return done;
}

/** Two signals, one after the other, as soon as the doer's command has changed the files. */
async function abortedRun(on: Site): Promise<string> {
  const turns = [...CHANGE.turns.slice(0, 1), { ...CHANGE.turns[1], delay_ms: 60_000 } as ScriptedTurn];
  let signal: (name: "SIGINT") => void = () => undefined;
  const lines: string[] = [];
  const code = await runCli({
    argv: ["run", ...scripted(on, { turns }), "--json", "Do it."],
    cwd: on.cwd,
    environment: on.env,
    stdout: {
      write(text: string) {
        lines.push(...text.split("\n").filter((line) => line !== ""));
        if (text.includes('"tool.finished"')) for (const name of ["SIGINT", "SIGINT"] as const) signal(name);
      },
    },
    stderr: { write: () => undefined },
    readStdin: async () => "",
    ask: async () => null,
    onSignal(listener) {
      signal = listener;
      return () => undefined;
    },
  });
  expect(code).toBe(130);
  return JSON.parse(lines.at(-1) ?? "").rid;
}

/** The shortest beginning of one rid that is not one of the other. */
function shortest(rid: string, other: string): string {
  const length = [...rid].findIndex((letter, index) => letter !== other[index]) + 1;
  return rid.slice(0, length);
}
