import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { StoredEvent } from "../../src/core/event.ts";
import { git, makeRepository } from "../support/git.ts";
import { journalOf } from "../support/journal.ts";
import { APPROVES, DOER, MENDS, PLANS, rejectedRun, STEPS } from "../support/mending.ts";
import { driven, fileOf, type MockSite, mockSite } from "../support/mock-site.ts";
import { ccpAt, type Done, doerWho, footprint, runAt, type Site, site, treeOfPatch } from "../support/proof.ts";
import { proveRefused, traces } from "../support/refusal.ts";
import { MENDING, RED_PROJECT } from "../support/scenario.ts";
import { killedAt } from "../support/stopped.ts";
import { tempDir } from "../support/temp.ts";
import { look } from "../workspace/git-support.ts";

const artifact = ({ results }: Pick<Done, "results">, name: string) => readFileSync(join(results, name), "utf8");

test("an export without a name goes into the run's folder, and is nobody's uncommitted work", async () => {
  const on = site();
  await runAt(on, { turns: doerWho("echo hi > hi.txt") });
  const { stdout } = await ccpAt(on, "export", "--json");
  const { rid, path } = JSON.parse(stdout);
  expect(path).toBe(join(on.root, "results", rid, `${rid}.ccprun`));
  expect(git(on.root, "status", "--porcelain")).toBe("");
});

async function exported(on: Site, rid: string): Promise<string> {
  const file = join(on.outside, `${rid}.ccprun`);
  const { code, stdout, stderr } = await ccpAt(on, "export", rid, file, "--json");
  expect(code, stderr).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ v: 1, rid, path: file, trees: true });
  return file;
}

/** Another user's clone of what this one has committed, on another machine. */
async function cloneOf(on: Site): Promise<MockSite> {
  const root = tempDir("ccp-clone");
  git(root, "clone", "--quiet", "--branch=main", "--single-branch", on.root, ".");
  return mockSite(root);
}

async function imported(there: Site, file: string): Promise<{ readonly rid: string; readonly status: string }> {
  const { code, stdout, stderr } = await ccpAt(there, "import", file, "--json");
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout);
}

describe("a run that is taken elsewhere", () => {
  test("after it succeeded can be looked at, applied, forked and gone on from", async () => {
    const on = await mockSite(makeRepository(RED_PROJECT));
    on.answer(PLANS, MENDS, APPROVES);
    const run = await driven(on, 0, "run", "--pipeline", on.pipeline(fileOf(STEPS)), "Make sum add.");
    const before = [await traces(on), journalOf(on, run.rid)];
    const file = await exported(on, run.rid);
    expect([await traces(on), journalOf(on, run.rid)]).toEqual(before);
    const there = await cloneOf(on);
    const user = footprint(there.root);
    expect(await imported(there, file)).toEqual({ v: 1, rid: run.rid, status: "succeeded" });
    expect(journalOf(there, run.rid).slice(0, -1)).toEqual(journalOf(on, run.rid));
    for (const argv of [["view", "--step", "doer"], ["diff"], ["view", "--step", "reviewer"], ["view", "--json"]])
      expect((await ccpAt(there, ...argv)).stdout, argv.join(" ")).toBe((await ccpAt(on, ...argv)).stdout);
    for (const name of ["PLAN.md", "Diff.patch", "REVIEW.md", "steps/doer.txt"])
      expect(readFileSync(join(there.root, "results", run.rid, name), "utf8")).toBe(artifact(run, name));
    expect(git(there.root, "rev-parse", `ccp/${run.rid}^{tree}`).trim()).toBe(run.record.tree);
    expect(footprint(there.root)).toEqual(user);
    expect(await ccpAt(there, "resume")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("already succeeded"),
    });
    there.answer(APPROVES);
    const fork = await driven(there, 0, "fork", "--from", "reviewer");
    expect(there.asked()).toEqual(["reviewer 1"]);
    expect(fork.record.tree).toBe(run.record.tree);
    expect((await ccpAt(there, "apply", run.rid)).code).toBe(0);
    expect(readFileSync(join(there.root, "sum.mjs"), "utf8")).toContain("a + b");
    expect((await ccpAt(there, "discard", run.rid)).code).toBe(0);
  });

  test("after it failed is gone on with there, to the end that it would have had here", async () => {
    const { on, run } = await rejectedRun();
    const there = await cloneOf(on);
    const file = await exported(on, run.rid);
    for (const at of [on, there]) at.answer(APPROVES);
    expect((await imported(there, file)).status).toBe("failed");
    const [here, away] = [await driven(on, 0, "resume"), await driven(there, 0, "resume", run.rid.slice(0, 5))];
    expect([on.asked(), there.asked()]).toEqual([["reviewer 1"], ["reviewer 1"]]);
    expect(away.record).toMatchObject({
      rid: run.rid,
      status: "succeeded",
      tree: here.record.tree,
      base: here.record.base,
    });
    for (const name of ["PLAN.md", "Diff.patch", "REVIEW.md"]) expect(artifact(away, name)).toBe(artifact(here, name));
    expect(treeOfPatch(there, away)).toBe(away.record.tree);
    expect(away.results.startsWith(there.root)).toBe(true);
    // It can go home again only where it is not known.
    await proveRefused(on, ["import", file], {
      exit: 2,
      code: "run_exists",
      says: /on record here already/,
      next: /ccp view/,
    });
    await proveRefused(there, ["import", file], {
      exit: 2,
      code: "run_exists",
      says: /on record here already/,
      next: /ccp view/,
    });
  });

  test("after a crash, on uncommitted work and with a set-up, is gone on with there", async () => {
    const on = await mockSite(makeRepository(RED_PROJECT));
    writeFileSync(join(on.root, "mine.txt"), "mine\n");
    on.answer(PLANS, MENDS, APPROVES);
    const setup = 'workspace: { setup: "echo x > made.txt; mkdir -p node_modules; echo x > node_modules/x" }\n';
    const argv = ["run", "--include-dirty", "--pipeline", on.pipeline(fileOf(STEPS, setup)), "Make sum add."];
    const moments = [
      '"type":"workspace.created"',
      '"type":"tool.started","stepId":"doer"',
      '"type":"step.started","stepId":"test"',
    ];
    for (const moment of moments) {
      const { rid } = await killedAt(on, argv, moment);
      const there = await cloneOf(on);
      there.answer(PLANS, MENDS, APPROVES);
      expect((await imported(there, await exported(on, rid))).status).toBe("running");
      const done = await driven(there, 0, "resume", rid);
      expect(git(there.root, "show", `ccp/${rid}:mine.txt`), moment).toBe("mine\n");
      expect(git(there.root, "show", `ccp/${rid}:made.txt`), moment).toBe("x\n");
      expect(artifact(done, "Diff.patch"), moment).toContain("a + b");
      expect(existsSync(join(there.root, "mine.txt"))).toBe(false);
    }
  });

  test("after it was discarded can be read, and not be gone on with", async () => {
    const { on, run } = await rejectedRun();
    expect((await ccpAt(on, "discard")).code).toBe(0);
    git(on.root, "gc", "--quiet", "--prune=now");
    const told = await ccpAt(on, "export", run.rid, join(on.outside, "x.ccprun"));
    expect(told.stdout).toContain("its trees are gone");
    const there = await cloneOf(on);
    expect((await imported(there, join(on.outside, "x.ccprun"))).status).toBe("discarded");
    expect((await ccpAt(there, "view", "--step", "doer")).stdout).toContain("a + b");
    expect((await ccpAt(there, "diff")).stdout).toBe(artifact(run, "Diff.patch"));
  });
});

