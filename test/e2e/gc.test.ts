import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { finished, startBinary } from "../support/cli.ts";
import { git, makeRepository } from "../support/git.ts";
import { journalOf, withStore } from "../support/journal.ts";
import { call } from "../support/mending.ts";
import {
  ccpAt,
  DOER_ONLY,
  type Done,
  doerWho,
  patchOf,
  runAt,
  type Site,
  scripted,
  site,
  siteAt,
} from "../support/proof.ts";
import { proveRefused, resultOf, traces } from "../support/refusal.ts";
import { REJECTION, type ScriptedTurn } from "../support/scenario.ts";

/** Everything that is over is old enough. */
const ALL = ["gc", "--older-than", "0h"];
const WORK = { turns: doerWho("echo two > a.txt; mkdir -p new; echo $RANDOM$RANDOM > new/b.txt") };
const REVIEWED = "pipeline:\n  - role: doer\n  - role: reviewer\n";
const rejects: ScriptedTurn = { role: "reviewer", turn: 1, calls: [call("finish", REJECTION)] };

interface Collected {
  readonly dry_run: boolean;
  readonly cleanings: readonly { readonly rid: string; readonly action: string; readonly sizeBytes: number }[];
  readonly spooled: readonly string[];
  readonly payloads: { readonly blobs: number; readonly sizeBytes: number };
}

async function collected(on: Site, ...argv: readonly string[]): Promise<Collected> {
  const { code, stdout, stderr } = await ccpAt(on, ...argv, "--json");
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout);
}

const worktree = (on: Site, rid: string) => join(on.env.HOME ?? "", ".local/state/ccp/worktrees", rid);
const folder = (on: Site, rid: string) => join(on.root, ".git/ccp/runs", rid);
const branches = (on: Site) =>
  git(on.root, "for-each-ref", "--format=%(refname:lstrip=3)", "refs/heads/ccp").trim().split("\n");
const rids = (on: Site) => withStore(on, (store) => store.runs().map(({ rid }) => rid));
const failed = (on: Site): Promise<Done> => runAt(on, { turns: [...WORK.turns, rejects], pipeline: REVIEWED, code: 1 });

/** All that is in the journal, run by run. */
function journals(on: Site): unknown {
  return withStore(on, (store) => store.runs().map(({ rid }) => store.events(rid)));
}

