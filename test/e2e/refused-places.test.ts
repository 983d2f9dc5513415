import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { git, makeRepository, writeFiles } from "../support/git.ts";
import { ccpAt, doerWho, runAt, type Site, scripted, site, siteAt } from "../support/proof.ts";
import { proveRefused } from "../support/refusal.ts";
import { tempDir } from "../support/temp.ts";

const TURNS = doerWho("echo hi > hi.txt");

function runOn(on: Site): readonly string[] {
  return ["run", ...scripted(on, { turns: TURNS }), "Say hi."];
}

describe("a place that is no repository to work in", () => {
  test("a plain directory is refused by every command that needs a repository", async () => {
    const on = siteAt(tempDir("ccp-plain"));
    const refusal = { exit: 2, code: "not_a_repository", says: /is not in a git repository/, next: /git init/ };
    await proveRefused(on, runOn(on), refusal);
    const others = ["resume", "rerun", "runs", "view", "diff", "apply", "discard", "bundle", "plan", "validate"];
    for (const command of others) await proveRefused(on, [command], refusal);
  });

  test("a bare repository is refused", async () => {
    const on = siteAt(tempDir("ccp-bare"));
    git(on.root, "init", "--quiet", "--bare");
    await proveRefused(on, runOn(on), {
      exit: 2,
      code: "bare_repository",
      says: /bare repository/,
      next: /git worktree/,
    });
  });

  test("the inside of .git is refused", async () => {
    const on = site();
    await proveRefused({ ...on, cwd: join(on.root, ".git") }, runOn(on), {
      exit: 2,
      code: "not_a_repository",
      says: /is inside a \.git directory/,
      next: /go to the repository/,
    });
  });

  test("a repository without a commit is refused, and what is in it is left alone", async () => {
    const on = siteAt(tempDir("ccp-young"));
    git(on.root, "init", "--quiet");
    writeFiles(on.root, { "first.txt": "first\n" });
    await proveRefused(on, runOn(on), { exit: 2, code: "no_commit", says: /has no commit yet/, next: /git commit/ });
  });

  test("a home directory is refused: it is more than a project", async () => {
    const root = makeRepository();
    const on = siteAt(root, { HOME: root, XDG_STATE_HOME: tempDir("ccp-state") });
    await proveRefused(on, runOn(on), { exit: 2, code: "unsafe_root", says: /your home directory/, next: /git init/ });
  });
});

describe("uncommitted work", () => {
  const next = /--include-dirty.*--base HEAD.*commit or stash/;

  test("is never left out without a word: a changed file is refused", async () => {
    const on = site({ "a.txt": "a\n" }, (root) => writeFiles(root, { "a.txt": "b\n" }));
    await proveRefused(on, runOn(on), {
      exit: 2,
      code: "dirty_tree",
      says: /1 uncommitted file in .*\(a\.txt\)/,
      next,
    });
  });

  test("counts untracked, staged and deleted files, and names the first three", async () => {
    const on = site({ "gone.txt": "a\n", "b.txt": "b\n" }, (root) => {
      git(root, "rm", "--quiet", "gone.txt");
      writeFiles(root, { "new file": "n\n", "staged.txt": "s\n", "b.txt": "c\n" });
      git(root, "add", "staged.txt");
    });
    await proveRefused(on, runOn(on), { exit: 2, code: "dirty_tree", says: /4 uncommitted files in .*, \+1\)/, next });
  });

  test("does not count what git ignores, nor ccp's own results", async () => {
    const on = site({ ".gitignore": "*.log\n" }, (root) => writeFiles(root, { "x.log": "x\n" }));
    await runAt(on, { turns: TURNS });
    await runAt(on, { turns: TURNS });
  });
});

describe("a journal that cannot be used", () => {
  function journalOf(on: Site): string {
    return join(on.root, ".git", "ccp", "ccp.db");
  }

  test("written by a newer ccp is refused and not touched", async () => {
    const on = site();
    await runAt(on, { turns: TURNS });
    const ours = setVersion(journalOf(on), 99);
    const refusal = { exit: 2, code: "newer_journal", says: /written by a newer ccp.*99/, next: /update ccp/ };
    for (const argv of [runOn(on), ["resume"], ["runs"], ["view"], ["apply"]]) await proveRefused(on, argv, refusal);
    const { code, stdout } = await ccpAt(on, "doctor");
    expect(code).toBe(1);
    expect(stdout).toMatch(/^FAIL {2}journal: .*newer ccp/m);
    setVersion(journalOf(on), ours);
    expect((await ccpAt(on, "view")).code).toBe(0);
  });

  test("that is no journal is set aside whole by the first who meets it, and the next begins anew", async () => {
    const on = site();
    mkdirSync(join(on.root, ".git", "ccp"));
    const notes = "these are somebody's notes and no database at all\n";
    writeFileSync(journalOf(on), notes);
    const { code, stderr } = await ccpAt(on, ...runOn(on));
    expect(code, stderr).toBe(9);
    expect(stderr).toMatch(/ccp\.db is damaged .* and was set aside: it is \S*ccp\.db\.damaged-1 now/);
    expect(stderr).toMatch(/nothing was overwritten; the next command begins a new journal/);
    expect(readFileSync(`${journalOf(on)}.damaged-1`, "utf8")).toBe(notes);
    const next = await ccpAt(on, "runs");
    expect([next.code, next.stdout]).toEqual([0, expect.stringMatching(/^no runs yet/)]);
  });

  test("of another program is refused with 9 and not overwritten", async () => {
    const on = site();
    mkdirSync(join(on.root, ".git", "ccp"));
    const database = new Database(journalOf(on));
    database.exec("CREATE TABLE notes (text TEXT)");
    database.close();
    const bytes = readFileSync(journalOf(on));
    await proveRefused(on, runOn(on), {
      exit: 9,
      code: "corrupt_journal",
      says: /is not a ccp journal/,
      next: /move the file away/,
    });
    expect(readFileSync(journalOf(on))).toEqual(bytes);
  });
});

describe("a place that cannot be written to", () => {
  const file = () => {
    const path = join(tempDir("ccp-file"), "file");
    writeFileSync(path, "in the way\n");
    return path;
  };

  test.each([
    ["the journal's", "CCP_STATE_DIR", /CCP_STATE_DIR to a directory that is/],
    ["the worktrees'", "XDG_STATE_HOME", /XDG_STATE_HOME to a directory that can be written to/],
    ["the results'", "CCP_RESULTS_DIR", /--results-dir or CCP_RESULTS_DIR/],
  ])("is found out before anything is started: %s", async (_whose, variable, next) => {
    const on = siteAt(makeRepository(), { [variable]: file() });
    const argv = ["run", ...scripted(on, { turns: TURNS }), "Say hi."];
    await proveRefused(on, argv, { exit: 9, code: "read_only", says: /cannot be written.*not a directory/, next });
  });
});

/** Returns the version that it had. */
function setVersion(path: string, version: number): number {
  const database = new Database(path);
  const before = Number(database.pragma("user_version", { simple: true }));
  database.pragma(`user_version = ${version}`);
  database.close();
  return before;
}
