import { once } from "node:events";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import type { BlobRef } from "../../src/core/event.ts";
import { bareEnvironment, binary, startBinary } from "../support/cli.ts";
import { git, makeRepository } from "../support/git.ts";
import { eventsOf, journalOf } from "../support/journal.ts";
import { linesOf } from "../support/killer.ts";
import { driven, fileOf, type MockSite, mockSite } from "../support/mock-site.ts";
import { expectOneError } from "../support/refusal.ts";
import { APPROVAL, PLAN, RED_PROJECT, WORK } from "../support/scenario.ts";
import { tempDir } from "../support/temp.ts";

const call = (tool: string, args: unknown) => ({ tool, args });
const STEPS = `  - role: planner
  - role: doer
    until: { run: "grep -q 'a + b' sum.mjs", attempts: 2 }
  - { id: test, run: node check.mjs, check: true }
  - role: reviewer
`;
const EDIT = call("edit", { path: "sum.mjs", edits: [{ old: "a - b", new: "a + b" }] });

async function answeringSite(): Promise<MockSite> {
  const on = await mockSite(makeRepository(RED_PROJECT));
  on.answer(
    { role: "planner", turn: 1, calls: [call("read", { path: "sum.mjs" }), call("finish", PLAN)] },
    { role: "doer", turn: 1, calls: [EDIT, call("bash", { command: "date > made.txt; cat made.txt" })] },
    { role: "doer", turn: 2, calls: [call("finish", WORK)] },
    { role: "reviewer", turn: 1, calls: [call("finish", APPROVAL)] },
  );
  return on;
}

/** In the process of whoever is started with it every way out to a network ends, and is counted. */
function noNetwork(): { readonly env: Readonly<Record<string, string>>; readonly attempts: () => number } {
  const folder = tempDir("ccp-no-network");
  const [file, log] = [join(folder, "no-network.cjs"), join(folder, "attempts")];
  writeFileSync(log, "");
  writeFileSync(
    file,
    `const refuse = (name) => () => {
      require("node:fs").appendFileSync(${JSON.stringify(log)}, name + "\\n");
      throw new Error("there is no network: " + name);
    };
    require("node:net").Socket.prototype.connect = refuse("connect");
    for (const name of ["lookup", "resolve"]) require("node:dns")[name] = refuse(name);
    require("node:dgram").createSocket = refuse("udp");
    globalThis.fetch = refuse("fetch");
    require("node:module").syncBuiltinESMExports();`,
  );
  return {
    env: { NODE_OPTIONS: `--require=${file}` },
    attempts: () => readFileSync(log, "utf8").split("\n").length - 1,
  };
}

/** The same user, without a key, without a network. */
async function replayAt(on: MockSite, ...argv: readonly string[]) {
  const network = noNetwork();
  const env = { ...bareEnvironment(on.env.HOME), ...network.env };
  const result = await binary(["replay", ...argv], { cwd: on.root, env });
  expect(network.attempts()).toBe(0);
  return result;
}

/** All that a replay could have left or changed. */
function leavings({ root, env }: MockSite) {
  return {
    worktrees: readdirSync(join(env.HOME ?? "", ".local/state/ccp/worktrees")),
    runs: readdirSync(join(root, ".git/ccp/runs")),
    refs: git(root, "for-each-ref"),
    status: git(root, "status", "--porcelain", "--ignored"),
    results: readdirSync(join(root, "results"), { recursive: true, encoding: "utf8" }).toSorted(),
    ledger: rowsOf(join(env.HOME ?? "", ".local/state/ccp/ledger.db")),
    journal: rowsOf(join(root, ".git/ccp/ccp.db")),
  };
}

/** Every table, counted. */
function rowsOf(path: string): Readonly<Record<string, number>> {
  const database = new Database(path, { readonly: true });
  try {
    const names = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").pluck().all() as string[];
    return Object.fromEntries(
      names.map((name) => [name, database.prepare(`SELECT count(*) FROM "${name}"`).pluck().get() as number]),
    );
  } finally {
    database.close();
  }
}

function tamper({ root }: MockSite, statement: string, ...values: readonly unknown[]): void {
  const database = new Database(join(root, ".git/ccp/ccp.db"));
  try {
    expect(database.prepare(statement).run(...values).changes).toBe(1);
  } finally {
    database.close();
  }
}

