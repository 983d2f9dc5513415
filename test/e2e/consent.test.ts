import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { binary, type CliResult } from "../support/cli.ts";
import { eventsOf, journalOf, withStore } from "../support/journal.ts";
import { type Site, scripted, site } from "../support/proof.ts";
import { atTerminal, HAS_PSEUDO_TERMINAL } from "../support/pseudo-terminal.ts";
import { resultOf } from "../support/refusal.ts";
import { WORK } from "../support/scenario.ts";

const bash = (turn: number, command: string) => ({ role: "doer", turn, calls: [{ tool: "bash", args: { command } }] });
const finish = (turn: number) => ({ role: "doer", turn, calls: [{ tool: "finish", args: WORK }] });
const ASKING = [bash(1, "echo more >> README.md && echo asked > asked.txt"), finish(2)];
const pipeline = (onAsk: string) => `roles:
  doer:
    permissions:
      - { tool: bash, match: "echo asked *", effect: ask, reason: it is your file }
pipeline:
  - { role: doer${onAsk === "" ? "" : `, on_ask: ${onAsk}`} }
`;

function user(turns = ASKING, onAsk = "stop") {
  const on = site();
  return { on, argv: ["run", ...scripted(on, { turns, pipeline: pipeline(onAsk) })] };
}

const at = (on: Site, ...argv: readonly string[]): Promise<CliResult> => binary(argv, { cwd: on.cwd, env: on.env });
const rules = (on: Site, rid: string) =>
  eventsOf(on, rid, "permission.decided").map(({ effect, scope }) => `${effect} ${scope}`);
const ends = (on: Site, rid: string) =>
  eventsOf(on, rid, "tool.finished").map(({ tool, status, summary }) => `${tool} ${status} ${summary}`);

describe("a call that a rule asks about, with nobody there", () => {
  test("is refused, which is on record, and the model is told the rule and to go on", async () => {
    const { on, argv } = user(ASKING, "");
    const { rid, exitCode } = resultOf((await at(on, ...argv, "--json", "Do it.")).stdout);
    expect(exitCode).toBe(1);
    expect(eventsOf(on, rid, "permission.asked")).toEqual([]);
    const denied = eventsOf(on, rid, "tool.finished").find(({ status }) => status === "denied");
    const text = withStore(on, (store) =>
      new TextDecoder().decode(store.blob(denied?.result ?? { sha256: "", sizeBytes: 0 })),
    );
    expect(text).toContain('it is your file (rule: ask bash "echo asked *")');
    expect(text).toContain("go on in another way");
    expect(JSON.parse((await at(on, "view", rid, "--json")).stdout)).toMatchObject({
      waiting_for: null,
      // Once in each of the two tries.
      permission_denials: [
        { step: "doer", tool: "bash", why: expect.stringContaining("it is your file") },
        { step: "doer", tool: "bash" },
      ],
    });
  });

  test("stops the run with exit 3 where its step says so, and shows the call and what to type", async () => {
    const { on, argv } = user();
    const shown = await at(on, ...argv, "Do it.");
    expect(shown.code, shown.stderr).toBe(3);
    expect(shown.stderr).toContain("asks: bash `echo more >> README.md && echo asked > asked.txt`");
    expect(shown.stdout).toMatch(/ccp resume r-\w{6} --allow/);
    expect(shown.stdout).toMatch(/ccp resume r-\w{6} --deny/);
    expect(JSON.parse((await at(on, "view", "--json")).stdout)).toMatchObject({
      status: "paused",
      waiting_for: { step: "doer", tool: "bash", call: "echo more >> README.md && echo asked > asked.txt" },
    });
  });

  test("is made once it is allowed: resume --allow goes on with that very call", async () => {
    const { on, argv } = user();
    const { rid, next } = resultOf((await at(on, ...argv, "--json", "Do it.")).stdout);
    expect(next[0]).toBe(`ccp resume ${rid} --allow`);
    const done = resultOf((await at(on, "resume", rid, "--allow", "--json")).stdout);
    expect(done).toMatchObject({ status: "succeeded", exitCode: 0 });
    expect(rules(on, rid)).toEqual(["allow call"]);
    expect(ends(on, rid)[0]).toMatch(/^bash ok/);
    expect(eventsOf(on, rid, "call.reserved")).toHaveLength(2);
    expect(readFileSync(join(on.root, "results", rid, "Diff.patch"), "utf8")).toContain("asked.txt");
    expect((await at(on, "replay", rid)).code).toBe(0);
  });

  test("is refused for good by resume --deny, and the model goes on", async () => {
    const { on, argv } = user([...ASKING.slice(0, 1), bash(2, "echo other > other.txt"), finish(3)]);
    const { rid } = resultOf((await at(on, ...argv, "--json", "Do it.")).stdout);
    const done = resultOf((await at(on, "resume", rid, "--deny", "--json")).stdout);
    expect(done).toMatchObject({ status: "succeeded", exitCode: 0 });
    expect(ends(on, rid)[0]).toMatch(/^bash denied .*a person was asked and said no/);
    expect(existsSync(join(on.root, "asked.txt"))).toBe(false);
    expect((await at(on, "replay", rid)).code).toBe(0);
  });

  test("waits on: a resume without a word decides nothing and costs nothing", async () => {
    const { on, argv } = user();
    const { rid } = resultOf((await at(on, ...argv, "--json", "Do it.")).stdout);
    expect((await at(on, "resume", rid, "--json")).code).toBe(3);
    expect(eventsOf(on, rid, "permission.asked")).toHaveLength(1);
    expect(eventsOf(on, rid, "call.reserved")).toHaveLength(1);
    expect((await at(on, "resume", rid, "--allow", "--json")).code).toBe(0);
    expect((await at(on, "replay", rid)).code).toBe(0);
  });

  test("--allow where nothing waits, and both at once, change nothing", async () => {
    const { on, argv } = user();
    const { rid } = resultOf((await at(on, ...argv, "--json", "Do it.")).stdout);
    const before = journalOf(on, rid).length;
    const both = await at(on, "resume", rid, "--allow", "--deny");
    expect([both.code, both.stderr]).toEqual([2, expect.stringContaining("cannot both be meant")]);
    expect(journalOf(on, rid)).toHaveLength(before);
    await at(on, "resume", rid, "--allow", "--json");
    const { on: other, argv: more } = user([finish(1)]);
    const failed = resultOf((await at(other, ...more, "--json", "Do it.")).stdout);
    const none = await at(other, "resume", failed.rid, "--allow");
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining("waits for nobody's consent")]);
  });
});