describe("gc", () => {
  test("says what would go, and with --yes removes that and nothing else", async () => {
    const on = site({ "a.txt": "one\n" });
    const [done, dropped] = [await runAt(on, WORK), await runAt(on, WORK)];
    const stuck = await failed(on);
    expect((await ccpAt(on, "discard", dropped.rid)).code).toBe(0);
    const before = [await traces(on), journals(on)];
    const dry = await collected(on, ...ALL);
    expect(dry.dry_run).toBe(true);
    expect(dry.cleanings).toMatchObject([
      { rid: dropped.rid, action: "forget", sizeBytes: 0 },
      { rid: done.rid, action: "forget" },
    ]);
    expect(dry.cleanings[1]?.sizeBytes).toBeGreaterThan(0);
    const told = await ccpAt(on, ...ALL);
    expect(told.stdout).toMatch(new RegExp(`${done.rid} +forget +[\\d.]+ MB +succeeded, and old`));
    expect(told.stdout).toContain("nothing was removed; to do it: ccp gc --yes\n");
    expect(await collected(on, "gc", "--yes")).toMatchObject({ cleanings: [] });
    expect([await traces(on), journals(on)]).toEqual(before);

    const gone = await collected(on, ...ALL, "--yes");
    expect(gone.cleanings).toEqual(dry.cleanings);
    expect(gone.payloads.blobs).toBeGreaterThan(0);
    expect(rids(on)).toEqual([stuck.rid]);
    expect(
      [done, dropped, stuck].map(({ rid }) => [existsSync(worktree(on, rid)), existsSync(folder(on, rid))]),
    ).toEqual([
      [false, false],
      [false, false],
      [true, true],
    ]);
    expect(branches(on).toSorted()).toEqual([done.rid, stuck.rid].toSorted());
    expect(git(on.root, "show", `ccp/${done.rid}:a.txt`)).toBe("two\n");
    for (const run of [done, dropped]) expect(existsSync(patchOf(run))).toBe(true);
    expect(git(on.root, "worktree", "list").trim().split("\n")).toHaveLength(2);
    // Not a second time: what it has left, it leaves.
    expect(await collected(on, ...ALL, "--yes")).toMatchObject({ cleanings: [], payloads: { blobs: 0 } });
    expect(branches(on)).toContain(done.rid);

    expect(withStore(on, (store) => store.damage())).toEqual([]);
    expect((await ccpAt(on, "view", stuck.rid, "--step", "doer")).stdout).toContain("echo two > a.txt");
    expect(await ccpAt(on, "replay", stuck.rid), "replay").toMatchObject({ code: 0 });
    expect(await ccpAt(on, "view", done.rid)).toMatchObject({ code: 2, stderr: expect.stringContaining("no run") });
    scripted(on, {
      ...WORK,
      turns: [...WORK.turns, { ...rejects, calls: [call("finish", { ...REJECTION, verdict: "approve" })] }],
    });
    expect(resultOf((await ccpAt(on, "resume", "--json")).stdout)).toMatchObject({
      rid: stuck.rid,
      status: "succeeded",
    });
    expect((await ccpAt(on, "apply")).code).toBe(0);
  });

  test("keeps what another goes on from until that one is over, applied or dropped", async () => {
    const on = site({ "a.txt": "one\n" });
    const parent = await runAt(on, WORK);
    const child = await runAt(on, { turns: doerWho("echo c > c.txt"), args: ["--on", parent.rid] });
    const fork = await ccpAt(on, "rerun", child.rid, "--json");
    const { rid } = resultOf(fork.stdout);
    expect((await collected(on, ...ALL, "--yes")).cleanings.map((one) => one.rid)).toEqual([rid]);
    expect((await ccpAt(on, "apply", child.rid)).stderr).toContain(`ccp apply ${parent.rid} && ccp apply ${child.rid}`);
    for (const one of [parent, child]) expect((await ccpAt(on, "apply", one.rid)).code).toBe(0);
    expect((await collected(on, ...ALL, "--yes")).cleanings.map((one) => one.rid)).toEqual([child.rid, parent.rid]);
    expect(rids(on)).toEqual([]);
  });

  test("tidies what no record claims once it is old, and leaves branches, which hold work", async () => {
    const on = site({ "a.txt": "one\n" });
    const stray = await runAt(on, WORK);
    withStore(on, (store) => store.remove(stray.rid));
    mkdirSync(join(folder(on, "r-stray1"), "objects"), { recursive: true });
    writeFileSync(join(folder(on, "r-stray1"), "objects", "x"), "x".repeat(10_000));
    writeFileSync(join(on.root, ".git/ccp/spool", `${stray.rid}.doer.1`), "half an answer");
    expect((await collected(on, "gc", "--yes")).cleanings).toEqual([]);
    expect(existsSync(worktree(on, stray.rid))).toBe(true);
    const long = new Date(Date.now() - 31 * 86_400_000);
    for (const path of [
      folder(on, "r-stray1"),
      worktree(on, stray.rid),
      folder(on, stray.rid),
      join(folder(on, stray.rid), "index"),
    ])
      utimesSync(path, long, long);
    const { cleanings } = await collected(on, "gc", "--yes");
    expect(cleanings.map(({ rid, action }) => `${action} ${rid}`)).toEqual(
      [stray.rid, "r-stray1"].toSorted().map((rid) => `tidy ${rid}`),
    );
    expect(readdirSync(join(on.root, ".git/ccp/runs"))).toEqual([]);
    expect(existsSync(worktree(on, stray.rid))).toBe(false);
    expect(git(on.root, "worktree", "list").trim().split("\n")).toHaveLength(1);
    expect(git(on.root, "show", `ccp/${stray.rid}:a.txt`)).toBe("two\n");
    expect(readdirSync(join(on.root, ".git/ccp/spool"))).toEqual([]);
    expect((await collected(on, ...ALL)).cleanings).toEqual([]);
  });

  test("touches nothing of another repository of the same user's, and no run that is under way", async () => {
    const on = site({ "a.txt": "one\n" });
    const other = siteAt(makeRepository({ "a.txt": "one\n" }), on.env);
    const theirs = await runAt(other, WORK);
    withStore(other, (store) => store.remove(theirs.rid));
    const { worktrees: _, ...before } = await traces(other);
    const gate = join(on.outside, "gate");
    const turns = doerWho(`until test -e '${gate}'; do sleep 0.02; done; echo two > a.txt`);
    const flags = scripted(on, { turns, pipeline: `sandbox: off\n${DOER_ONLY}` });
    const child = startBinary(["run", ...flags, "--json", "Do it."], { cwd: on.cwd, env: on.env });
    const end = finished(child);
    const isAtWork = () => rids(on).some((rid) => journalOf(on, rid).some(({ type }) => type === "tool.started"));
    await vi.waitUntil(isAtWork, { timeout: 30_000, interval: 50 });
    expect((await collected(on, ...ALL, "--yes")).cleanings).toEqual([]);
    writeFileSync(gate, "");
    expect(resultOf((await end).stdout)).toMatchObject({ status: "succeeded" });
    expect(await traces(other)).toMatchObject(before);
    expect(existsSync(worktree(other, theirs.rid))).toBe(true);
  });

  test("refuses an age that is none", async () => {
    const on = site();
    for (const age of ["30", "3 days", "-1d", ""])
      await proveRefused(on, ["gc", "--yes", `--older-than=${age}`], {
        exit: 2,
        code: "usage",
        says: /is no age/,
        next: /12h, 30d or 8w/,
      });
    expect(await ccpAt(on, ...ALL)).toMatchObject({ code: 0, stdout: expect.stringContaining("0 payloads") });
  });
});
