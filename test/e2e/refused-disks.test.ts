import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { BINARY, type CliResult } from "../support/cli.ts";
import { git, makeRepository } from "../support/git.ts";
import { DOER_ONLY, doerWho, footprint, runAt, type Site, scripted, site, siteAt } from "../support/proof.ts";
import { expectOneError, traces } from "../support/refusal.ts";
import { tempDir } from "../support/temp.ts";

const IS_ROOT = process.getuid?.() === 0;
/** Only root may mount, and only where a private mount namespace can be had. */
const CAN_MOUNT = IS_ROOT && spawnSync("unshare", ["-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]).status === 0;
const NOBODY = 65534;
/** A command that writes outside of its worktree. */
const UNHELD = `sandbox: off\n${DOER_ONLY}`;

/** A script in a mount namespace of its own: what it mounts is gone with it. `$CCP` is the real binary. */
function inNamespace(on: Site, script: string, ...argv: readonly string[]): CliResult {
  const env = { ...on.env, CCP: `${process.execPath} ${BINARY}` };
  const ended = spawnSync("unshare", ["-m", "bash", "-euc", script, "bash", ...argv], {
    cwd: on.root,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  return { code: ended.status, stdout: ended.stdout.toString(), stderr: ended.stderr.toString() };
}

const READ_ONLY = (path: string) => `mount --bind "${path}" "${path}"; mount -o remount,bind,ro "${path}"; `;

describe.skipIf(!CAN_MOUNT)("a read-only disk (needs root, to mount one)", () => {
  test.each([
    ["the repository's .git", (on: Site) => join(on.root, ".git"), /work in a clone that can be written to/],
    ["the user's tree", (on: Site) => on.root, /work in a clone|CCP_RESULTS_DIR/],
    ["the home of the worktrees", (on: Site) => on.env.HOME ?? "", /XDG_STATE_HOME/],
  ])("is found out before anything is started: %s", async (_claim, place, next) => {
    const on = site();
    const before = await traces(on);
    const argv = ["run", ...scripted(on, { turns: doerWho("echo hi > hi.txt") }), "Say hi."];
    const text = inNamespace(on, `${READ_ONLY(place(on))} cd .; $CCP "$@"`, ...argv);
    expect(text.code, text.stderr).toBe(9);
    expect(text.stderr).toMatch(/cannot be written.*EROFS/);
    expect(text.stderr).toMatch(/nothing was started/);
    expect(text.stderr).toMatch(next);
    const json = inNamespace(on, `${READ_ONLY(place(on))} $CCP "$@"`, ...argv, "--json");
    expectOneError(json, "run", { exit: 9, code: "read_only" });
    expect(await traces(on)).toEqual(before);
  });

  test("keeps apply and discard from doing what cannot go on record", async () => {
    const on = site();
    await runAt(on, { turns: doerWho("echo hi > hi.txt") });
    const before = await traces(on);
    for (const command of ["apply", "discard"]) {
      const { code, stderr } = inNamespace(on, `${READ_ONLY(".git")} $CCP ${command}`);
      expect(code, stderr).toBe(9);
      expect(stderr).toMatch(/ccp\.db cannot be written/);
    }
    expect(await traces(on)).toEqual(before);
  });
});

describe.skipIf(!CAN_MOUNT)("a full disk (needs root, to mount a small one)", () => {
  const SMALL = 'mount -t tmpfs -o size=2m tmpfs "$CCP_STATE_DIR"; ';

  test("keeps a run from being started", async () => {
    const on = siteAt(makeRepository(), { CCP_STATE_DIR: tempDir("ccp-small") });
    const before = await traces(on);
    const argv = ["run", ...scripted(on, { turns: doerWho("echo hi > hi.txt") }), "Say hi."];
    const fill = 'head -c 3m /dev/zero > "$CCP_STATE_DIR/fill" || true; ';
    const text = inNamespace(on, `${SMALL} ${fill} $CCP "$@"`, ...argv);
    expect(text.code, text.stderr).toBe(9);
    expect(text.stderr).toMatch(/the disk is full.*\n {2}nothing was started; free some space/);
    expectOneError(inNamespace(on, `${SMALL} ${fill} $CCP "$@"`, ...argv, "--json"), "run", {
      exit: 9,
      code: "disk_full",
    });
    expect(await traces(on)).toEqual(before);
  });

  test("in the middle of a run loses nothing: with some space the same run goes on to its end", async () => {
    const small = tempDir("ccp-small");
    const on = siteAt(makeRepository(), { CCP_STATE_DIR: small });
    const before = footprint(on.root);
    const command = `echo hi >> hi.txt; test -e "${on.outside}/once" || head -c 3m /dev/zero > "${small}/fill"; touch "${on.outside}/once"`;
    const argv = ["run", ...scripted(on, { turns: doerWho(command), pipeline: UNHELD }), "--json", "Say hi."];
    const script = `${SMALL} code=0; $CCP "$@" || code=$?; echo "$code"
      code=0; $CCP resume --json > "$HOME/resumed" || code=$?; echo "$code"; tail -n 1 "$HOME/resumed"
      rm "$CCP_STATE_DIR/fill"; code=0; $CCP resume --json > "$HOME/resumed" || code=$?; echo "$code"; tail -n 1 "$HOME/resumed"`;
    const { stdout, stderr } = inNamespace(on, script, ...argv);
    const lines = stdout.trim().split("\n");
    const at = lines.indexOf("9");
    const results = lines.filter((line) => line.includes('"type":"result"')).map((line) => JSON.parse(line));
    const rid = results[0].rid;
    expect(stderr).toMatch(/the disk is full.*\n {2}free some space.*\n {2}Then go on where it was: ccp resume r-/);
    expect(lines[at - 1]).toContain('"code":"disk_full"');
    expect(results).toMatchObject([
      { rid, status: "error", exitCode: 9, next: [`ccp resume ${rid}`] },
      { status: "error", exitCode: 9 },
      { rid, status: "succeeded", exitCode: 0 },
    ]);
    expect(git(on.root, "show", `ccp/${rid}:hi.txt`)).toBe("hi\n");
    expect(footprint(on.root)).toEqual(before);
  });
});

describe("a repository that may not be written to", () => {
  test("by this user is refused with 9", async () => {
    const on = site();
    const before = await traces(on);
    const owned = [on.root, on.outside, on.env.HOME ?? ""];
    const argv = ["run", ...scripted(on, { turns: doerWho("echo hi > hi.txt") }), "Say hi."];
    for (const path of owned) if (IS_ROOT) chownAll(path, NOBODY);
    chmodSync(join(on.root, ".git"), 0o555);
    const as = IS_ROOT ? ["setpriv", `--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups"] : [];
    const [program = "", ...rest] = [...as, process.execPath, BINARY, ...argv];
    const { status, stderr } = spawnSync(program, rest, { cwd: on.root, env: on.env, encoding: "utf8" });
    chmodSync(join(on.root, ".git"), 0o755);
    for (const path of owned) if (IS_ROOT) chownAll(path, 0);
    expect(status, stderr).toBe(9);
    expect(stderr).toMatch(/\.git.* cannot be written.*EACCES/);
    expect(await traces(on)).toEqual(before);
  });
});

function chownAll(path: string, user: number): void {
  const stats = lstatSync(path);
  if (stats.isSymbolicLink()) return;
  chownSync(path, user, user);
  if (stats.isDirectory()) for (const name of readdirSync(path)) chownAll(join(path, name), user);
}
