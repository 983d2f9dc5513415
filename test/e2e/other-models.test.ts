import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { type CliResult, finished, startBinary } from "../support/cli.ts";
import { git, makeRepository } from "../support/git.ts";
import { eventsOf, journalOf } from "../support/journal.ts";
import { APPROVES, call, edit, MENDS, PLANS, rejectedRun, STEPS } from "../support/mending.ts";
import { fileOf, MODELS, mockSite, type RoleTurn } from "../support/mock-site.ts";
import { ccpAt, type Site } from "../support/proof.ts";
import { HAS_PSEUDO_TERMINAL, openTerminal } from "../support/pseudo-terminal.ts";
import { resultOf } from "../support/refusal.ts";
import { RED_PROJECT, WORK } from "../support/scenario.ts";
import { tempDir } from "../support/temp.ts";
import { LANE_KEYS, openWireWorld, wireEnvironment } from "../support/wire-run.ts";

const LONG = { timeout: 60_000, interval: 20 };
/** A model that is no role's own. */
const OTHER = "claude-fable-5";

/** The user's providers file. */
function providers(on: Site, text: string): void {
  const path = join(on.env.HOME ?? "", ".config", "ccp", "providers.yaml");
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

async function ridsOf(on: Site): Promise<readonly string[]> {
  return JSON.parse((await ccpAt(on, "runs", "--json")).stdout).runs.map(({ rid }: { rid: string }) => rid);
}

async function replayed(on: Site, rid: string): Promise<CliResult> {
  return ccpAt(on, "replay", rid);
}

const finishes = (turn: number, model: string): RoleTurn => ({
  role: "doer",
  model,
  turn,
  calls: [call("finish", WORK)],
});

/** A command that says that it has begun, and ends once it is let go. */
function gateIn(folder: string) {
  const [begun, gate] = [join(folder, "begun"), join(folder, "gate")];
  return {
    command: `touch '${begun}'; until test -e '${gate}'; do sleep 0.02; done`,
    begun: () => vi.waitUntil(() => existsSync(begun), LONG),
    open: () => writeFileSync(gate, ""),
  };
}

describe("rules", () => {
  const RULES = `routing:
  - name: no night shift
    when: { task: build, hours: 00:00-24:00, cost_at_most: 0.000001 }
    use: [anthropic/claude-opus-5]
  - name: builds
    when: { task: build, model: "*haiku*", needs: [thinking] }
    use: [openai/gpt-5.6-terra, anthropic/${OTHER}]
`;

  test("say whom a conversation asks; it is on record, shown, and the same in a replay", async () => {
    const on = await mockSite(makeRepository(RED_PROJECT));
    providers(on, RULES);
    on.answer(PLANS, { ...MENDS, model: OTHER }, APPROVES);
    const run = await ccpAt(on, "run", "--pipeline", on.pipeline(fileOf(STEPS)), "--ui", "plain", "Make sum add.");
    expect(run.code, run.stderr).toBe(0);
    expect(on.asked()).toEqual(["planner 1", `${OTHER} 1`, "reviewer 1"]);
    const [rid = ""] = await ridsOf(on);
    expect(eventsOf(on, rid, "route.decided")).toMatchObject([
      { stepId: "planner", conversation: 1, task: "plan", rule: null, candidates: [] },
      { stepId: "doer", conversation: 1, task: "build", rule: "builds", candidates: [`anthropic/${OTHER}`] },
      { stepId: "reviewer", conversation: 1, task: "review", rule: null, candidates: [] },
    ]);
    expect(run.stderr).toContain(`  doer  rule "builds" for build: asks anthropic/${OTHER}`);
    expect((await ccpAt(on, "view", rid, "--step", "doer")).stdout).toContain(`rule "builds" for build`);
    // Whatever the rules say today.
    providers(on, "");
    expect(await replayed(on, rid)).toMatchObject({ code: 0, stdout: expect.stringContaining("same") });
  });

  test("do not count for a role whose models a person has named, and nothing is on record of them", async () => {
    const on = await mockSite(makeRepository(RED_PROJECT));
    providers(on, RULES);
    on.answer(PLANS, MENDS, APPROVES);
    const named = Object.entries(MODELS).flatMap(([role, model]) => ["--model", `${role}=anthropic/${model}`]);
    const run = await ccpAt(on, "run", "--pipeline", on.pipeline(fileOf(STEPS)), ...named, "Make sum add.");
    expect(run.code, run.stderr).toBe(0);
    expect(on.asked()).toEqual(["planner 1", "doer 1", "reviewer 1"]);
    const [rid = ""] = await ridsOf(on);
    expect(eventsOf(on, rid, "route.decided")).toEqual([]);
  });

  test("that have changed do not change a conversation that was interrupted", async () => {
    const on = await mockSite(makeRepository(RED_PROJECT));
    providers(on, RULES);
    const gate = gateIn(on.outside);
    const first = { role: "doer", model: OTHER, turn: 1, calls: [call("bash", { command: gate.command })] } as const;
    on.answer(PLANS, first, { ...MENDS, model: OTHER, turn: 2 }, APPROVES);
    const file = on.pipeline(fileOf(STEPS, "sandbox: off\n"));
    const owner = startBinary(["run", "--pipeline", file, "Make sum add."], { cwd: on.cwd, env: on.env });
    const end = finished(owner);
    await gate.begun();
    owner.kill("SIGKILL");
    await end;
    gate.open();
    providers(on, "");
    const [rid = ""] = await ridsOf(on);
    const resumed = await ccpAt(on, "resume", rid, "--json");
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(on.asked()).toEqual(["planner 1", `${OTHER} 1`, `${OTHER} 2`, "reviewer 1"]);
    expect(eventsOf(on, rid, "route.decided")).toHaveLength(2);
    expect(await replayed(on, rid)).toMatchObject({ code: 0 });
  }, 60_000);
});

describe("ccp model", () => {
  /** A run that another process drives, in the middle of a command of the doer's. */
  async function atWork(second: RoleTurn) {
    const on = await mockSite(makeRepository(RED_PROJECT));
    const gate = gateIn(on.outside);
    on.answer(
      PLANS,
      { ...MENDS, calls: [edit("a - b", "a + b"), call("bash", { command: gate.command })] },
      second,
      APPROVES,
    );
    const file = on.pipeline(fileOf(STEPS, "sandbox: off\n"));
    const end = finished(
      startBinary(["run", "--pipeline", file, "--json", "Make sum add."], { cwd: on.cwd, env: on.env }),
    );
    await gate.begun();
    const [rid = ""] = await ridsOf(on);
    return { on, rid, gate, end };
  }

  test("changes the models of a run that another process drives, at its next call, and says what that comes to", async () => {
    const { on, rid, gate, end } = await atWork(finishes(2, OTHER));
    const told = await ccpAt(on, "model", rid, `doer=anthropic/${OTHER},anthropic/${MODELS.planner}`);
    expect(told.code, told.stderr).toBe(0);
    expect(told.stdout).toMatch(
      new RegExp(
        `^doer asks anthropic/${OTHER}, anthropic/${MODELS.planner} from its next call on, in the place of anthropic/${MODELS.doer}\n`,
      ),
    );
    expect(told.stdout).toMatch(/\n {2}claude-sonnet-5: 2x the price; context 1,000,000 tokens, was 200,000\n/);
    // Nothing is on record before whoever drives the run takes it up.
    expect(eventsOf(on, rid, "route.changed")).toEqual([]);
    gate.open();
    const result = await end;
    expect(resultOf(result.stdout), result.stderr).toMatchObject({ status: "succeeded" });
    expect(on.asked()).toEqual(["planner 1", "doer 1", `${OTHER} 2`, "reviewer 1"]);
    const [changed] = eventsOf(on, rid, "route.changed");
    expect(changed).toMatchObject({
      role: "doer",
      stepId: "doer",
      models: [`anthropic/${OTHER}`, `anthropic/${MODELS.planner}`],
    });
    const after = journalOf(on, rid).find(({ seq }) => seq === (changed?.seq ?? 0) + 1);
    expect(after).toMatchObject({ type: "call.reserved", model: `anthropic/${OTHER}` });
    expect(await replayed(on, rid)).toMatchObject({ code: 0 });
    expect((await ccpAt(on, "model", rid, "doer=anthropic/claude-opus-5")).stderr).toContain("already succeeded");
  }, 60_000);

  test("refuses what the run could not go on with, and changes nothing", async () => {
    const { on, rid, gate, end } = await atWork({ ...finishes(2, MODELS.doer) });
    const richer = { ...on, env: { ...on.env, OPENROUTER_API_KEY: "or-key-1234" } };
    const refusals: readonly (readonly [string, RegExp])[] = [
      ["doer", /whose model is to be doer\?/],
      ["doe=anthropic/claude-opus-5", /there is no role "doe"[\s\S]*did you mean "doer"/],
      ["doer=openai/gpt-5.6-terra", /provider "openai" has no key/],
      ["doer=anthropc/claude-opus-5", /no model "anthropc\/claude-opus-5" is known here/],
      ["doer=claude-opus-6", /no model "claude-opus-6" is known here[\s\S]*did you mean "claude-opus-5"/],
      ["doer=openrouter/un/heard-of", /the price of openrouter\/un\/heard-of is unknown/],
    ];
    for (const [text, expected] of refusals) {
      const refused = await ccpAt(richer, "model", rid, text);
      expect([refused.code === 0, refused.stderr]).toEqual([false, expect.stringMatching(expected)]);
    }
    // Whoever says it has a key that the driver has not.
    expect(await ccpAt(richer, "model", rid, "doer=openrouter/z-ai/glm-5.3")).toMatchObject({ code: 0 });
    gate.open();
    expect(resultOf((await end).stdout)).toMatchObject({ status: "succeeded" });
    expect(on.asked()).toEqual(["planner 1", "doer 1", "doer 2", "reviewer 1"]);
    expect(eventsOf(on, rid, "route.changed")).toEqual([]);
  }, 60_000);

  test("is on record at once where nobody drives the run, and a name needs no provider where it is the only one", async () => {
    const { on, run } = await rejectedRun();
    const told = await ccpAt(on, "model", run.rid, "reviewer=claude-sonnet-5", "--json");
    expect(JSON.parse(told.stdout)).toMatchObject({
      rid: run.rid,
      how: "recorded",
      role: "reviewer",
      before: { name: `anthropic/${MODELS.reviewer}` },
      after: [{ name: "anthropic/claude-sonnet-5", priceMultiple: 0.4 }],
    });
    expect(eventsOf(on, run.rid, "route.changed")).toMatchObject([{ models: ["anthropic/claude-sonnet-5"] }]);
    on.answer({ ...APPROVES, model: "claude-sonnet-5" });
    expect(resultOf((await ccpAt(on, "resume", run.rid, "--json")).stdout)).toMatchObject({ exitCode: 0 });
    expect(await replayed(on, run.rid)).toMatchObject({ code: 0 });
  });

  test("gives way to a later word", async () => {
    const { on, rid, gate, end } = await atWork(finishes(2, "claude-opus-5"));
    expect((await ccpAt(on, "model", rid, `doer=anthropic/${OTHER}`)).code).toBe(0);
    expect((await ccpAt(on, "model", rid, "doer=anthropic/claude-opus-5")).code).toBe(0);
    gate.open();
    expect(resultOf((await end).stdout)).toMatchObject({ status: "succeeded" });
    // The reviewer's own model: the doer's second question.
    expect(on.asked()).toEqual(["planner 1", "doer 1", "reviewer 2", "reviewer 1"]);
    expect(await replayed(on, rid)).toMatchObject({ code: 0 });
  }, 60_000);
});

test("a switch between two wires in the middle of a conversation leaves a valid one: calls with their results, nothing of the other lane", async () => {
  const gateFolder = tempDir("ccp-gate");
  const gate = gateIn(gateFolder);
  const DOER = "z-ai/glm-5.3";
  const world = await openWireWorld("sandbox: off\npipeline:\n  - role: doer\n", [
    {
      model: "claude-sonnet-5",
      turn: 1,
      say: "I look at it and wait.",
      calls: [call("read", { path: "sum.mjs" }), call("bash", { command: gate.command })],
    },
    { model: DOER, turn: 2, calls: [edit("a - b", "a + b")] },
    { model: DOER, turn: 3, calls: [call("finish", WORK)] },
  ]);
  const running = world.run({ doer: ["anthropic/claude-sonnet-5"] });
  await gate.begun();
  const on: Site = {
    root: world.root,
    cwd: world.root,
    env: { HOME: world.home, ...wireEnvironment(world.doors) },
    outside: gateFolder,
  };
  const [rid = ""] = await ridsOf(on);
  const told = await ccpAt(on, "model", rid, `doer=openrouter/${DOER}`);
  expect(told.code, told.stderr).toBe(0);
  gate.open();
  const run = await running;
  const [, second] = world.doors.exchanges.filter(({ path }) => /messages$|completions$/.test(path));
  expect(second).toMatchObject({ door: "openrouter", status: 200 });
  const messages = (second?.body.messages ?? []) as readonly {
    readonly role: string;
    readonly tool_calls?: readonly { readonly id: string; readonly function: { readonly name: string } }[];
    readonly tool_call_id?: string;
  }[];
  expect(messages.map(({ role }) => role)).toEqual(["system", "user", "assistant", "tool", "tool"]);
  const calls = messages[2]?.tool_calls ?? [];
  expect(calls.map((one) => one.function.name)).toEqual(["read", "bash"]);
  expect(messages.slice(3).map((message) => message.tool_call_id)).toEqual(calls.map(({ id }) => id));
  expect(JSON.stringify(second)).not.toContain(LANE_KEYS.anthropic);
  expect(JSON.stringify(second?.body)).not.toMatch(/signature|thinking/);
  expect(git(world.root, "show", `ccp/${run.rid}:sum.mjs`)).toContain("a + b");
}, 60_000);

describe.runIf(HAS_PSEUDO_TERMINAL)("/model, typed at the terminal of a run", () => {
  test.each(["plain", "live"])(
    "changes the models of the step under way (%s)",
    async (ui) => {
      const on = await mockSite(makeRepository(RED_PROJECT));
      const gate = gateIn(on.outside);
      on.answer(
        PLANS,
        { ...MENDS, calls: [edit("a - b", "a + b"), call("bash", { command: gate.command })] },
        finishes(2, OTHER),
        APPROVES,
      );
      const file = on.pipeline(fileOf(STEPS, "sandbox: off\n"));
      const at = openTerminal(["run", "--pipeline", file, "--ui", ui, "Make sum add."], {
        cwd: on.cwd,
        env: { ...on.env, TERM: "xterm" },
      });
      await gate.begun();
      at.type("/modle x\n");
      at.type(`/model anthropic/${OTHER}\n`);
      await vi.waitUntil(() => at.screen().includes(`doer asks anthropic/${OTHER} from its next call on`), LONG);
      gate.open();
      const { code, screen } = await at.end;
      expect(code, screen).toBe(0);
      expect(screen).toContain("there is no /modle; there is: /model name");
      expect(on.asked()).toEqual(["planner 1", "doer 1", `${OTHER} 2`, "reviewer 1"]);
    },
    60_000,
  );
});