/** One line of the file, changed by whoever wants to do harm. */
type Line = Readonly<Record<string, unknown>> & { readonly event?: StoredEvent };

describe("import refuses, and leaves nothing behind", () => {
  test("what is damaged, cut short, tampered with, of a newer ccp, or of a base that is not here", async () => {
    const { on, run } = await rejectedRun();
    const bytes = readFileSync(await exported(on, run.rid));
    const lines: readonly Line[] = gunzipSync(bytes)
      .toString()
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    const there = await cloneOf(on);
    const file = join(there.outside, "bad.ccprun");
    const before = [await traces(there), ccpFolder(there)];
    const refused = async (content: Uint8Array, says: RegExp, code = "damaged_export") => {
      writeFileSync(file, content);
      const told = await ccpAt(there, "import", file, "--json");
      expect(told.code, told.stderr).toBe(2);
      expect(JSON.parse(told.stdout).error, String(says)).toMatchObject({
        code,
        message: expect.stringMatching(says),
        hint: expect.stringMatching(/nothing was (changed|taken in)/),
      });
    };
    const packed = (change: (line: Line, index: number) => readonly Line[]) => {
      const changed = lines.flatMap(change).filter((line) => !("end" in line));
      return gzipSync([...changed, { end: changed.length }].map((line) => `${JSON.stringify(line)}\n`).join(""));
    };
    const withEvent = (type: string, change: object) =>
      packed((line) => [line.event?.type === type ? { event: { ...line.event, ...change } as StoredEvent } : line]);
    const head = (change: object) =>
      packed((line) => ["head" in line ? { head: { ...(line.head as object), ...change } } : line]);

    await refused(Buffer.from("nothing of ours"), /or not whole/);
    await refused(new Uint8Array(), /or not whole/);
    await refused(bytes.subarray(0, bytes.length - 20), /or not whole/);
    await refused(
      gzipSync(
        `${lines
          .slice(0, -3)
          .map((line) => JSON.stringify(line))
          .join("\n")}\n`,
      ),
      /cut short/,
    );
    await refused(
      bytes.map((byte, index) => (index === bytes.length >> 1 ? byte ^ 1 : byte)),
      /cannot be imported/,
    );
    await refused(
      packed((line) => ("blob" in line ? [{ blob: Buffer.from("other").toString("base64") }] : [line])),
      /is not what it was/,
    );
    await refused(
      packed((line, index) => (index === 3 ? [] : [line])),
      /not in order/,
    );
    await refused(
      packed((line) => ("pack" in line ? [{ pack: Buffer.from("PACK of lies").toString("base64") }] : [line])),
      /files of the exported run are damaged/,
    );
    await refused(withEvent("tool.finished", { treeAfter: `${"0".repeat(39)}1` }), /not all of its files/);
    await refused(withEvent("step.finished", { type: "step.vanished" }), /make no run/);
    await refused(withEvent("call.settled", { heldNanos: -5 }), /r-|make no run/);
    await refused(head({ v: 2, ccpVersion: "9.9.9" }), /newer ccp \(9\.9\.9\)/, "newer_export");
    await refused(head({ base: "0".repeat(40) }), /names another base/);
    await refused(head({ rid: "r-../../x" }), /names no run/);
    await refused(head({ rid: "r-abcdef" }), /does not begin with a run/);
    expect([await traces(there), ccpFolder(there)]).toEqual(before);
    const stranger = await mockSite(makeRepository({ "other.txt": "other\n" }));
    writeFileSync(join(stranger.outside, "run.ccprun"), bytes);
    const missing = { exit: 2, code: "base_missing", says: /which is not here/, next: /git fetch/ };
    await proveRefused(stranger, ["import", join(stranger.outside, "run.ccprun")], missing);
    await proveRefused(there, ["import", "nowhere.ccprun"], {
      exit: 2,
      code: "usage",
      says: /cannot be read/,
      next: /check the path/,
    });
    // The same file, whole: it was not the file that was wrong.
    writeFileSync(file, bytes);
    expect((await imported(there, file)).rid).toBe(run.rid);
  }, 120_000);

  test("names that lead out of the run's folder, in its events and in its pipeline", async () => {
    const on = site(RED_PROJECT);
    const run = await runAt(on, { turns: MENDING, pipeline: `pipeline:\n  - role: planner\n${DOER}` });
    const lines: readonly Line[] = gunzipSync(readFileSync(await exported(on, run.rid)))
      .toString()
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    const there = await cloneOf(on);
    const user = look(there.root);
    const names = ["../../x", "/tmp/x", "a/../../x", "..", ".git/x", "x\n", "\u001b[2J", "a\\b", "-x", ""];
    for (const name of names) {
      const changes: readonly ((line: Line) => Line)[] = [
        (line) => (line.event?.type === "artifact.written" ? { event: { ...line.event, name } } : line),
        (line) => (line.event?.type === "step.finished" ? { event: { ...line.event, stepId: name } } : line),
        (line) => (line.event?.type === "workspace.created" ? { event: { ...line.event, branch: name } } : line),
      ];
      for (const change of changes) await refuses(there, lines.map(change), /it names (document|step|branch) /);
      for (const part of [{ id: name }, { artifact: name }])
        await refuses(there, withFirstStep(lines, part), /it names (document|step) /);
    }
    expect(look(there.root)).toEqual(user);
    expect(readdirSync(there.root).sort()).toEqual(
      readdirSync(on.root)
        .filter((name) => name !== "results")
        .sort(),
    );
  }, 120_000);
});