/** As an event's body has it. */
function refText(ref: BlobRef | undefined): string {
  return `"sha256":"${ref?.sha256}","sizeBytes":${ref?.sizeBytes}`;
}

describe("ccp replay", () => {
  test("without a key and without a network comes to the same, and leaves nothing", async () => {
    const refused = noNetwork();
    const on = await answeringSite();
    const online = { ...on.env, ...refused.env };
    const pipeline = on.pipeline(fileOf(STEPS));
    const cut = await binary(["run", "-p", pipeline, "Make sum add."], { cwd: on.root, env: online });
    expect(cut.code, "the network is really cut").not.toBe(0);
    expect(refused.attempts()).toBeGreaterThan(0);

    const { rid } = await driven(on, 0, "run", "-p", pipeline, "Make sum add.");
    const before = leavings(on);
    on.asked();
    const said = await replayAt(on);
    expect(said.stderr).toBe("");
    expect(said.code).toBe(0);
    expect(said.stdout).toMatch(new RegExp(`^${rid}: the same, \\d+ events and 3 artifacts\\n`));
    const json = await replayAt(on, rid, "--json");
    expect(JSON.parse(json.stdout)).toMatchObject({
      v: 1,
      rid,
      same: true,
      status: "succeeded",
      replayed_status: "succeeded",
      difference: null,
    });
    expect(JSON.parse(json.stdout).artifacts.map(({ name }: { name: string }) => name)).toEqual([
      "Diff.patch",
      "PLAN.md",
      "REVIEW.md",
    ]);
    expect(on.asked()).toEqual([]);
    expect(leavings(on)).toEqual(before);
  });

  test("of the demo, which needs no key either", async () => {
    const home = tempDir("ccp-home");
    const env = { ...bareEnvironment(home), TMPDIR: tempDir("ccp-demo") };
    const demo = await binary(["demo", "--json"], { cwd: home, env });
    expect(demo.code, demo.stderr).toBe(0);
    const { results } = JSON.parse(demo.stdout.trimEnd().split("\n").at(-1) ?? "") as { results: string };
    const root = join(results, "..", "..");
    const network = noNetwork();
    const said = await binary(["replay"], { cwd: root, env: { ...bareEnvironment(home), ...network.env } });
    expect(said.code, said.stderr + said.stdout).toBe(0);
    expect(said.stdout).toContain(": the same, ");
    expect(network.attempts()).toBe(0);
  });

  test("of a run that was killed twice comes to the same", async () => {
    const on = await answeringSite();
    const pipeline = on.pipeline(fileOf(STEPS));
    const killedAt = async (argv: readonly string[], sign: RegExp) => {
      const child = startBinary(argv, { cwd: on.root, env: on.env });
      for await (const line of linesOf(child)) if (sign.test(line)) break;
      child.kill("SIGKILL");
      await once(child, "close");
    };
    await killedAt(["run", "-p", pipeline, "--json", "Make sum add."], /"tool.started".*"edit"/);
    await killedAt(["resume", "--json"], /"call.reserved".*"turn":2/);
    const { rid } = await driven(on, 0, "resume");
    expect(eventsOf(on, rid, "run.resumed")).toHaveLength(2);
    const said = await replayAt(on);
    expect(said.code, said.stderr + said.stdout).toBe(0);
  });

  test("of a journal that somebody has changed says where, and what a person can do about it", async () => {
    const on = await answeringSite();
    const { rid } = await driven(on, 0, "run", "-p", on.pipeline(fileOf(STEPS)), "Make sum add.");
    const [bash] = eventsOf(on, rid, "tool.finished").filter(({ tool }) => tool === "bash");
    const [again] = eventsOf(on, rid, "call.reserved").filter(({ stepId, turn }) => stepId === "doer" && turn === 2);
    const other = eventsOf(on, rid, "tool.finished").find(({ tool }) => tool === "edit");
    tamper(
      on,
      "UPDATE event SET body = replace(body, ?, ?) WHERE id = (SELECT ordinal << 32 FROM run WHERE rid = ?) + ?",
      refText(bash?.result),
      refText(other?.result),
      rid,
      bash?.seq,
    );
    const said = await replayAt(on);
    expect(said.code).toBe(1);
    expect(said.stdout).toContain(`${rid}: not the same; the first difference is at event ${again?.seq}\n`);
    expect(said.stdout).toMatch(/step "doer", the question of turn 2 in try 1: what was asked is not the same/);
    const json = JSON.parse((await replayAt(on, "--json")).stdout);
    expect(json).toMatchObject({
      same: false,
      difference: { seq: again?.seq, type: "call.reserved", stepId: "doer", path: "request" },
    });

    const plan = eventsOf(on, rid, "artifact.written").find(({ name }) => name === "PLAN.md");
    tamper(on, "UPDATE blob SET bytes = ? WHERE sha256 = ?", Buffer.from("x"), plan?.blob.sha256);
    const damaged = await replayAt(on);
    expect(damaged.code).toBe(1);
    expect(damaged.stdout).toMatch(/is gone, or is not what it was/);
    expect(damaged.stdout).toContain("ccp doctor");
  });

  test("--against another plan says what is asked otherwise, what has no answer, and what comes of it", async () => {
    const on = await answeringSite();
    const { rid } = await driven(on, 0, "run", "-p", on.pipeline(fileOf(STEPS)), "Make sum add.");
    const before = leavings(on);
    const against = async (steps: string, ...flags: readonly string[]) =>
      replayAt(on, "--against", on.pipeline(fileOf(steps), "edited"), ...flags);

    const prompted = await against(STEPS.replace("role: doer\n", "role: doer\n    prompt: Be quick.\n"));
    expect(prompted.code, prompted.stderr + prompted.stdout).toBe(0);
    expect(prompted.stdout).toContain("4 questions, 2 of them not what was asked then\n");
    expect(prompted.stdout).toContain('the first: step "doer", try 1, turn 1: its prompt\n');
    expect(prompted.stdout).toContain("status     the same, succeeded\n");
    expect(prompted.stdout).toMatch(/tree {7}the same, [0-9a-f]{12}\n/);
    expect(prompted.stdout).toContain("artifacts  the same\n");

    const shorter = await against(STEPS.replace("  - role: reviewer\n", ""));
    expect(shorter.code).toBe(0);
    expect(shorter.stdout).toContain("artifacts  REVIEW.md is missing\n");

    const longer = await against(`${STEPS}  - { id: second, role: reviewer }\n`);
    expect(longer.code).toBe(1);
    expect(longer.stdout).toMatch(
      /it stops here: step "second" asks a model \(try 1, turn 1\), and there is no such answer/,
    );
    expect(longer.stdout).toContain("status     then succeeded, now not at its end\n");

    const checked = await against(STEPS.replaceAll("node check.mjs", "node other.mjs"), "--json");
    expect(checked.code).toBe(1);
    expect(JSON.parse(checked.stdout)).toMatchObject({
      v: 1,
      rid,
      status: "succeeded",
      replayed_status: "running",
      missing: expect.stringContaining("`node other.mjs` (then it was `node check.mjs`)"),
    });
    expect(leavings(on)).toEqual(before);
  });

  test("refuses what cannot be replayed, and changes nothing", async () => {
    const on = await answeringSite();
    const none = await replayAt(on, "--json");
    expect(none.code).toBe(2);
    expectOneError(none, "replay", { exit: 2, code: "no_runs" });
    const { rid } = await driven(on, 0, "run", "-p", on.pipeline(fileOf(STEPS)), "Make sum add.");
    const length = journalOf(on, rid).length;
    const bad = await replayAt(on, "--against", on.pipeline("pipeline: 3\n", "bad"));
    expect(bad.code).toBe(2);
    expect(bad.stderr).toContain("the pipeline cannot be run");
    tamper(
      on,
      `UPDATE event SET v = 1 WHERE id = (SELECT min(event.id) FROM run JOIN event ON event.id >> 32 = run.ordinal
         WHERE rid = ? AND type = 'call.reserved')`,
      rid,
    );
    const old = await replayAt(on);
    expect(old.code).toBe(2);
    expect(old.stderr).toMatch(/recorded by an older ccp.*too little/);
    expect(old.stderr).toContain(`ccp rerun ${rid}`);
    expect(journalOf(on, rid)).toHaveLength(length);
  });
});