describe.skipIf(!HAS_PSEUDO_TERMINAL)("a person at a terminal is asked", () => {
  const QUESTION = "Allow it? [y]es, [n]o, [a]lways in this run: ";
  const TWICE = [bash(1, "echo asked >> a.txt"), bash(2, "echo asked >> a.txt"), finish(3)];
  const typed = (on: Site, argv: readonly string[], type: readonly string[]) =>
    atTerminal([...argv, "Do it."], { cwd: on.cwd, env: on.env }, { at: QUESTION, type });
  const ridAt = (on: Site) => withStore(on, (store) => store.runs()[0]?.rid ?? "");

  test("at each call, whatever the step says", async () => {
    const { on, argv } = user(TWICE, "");
    const { code, screen } = await typed(on, argv, ["y\r", "n\r"]);
    expect(code, screen).toBe(0);
    expect(screen).toContain("    echo asked >> a.txt");
    expect(rules(on, ridAt(on))).toEqual(["allow call", "deny call"]);
    expect((await at(on, "replay", ridAt(on))).code).toBe(0);
  });

  test("once, with always", async () => {
    const { on, argv } = user(TWICE, "");
    const { code, screen } = await typed(on, argv, ["a\r"]);
    expect(code, screen).toBe(0);
    expect(screen.split(QUESTION)).toHaveLength(2);
    expect(rules(on, ridAt(on))).toEqual(["allow run"]);
    expect(ends(on, ridAt(on)).filter((end) => end.startsWith("bash ok"))).toHaveLength(2);
    expect((await at(on, "replay", ridAt(on))).code).toBe(0);
  });

  test("and who does not answer has not decided: exit 3", async () => {
    const { on, argv } = user(TWICE, "");
    const { code, screen } = await typed(on, argv, ["\x04"]);
    expect(code, screen).toBe(3);
    expect(rules(on, ridAt(on))).toEqual([]);
    // With nobody there the step's own word counts again: the call is refused.
    const later = resultOf((await at(on, "resume", ridAt(on), "--json")).stdout);
    expect(later.exitCode).toBe(1);
    expect((await at(on, "replay", ridAt(on))).code).toBe(0);
  });

  test("but not for machines", async () => {
    const { on, argv } = user(TWICE, "");
    const { screen } = await typed(on, [...argv, "--json"], ["y\r"]);
    expect(screen).not.toContain("Allow it?");
  });
});