async function refuses(there: Site, lines: readonly Line[], says: RegExp): Promise<void> {
  const file = join(there.outside, "hostile.ccprun");
  writeFileSync(file, gzipSync(lines.map((line) => `${JSON.stringify(line)}\n`).join("")));
  const { code, stderr } = await ccpAt(there, "import", file);
  expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringMatching(says) });
}

/** The same run on another pipeline, with all that refers to it put right. */
function withFirstStep(lines: readonly Line[], change: object): readonly Line[] {
  const created = lines.flatMap(({ event }) => (event?.type === "run.created" ? [event] : []))[0];
  const was = created?.pipeline.sha256 ?? "";
  const bytes = (line: Line) => Buffer.from(String(line.blob), "base64");
  const old = lines.find((line) => "blob" in line && sha256(bytes(line)) === was);
  const pipeline = JSON.parse(old ? bytes(old).toString() : "");
  const changed = Buffer.from(JSON.stringify({ ...pipeline, steps: [{ ...pipeline.steps[0], ...change }] }));
  return lines.map((line) =>
    line === old
      ? { blob: changed.toString("base64") }
      : JSON.parse(JSON.stringify(line).replaceAll(was, sha256(changed))),
  );
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** All that ccp has in the repository, but for its journal. */
function ccpFolder({ root }: Site): readonly string[] {
  const folder = join(root, ".git/ccp");
  const files = existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: "utf8" }) : [];
  return files.filter((name) => /^runs\//.test(name)).sort();
}
