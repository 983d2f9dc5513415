import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { StoredEvent } from "../../src/core/event.ts";
import { FREE } from "../../src/core/money.ts";
import type { Role } from "../../src/core/pipeline.ts";
import type { Models, ToolServers } from "../../src/core/ports.ts";
import { type Run, stepState } from "../../src/core/run.ts";
import { git } from "../support/git.ts";
import {
  APPROVAL,
  FULL_PIPELINE,
  listener,
  MENDING,
  PLAN,
  RED_PROJECT,
  REJECTION,
  type Scenario,
  type ScriptedTurn,
  scenario,
  WORK,
} from "../support/scenario.ts";

const call = (tool: string, args: unknown) => ({ tool, args });
const edit = (from: string, to: string) => call("edit", { path: "sum.mjs", edits: [{ old: from, new: to }] });
const finish = (value: unknown) => call("finish", value);
const planner: ScriptedTurn = { role: "planner", turn: 1, calls: [finish(PLAN)] };
const approve: ScriptedTurn = { role: "reviewer", turn: 1, calls: [finish(APPROVAL)] };
const quickDoer: ScriptedTurn = { role: "doer", turn: 1, calls: [edit("a - b", "a + b"), finish(WORK)] };

interface Driven {
  readonly run: Run;
  readonly events: readonly StoredEvent[];
  readonly world: Scenario;
  /** The text of a payload. */
  readonly text: (ref: { readonly sha256: string; readonly sizeBytes: number }) => string;
}

async function drive(
  options: Parameters<typeof scenario>[0],
  around: Parameters<Scenario["engine"]>[0] = {},
  control = listener(),
): Promise<Driven> {
  const world = scenario(options);
  const engine = await world.engine(around);
  const run = await engine.start(await world.spec(), control);
  const text = (ref: { readonly sha256: string; readonly sizeBytes: number }) =>
    new TextDecoder().decode(engine.store.blob(ref));
  return { run, events: engine.store.events(run.rid), world, text };
}

const ofType = <T extends StoredEvent["type"]>(events: readonly StoredEvent[], type: T) =>
  events.filter((event): event is Extract<StoredEvent, { type: T }> => event.type === type);
const file = (world: Scenario, run: Run, name: string) =>
  readFileSync(join(world.root, "results", run.rid, name), "utf8");

/** The first message of each conversation of a step. */
function prompts({ events, text }: Driven, stepId: string): readonly string[] {
  return ofType(events, "step.started").flatMap((event) =>
    event.stepId === stepId && event.prompt ? [JSON.parse(text(event.prompt)).user as string] : [],
  );
}

describe("a whole run", () => {
  test("leaves its artifacts, one commit on its branch, and the user's tree as it was", async () => {
    const driven = await drive({});
    const { run, world } = driven;
    expect(run).toMatchObject({ status: "succeeded", end: { exitCode: 0 } });
    expect(file(world, run, "PLAN.md")).toContain("Make sum add.");
    expect(file(world, run, "REVIEW.md")).toContain(`tree \`${run.tree}\``);
    expect(git(world.root, "rev-list", "--count", `main..ccp/${run.rid}`).trim()).toBe("1");
    expect(git(world.root, "status", "--porcelain")).toBe("");
    expect(readFileSync(join(world.root, "sum.mjs"), "utf8")).toBe(RED_PROJECT["sum.mjs"]);
    for (const name of ["PLAN.md", "Diff.patch", "REVIEW.md"])
      expect(readFileSync(join(world.root, "results", name), "utf8")).toBe(file(world, run, name));
    expect(JSON.parse(file(world, run, "run.json"))).toMatchObject({
      status: "succeeded",
      exit: 0,
      tree: run.tree,
      sandbox: { active: (await world.wiring.sandbox()).name },
    });
    expect(file(world, run, "events.ndjson").trimEnd().split("\n")).toHaveLength(driven.events.length);
  });

  test("checks are run once on the base, and planner and reviewer are told how it stood", async () => {
    const driven = await drive({});
    expect(ofType(driven.events, "command.finished").map(({ purpose, end }) => [purpose, end.exitCode])).toEqual([
      ["baseline", 1],
      ["step", 0],
    ]);
    expect(prompts(driven, "planner")[0]).toContain("already red before any change");
    expect(prompts(driven, "reviewer")[0]).toContain("already red before any change");
    expect(prompts(driven, "reviewer")[0]).toContain("`node check.mjs` ended with exit code 0");
    expect(prompts(driven, "reviewer")[0]).toContain("+export const sum = (a, b) => a + b;");
    expect(prompts(driven, "doer")[0]).toContain("Make sum add.");
  });

  test("every write is bracketed by the trees before and after it", async () => {
    const { events } = await drive({});
    const started = ofType(events, "tool.started").filter(({ tool }) => ["edit", "write", "bash"].includes(tool));
    const finished = ofType(events, "tool.finished").filter(({ tool }) => ["edit", "write", "bash"].includes(tool));
    expect(started.every(({ tree }) => tree !== null)).toBe(true);
    expect(started.slice(1).map(({ tree }) => tree)).toEqual(finished.slice(0, -1).map(({ treeAfter }) => treeAfter));
  });
});

describe("a step that fails", () => {
  test("sends the run back to its target, which is told why, and all after it is done again", async () => {
    const driven = await drive({
      turns: [
        planner,
        { role: "doer", conversation: 1, turn: 1, calls: [edit("a - b", "a * b * 2"), finish(WORK)] },
        { role: "doer", conversation: 2, turn: 1, calls: [edit("a * b * 2", "a + b"), finish(WORK)] },
        approve,
      ],
    });
    expect(driven.run.status).toBe("succeeded");
    expect(ofType(driven.events, "steps.reset")).toMatchObject([
      { from: "test", to: "doer", steps: ["doer", "test", "reviewer"] },
    ]);
    const [first, second] = prompts(driven, "doer");
    expect(first).not.toContain('Step "test" failed');
    expect(second).toContain('Step "test" failed (check-failed)');
    expect(second).toContain("2 + 2 is not 8");
    expect(ofType(driven.events, "step.started").filter(({ stepId }) => stepId === "planner")).toHaveLength(1);
  });

  test("after its ways back are used up the run fails, and everything is kept", async () => {
    const { run, world } = await drive({
      turns: [
        planner,
        {
          role: "doer",
          conversation: 1,
          turn: 1,
          calls: [call("write", { path: "new.txt", content: "x" }), finish(WORK)],
        },
        {
          role: "doer",
          conversation: 2,
          turn: 1,
          calls: [call("write", { path: "new2.txt", content: "y" }), finish(WORK)],
        },
        approve,
      ],
    });
    expect(run).toMatchObject({
      status: "failed",
      end: { exitCode: 1, reason: expect.stringContaining("check-failed") },
    });
    expect(file(world, run, "Diff.patch")).toContain("new2.txt");
    expect(git(world.root, "show", "--name-only", "--format=", `ccp/${run.rid}`).trim().split("\n")).toEqual([
      "new.txt",
      "new2.txt",
    ]);
  });

  test("a reviewer that rejects sends the doer back with its findings; a second rejection is the end", async () => {
    const driven = await drive({
      turns: [
        planner,
        { ...quickDoer, conversation: 1 },
        { role: "doer", conversation: 2, turn: 1, calls: [edit("a + b", "b + a"), finish(WORK)] },
        { role: "reviewer", turn: 1, calls: [finish(REJECTION)] },
      ],
    });
    expect(driven.run).toMatchObject({
      status: "failed",
      end: { exitCode: 1, reason: expect.stringContaining("rejected") },
    });
    expect(prompts(driven, "doer")[1]).toContain("wrong sign");
    expect(file(driven.world, driven.run, "REVIEW.md")).toContain("**request_changes**");
    expect(ofType(driven.events, "step.started").filter(({ stepId }) => stepId === "reviewer")).toHaveLength(2);
  });

  test("a doer that changed nothing has not done it; its next try is told so", async () => {
    const driven = await drive({
      pipeline: "pipeline:\n  - role: doer\n",
      turns: [
        { role: "doer", conversation: 1, turn: 1, calls: [finish(WORK)] },
        { ...quickDoer, conversation: 2 },
      ],
    });
    expect(driven.run.status).toBe("succeeded");
    expect(
      ofType(driven.events, "step.finished").map(({ outcome }) => (outcome.status === "failed" ? outcome.class : "ok")),
    ).toEqual(["no-change", "ok"]);
    expect(prompts(driven, "doer")[1]).toContain("no-change");
  });

  test("a doer that says it is blocked is not asked again", async () => {
    const { run, events } = await drive({
      pipeline: "pipeline:\n  - role: doer\n",
      turns: [{ role: "doer", turn: 1, calls: [finish({ ...WORK, status: "blocked", summary: "which sum?" })] }],
    });
    expect(run).toMatchObject({ status: "failed", end: { reason: expect.stringContaining("which sum?") } });
    expect(ofType(events, "step.started")).toHaveLength(1);
  });

  test("an approval with a blocker is refused and the reviewer may correct itself", async () => {
    const blocker = { ...APPROVAL, findings: [{ file: "sum.mjs", line: 1, severity: "blocker", reason: "no" }] };
    const { run } = await drive({
      turns: [
        planner,
        quickDoer,
        { role: "reviewer", turn: 1, calls: [finish(blocker)] },
        { role: "reviewer", turn: 2, calls: [finish(APPROVAL)] },
      ],
    });
    expect(run.status).toBe("succeeded");
  });
});

test("a doer that writes where git does not look is told that it will not be part of the result", async () => {
  const turns: readonly ScriptedTurn[] = [
    { role: "doer", turn: 1, calls: [call("write", { path: "scratch/x.mjs", content: "1" })] },
    { ...quickDoer, turn: 2 },
  ];
  const { events, text } = await drive({ pipeline: "pipeline:\n  - role: doer\n", turns });
  const [write] = ofType(events, "tool.finished");
  expect(text(write?.result as never)).toContain("it will not be part of the result");
});

describe("evidence", () => {
  const formatter = "  - id: spoil\n    run: echo 'export const sum = () => 5;' > sum.mjs\n    changes: keep\n";
  const gentle = "  - id: format\n    run: echo '// formatted' >> sum.mjs\n    changes: keep\n";
  const reviewed = "pipeline:\n  - role: doer\n  - id: test\n    run: node check.mjs\n  - role: reviewer\n";

  test("of another tree than the final one is void: what came after is judged before the run succeeds", async () => {
    const { run, events } = await drive({ pipeline: `${reviewed}${gentle}`, turns: [quickDoer, approve] });
    expect(run.status).toBe("succeeded");
    expect(ofType(events, "judgements.voided")).toMatchObject([{ steps: ["test", "reviewer"] }]);
    expect(stepState(run, "test").judgedTree).toBe(run.tree);
    expect(stepState(run, "reviewer").judgedTree).toBe(run.tree);
    expect(run.commands.at(-1)).toMatchObject({ tree: run.tree, end: { exitCode: 0 } });
  });

  test("a tree that was spoiled after its approval is no success", async () => {
    const { run } = await drive({ pipeline: `${reviewed}${formatter}`, turns: [quickDoer, approve] });
    expect(run).toMatchObject({ status: "failed", end: { exitCode: 1 } });
    expect(stepState(run, "test").status).toBe("failed");
  });

  test("an until check that was green must be green on the final tree", async () => {
    const until = "pipeline:\n  - role: doer\n    until: { run: node check.mjs }\n";
    const good = await drive({ pipeline: `${until}${gentle}`, turns: [quickDoer] });
    expect(good.run.status).toBe("succeeded");
    expect(good.run.commands.at(-1)).toMatchObject({ purpose: "final", tree: good.run.tree });
    const bad = await drive({ pipeline: `${until}${formatter}`, turns: [quickDoer] });
    expect(bad.run).toMatchObject({
      status: "failed",
      end: { reason: expect.stringContaining("red on the final tree") },
    });
  });

  test("a reviewer is shown checks of the tree that it reviews", async () => {
    const pipeline = `pipeline:\n  - role: doer\n  - id: test\n    run: node check.mjs\n${gentle}  - role: reviewer\n`;
    const driven = await drive({ pipeline, turns: [quickDoer, approve] });
    expect(driven.run.status).toBe("succeeded");
    expect(prompts(driven, "reviewer")).toHaveLength(1);
    expect(prompts(driven, "reviewer")[0]).toContain("`node check.mjs` ended with exit code 0");
  });
});

describe("until", () => {
  const pipeline = "pipeline:\n  - role: doer\n    until: { run: node check.mjs, attempts: 2 }\n";
  const wrong: ScriptedTurn = { role: "doer", turn: 1, calls: [edit("a - b", "a * b * 2"), finish(WORK)] };

  test("a red check takes the finish back: the same conversation goes on with the output", async () => {
    const driven = await drive({
      pipeline,
      turns: [wrong, { role: "doer", turn: 2, calls: [edit("a * b * 2", "a + b"), finish(WORK)] }],
    });
    expect(driven.run.status).toBe("succeeded");
    const said = ofType(driven.events, "message.added");
    expect(said).toMatchObject([{ why: "check-failed" }]);
    expect(driven.text(said[0]?.text as never)).toContain("2 + 2 is not 8");
    expect(ofType(driven.events, "step.started")).toHaveLength(1);
  });

  test("a check that stays red fails the try", async () => {
    const { run, events } = await drive({
      pipeline: pipeline.replace("- role: doer\n", "- role: doer\n    attempts: 1\n"),
      turns: [wrong, { role: "doer", turn: 2, calls: [edit("a * b * 2", "a * b * 3"), finish(WORK)] }],
    });
    expect(run.end?.reason).toContain("check-failed");
    expect(ofType(events, "command.finished").filter(({ purpose }) => purpose === "until")).toHaveLength(2);
  });
});

describe("commands", () => {
  test("what a command leaves behind is discarded, unless its step keeps it", async () => {
    const pipeline =
      "pipeline:\n  - id: litter\n    run: echo x > litter.txt\n  - id: generate\n    run: echo y > made.txt\n    changes: keep\n";
    const { run, world } = await drive({ pipeline, turns: [] });
    expect(run.status).toBe("succeeded");
    expect(file(world, run, "Diff.patch")).toContain("made.txt");
    expect(file(world, run, "Diff.patch")).not.toContain("litter.txt");
  });

  test("a command sees inputs as values and outputs of steps as files, and secrets only where its step names them", async () => {
    const pipeline = `
inputs:
  who: { type: string, default: "a 'b' $(id)" }
pipeline:
  - id: one
    run: printf '%s|%s' "$CCP_INPUT_WHO" "\${TOKEN_X:-none}"
  - id: two
    run: cat "$CCP_STEP_ONE_OUTPUT_FILE"; printf '|%s' "$TOKEN_X"
    env: [TOKEN_X]
    artifact: two.txt
`;
    const { run, world } = await drive(
      { pipeline, turns: [] },
      { variables: { TOKEN_X: "s3cr3t-value-1" }, secrets: ["s3cr3t-value-1"] },
    );
    expect(run.status).toBe("succeeded");
    expect(file(world, run, "steps/one.txt")).toBe("a 'b' $(id)|none");
    expect(file(world, run, "two.txt")).toBe("a 'b' $(id)|none|[redacted by ccp]");
  });

  test("a command that runs out of time fails its step, and nothing of it survives", async () => {
    const { run, world } = await drive({
      pipeline: "pipeline:\n  - id: slow\n    run: sleep 600 & sleep 600\n    timeout: 1s\n",
      turns: [],
    });
    expect(run.end?.reason).toContain("timeout");
    const workspace = (await world.wiring.repository()).openWorkspace(run.rid, run.workspace?.path ?? "");
    expect(await workspace.killSurvivors()).toBe(0);
  });

  test("the set-up runs once, before the first step; if it fails nothing was paid for", async () => {
    const good = await drive({
      pipeline:
        "workspace: { setup: mkdir -p scratch && echo 1 >> scratch/setup }\npipeline:\n  - id: look\n    run: cat scratch/setup\n",
      turns: [],
    });
    expect(file(good.world, good.run, "steps/look.txt")).toBe("1\n");
    const bad = await drive({
      pipeline: "workspace: { setup: echo broken >&2; exit 3 }\npipeline:\n  - role: doer\n",
      turns: [quickDoer],
    });
    expect(bad.run).toMatchObject({
      status: "failed",
      end: { exitCode: 1, reason: expect.stringContaining("broken") },
    });
    expect(ofType(bad.events, "call.reserved")).toEqual([]);
  });
});

describe("order", () => {
  test("readers run side by side, a step that can change the tree runs alone", async () => {
    const pipeline = `
pipeline:
  - { id: a, role: planner, needs: [] }
  - { id: b, role: planner, needs: [] }
  - { id: c, role: doer, needs: [a, b] }
  - { id: d, role: doer, needs: [a, b] }
`;
    const slow = (step: string): ScriptedTurn => ({ step, turn: 1, delay_ms: 50, calls: [finish(PLAN)] });
    const { run, events } = await drive({
      pipeline,
      turns: [
        slow("a"),
        slow("b"),
        { step: "c", turn: 1, calls: [edit("a - b", "a + b"), finish(WORK)] },
        { step: "d", turn: 1, calls: [call("write", { path: "d.txt", content: "d" }), finish(WORK)] },
      ],
    });
    expect(run.status).toBe("succeeded");
    const order = events.flatMap((event) =>
      event.type === "step.started" || event.type === "step.finished"
        ? [`${event.type === "step.started" ? "+" : "-"}${event.stepId}`]
        : [],
    );
    expect(order.slice(0, 2)).toEqual(["+a", "+b"]);
    expect(order.slice(4)).toEqual(["+c", "-c", "+d", "-d"]);
  });
});

describe("what ccp cannot go on with", () => {
  test("ends the drive, though another step waits for the money that the broken one holds", async () => {
    const pipeline = `
budget: { tokens: 100000 }
roles: { planner: { budget: { tokens: 12600 } } }
pipeline:
  - { id: a, role: planner, needs: [] }
  - { id: b, role: planner, needs: [] }
`;
    const world = scenario({ pipeline, turns: [planner] });
    const hasStarted = (step: string) => (event: StoredEvent) => event.type === "step.started" && event.stepId === step;
    const { promise: waiting, resolve } = Promise.withResolvers<void>();
    const onEvent = (event: StoredEvent) => void (hasStarted("b")(event) && setImmediate(resolve));
    const broken = waiting.then((): never => {
      throw new Error("no disk under the spool");
    });
    const send: Models["send"] = async function* () {
      yield await broken;
    };
    const engine = await world.engine({ models: (models) => ({ ...models, send }) });
    await expect(engine.start(await world.spec(), listener({ onEvent }))).rejects.toThrow("no disk under the spool");
    const [run] = engine.store.runs();
    expect(ofType(engine.store.events(run?.rid ?? ""), "call.reserved")).toHaveLength(1);
  });

  test("files of an earlier end are not taken for those of the last one: a crash came before they were written", async () => {
    const pipeline = "pipeline:\n  - id: red\n    run: 'false'\n";
    const world = scenario({ pipeline, turns: [] });
    const engine = await world.engine();
    const failed = await engine.start(await world.spec(), listener());
    const folder = join(world.root, "results", failed.rid);
    const earlier = ["run.json", "events.ndjson"].map((name) => [name, readFileSync(join(folder, name))] as const);
    const again = await engine.resume(failed.rid, { budget: null, routes: {}, pipeline: null }, listener());
    const whole = file(world, again, "run.json");
    for (const [name, bytes] of earlier) writeFileSync(join(folder, name), bytes);
    const latest = join(folder, "..", "Diff.patch");
    rmSync(latest);
    engine.mendRecords(again.rid);
    expect(existsSync(latest)).toBe(true);
    expect(file(world, again, "run.json")).toBe(whole);
    expect(file(world, again, "events.ndjson").trim().split("\n")).toHaveLength(again.seq);
  });
});

/** A run that somebody asked to pause when its first edit was done. */
async function pausedAfterAnEdit(world: Scenario) {
  const engine = await world.engine();
  let pause = false;
  const onEvent = (event: StoredEvent) => {
    if (event.type === "tool.finished" && event.tool === "edit") pause = true;
  };
  const control = { signal: new AbortController().signal, pauseRequested: () => pause, exitCode: () => 130 as const };
  return { engine, paused: await engine.start(await world.spec(), listener({ onEvent, control })) };
}

describe("stopping and going on", () => {
  const turns: readonly ScriptedTurn[] = MENDING;

  test("a pause comes at the next boundary, keeps the work, and the conversation goes on where it was", async () => {
    const world = scenario({ turns });
    const { engine, paused } = await pausedAfterAnEdit(world);
    expect(paused).toMatchObject({ status: "paused", end: { exitCode: 130 } });
    expect(stepState(paused, "doer").status).toBe("interrupted");
    expect(file(world, paused, "Diff.patch")).toContain("a * b * 2");
    const calls = stepState(paused, "doer").calls ?? 0;
    const run = await engine.resume(paused.rid, { budget: null, routes: {}, pipeline: null }, listener());
    expect(run.status).toBe("succeeded");
    expect(stepState(run, "doer")).toMatchObject({ conversation: 1, calls: 4 });
    expect(calls).toBeLessThan(4);
  });

  test("a stop cuts the call that is under way, which is lost and said so", async () => {
    const world = scenario({ pipeline: "pipeline:\n  - role: doer\n", turns: [{ ...quickDoer, delay_ms: 60_000 }] });
    const engine = await world.engine();
    const abort = new AbortController();
    const control = { signal: abort.signal, pauseRequested: () => false, exitCode: () => 143 as const };
    const onEvent = (event: StoredEvent) => {
      if (event.type === "call.reserved") setImmediate(() => abort.abort());
    };
    const stopped = await engine.start(await world.spec(), listener({ onEvent, control }));
    expect(stopped).toMatchObject({ status: "paused", end: { exitCode: 143 } });
    expect(stepState(stopped, "doer").lostCalls).toBe(1);
  });

  test("a run out of tokens stops before the next call and goes on with more, paying nothing twice", async () => {
    const world = scenario({
      pipeline: `budget: { tokens: 24000 }\nroles:\n  doer: { budget: { tokens: 24000 } }\npipeline:\n  - role: doer\n`,
      turns: [
        { role: "doer", turn: 1, calls: [edit("a - b", "a + b")], usage: { input: 18_000, output: 500 } },
        { role: "doer", turn: 2, calls: [finish(WORK)] },
      ],
    });
    const engine = await world.engine();
    const stopped = await engine.start(await world.spec(), listener());
    expect(stopped).toMatchObject({
      status: "budget_reached",
      end: { exitCode: 5, reason: expect.stringContaining("so it was not made") },
    });
    expect(
      ofType(engine.store.events(stopped.rid), "budget.warned").map(({ scope, percent }) => `${scope} ${percent}`),
    ).toContain("run 75");
    const run = await engine.resume(
      stopped.rid,
      { budget: { maxTokens: 60_000 }, routes: {}, pipeline: null },
      listener(),
    );
    expect(run.status).toBe("succeeded");
    expect(stepState(run, "doer")).toMatchObject({ calls: 2, conversation: 1 });
  });

  test("a run whose time is up stops, and goes on with more of it", async () => {
    const world = scenario({
      pipeline: "budget: { minutes: 0.02 }\npipeline:\n  - id: slow\n    run: test -e scratch/go || sleep 600\n",
      turns: [],
    });
    const engine = await world.engine();
    const stopped = await engine.start(await world.spec(), listener());
    expect(stopped).toMatchObject({ status: "budget_reached", end: { exitCode: 5 } });
    // Not by the command itself: however far it came, the next one is not to wait.
    mkdirSync(join(stopped.workspace?.path ?? "", "scratch"), { recursive: true });
    writeFileSync(join(stopped.workspace?.path ?? "", "scratch", "go"), "");
    const run = await engine.resume(
      stopped.rid,
      { budget: { maxDurationMs: 600_000 }, routes: {}, pipeline: null },
      listener(),
    );
    expect(run.status).toBe("succeeded");
  });

  test("a run that failed goes on at the step where it was, with fresh tries", async () => {
    const world = scenario({
      pipeline: "pipeline:\n  - id: one\n    run: 'true'\n  - id: flaky\n    run: test -e scratch/ok\n",
      turns: [],
    });
    const engine = await world.engine();
    const failed = await engine.start(await world.spec(), listener());
    expect(failed.status).toBe("failed");
    const { mkdirSync } = await import("node:fs");
    mkdirSync(join(failed.workspace?.path ?? "", "scratch"), { recursive: true });
    writeFileSync(join(failed.workspace?.path ?? "", "scratch", "ok"), "");
    const run = await engine.resume(failed.rid, { budget: null, routes: {}, pipeline: null }, listener());
    expect(run.status).toBe("succeeded");
    expect(stepState(run, "one").conversation).toBe(1);
    await expect(
      engine.resume(run.rid, { budget: null, routes: {}, pipeline: null }, listener()),
    ).rejects.toMatchObject({
      code: "already_succeeded",
      exitCode: 2,
    });
  });

  test("what is undone after a stop in the middle of a command is kept as a patch", async () => {
    const world = scenario({
      pipeline: "pipeline:\n  - id: slow\n    run: test -e scratch/go || sleep 600\n",
      turns: [],
    });
    const engine = await world.engine();
    const abort = new AbortController();
    const control = { signal: abort.signal, pauseRequested: () => false, exitCode: () => 130 as const };
    const onEvent = (event: StoredEvent) => {
      if (event.type === "command.started") setImmediate(() => abort.abort());
    };
    const stopped = await engine.start(await world.spec(), listener({ onEvent, control }));
    const path = stopped.workspace?.path ?? "";
    mkdirSync(join(path, "scratch"), { recursive: true });
    writeFileSync(join(path, "scratch", "go"), "");
    writeFileSync(join(path, "mine.txt"), "by hand\n");
    const run = await engine.resume(stopped.rid, { budget: null, routes: {}, pipeline: null }, listener());
    expect(run.status).toBe("succeeded");
    const [restored] = ofType(engine.store.events(run.rid), "workspace.restored");
    expect(file(world, run, restored?.kept ?? "")).toContain("+by hand");
    expect(existsSync(join(path, "mine.txt"))).toBe(false);
  });

  test("a worktree that somebody removed is made again from what is on record", async () => {
    const world = scenario({ turns });
    const { engine, paused } = await pausedAfterAnEdit(world);
    rmSync(paused.workspace?.path ?? "", { recursive: true });
    const run = await engine.resume(paused.rid, { budget: null, routes: {}, pipeline: null }, listener());
    expect(run.status).toBe("succeeded");
    expect(file(world, run, "Diff.patch")).toContain("a + b");
  });

  test("what a person changed in the worktree of a paused run is neither lost nor credited to a review", async () => {
    const world = scenario({ turns: [planner, quickDoer, { ...approve, delay_ms: 1 }] });
    const engine = await world.engine();
    const onEvent = (event: StoredEvent, run: Run) => {
      if (event.type === "tool.started" && event.tool === "finish" && event.stepId === "reviewer")
        writeFileSync(join(run.workspace?.path ?? "", "mine.txt"), "by hand\n");
    };
    const run = await engine.start(await world.spec(), listener({ onEvent }));
    expect(
      ofType(engine.store.events(run.rid), "step.finished").map(({ outcome }) =>
        outcome.status === "failed" ? outcome.class : "ok",
      ),
    ).toContain("stale");
    expect(existsSync(join(run.workspace?.path ?? "", "mine.txt"))).toBe(true);
  });
});

describe("a worktree that a person has worked in between two drives", () => {
  const wrong: ScriptedTurn = { role: "doer", turn: 1, calls: [edit("a - b", "a * b * 2"), finish(WORK)] };

  test("is what its check judges and its patch holds: a green check never vouches for other files", async () => {
    const pipeline = "pipeline:\n  - role: doer\n  - id: test\n    run: node check.mjs\n";
    const world = scenario({ pipeline, turns: [wrong] });
    const engine = await world.engine();
    const failed = await engine.start(await world.spec(), listener());
    expect(failed.status).toBe("failed");
    const byHand = "export const sum = (a, b) => a + b;\n";
    writeFileSync(join(failed.workspace?.path ?? "", "sum.mjs"), byHand);
    const run = await engine.resume(failed.rid, { budget: null, routes: {}, pipeline: null }, listener());
    expect(run.status).toBe("succeeded");
    expect(readFileSync(join(run.workspace?.path ?? "", "sum.mjs"), "utf8")).toBe(byHand);
    expect(file(world, run, "Diff.patch")).toContain("+export const sum = (a, b) => a + b;");
    expect(run.commands.at(-1)).toMatchObject({ tree: run.tree, end: { exitCode: 0 } });
  });

  test("is checked again: what was green before the change says nothing of it", async () => {
    const pipeline = "pipeline:\n  - role: doer\n  - id: test\n    run: node check.mjs\n  - role: reviewer\n";
    const reject: ScriptedTurn = { role: "reviewer", turn: 1, calls: [finish(REJECTION)] };
    const world = scenario({ pipeline, turns: [quickDoer, reject] });
    const engine = await world.engine();
    const failed = await engine.start(await world.spec(), listener());
    expect(stepState(failed, "test").status).toBe("succeeded");
    writeFileSync(join(failed.workspace?.path ?? "", "sum.mjs"), "export const sum = () => 5;\n");
    const run = await engine.resume(failed.rid, { budget: null, routes: {}, pipeline: null }, listener());
    expect(run).toMatchObject({ status: "failed", end: { exitCode: 1 } });
    expect(stepState(run, "test").status).toBe("failed");
    expect(ofType(engine.store.events(run.rid), "workspace.edited")).toHaveLength(1);
    expect(ofType(engine.store.events(run.rid), "judgements.voided")).toMatchObject([{ steps: ["test"] }]);
  });
});

test("what a tool did until its step's time was up is kept and on record, for nothing will undo it", async () => {
  const pipeline = "pipeline:\n  - role: doer\n    timeout: 1s\n";
  const command = "echo half > half.txt; sleep 30";
  const { run, world } = await drive({
    pipeline,
    turns: [{ role: "doer", turn: 1, calls: [call("bash", { command })] }],
  });
  expect(stepState(run, "doer").outcome).toMatchObject({ status: "failed", class: "timeout" });
  expect(run.openTools).toEqual({});
  expect(file(world, run, "Diff.patch")).toContain("+half");
});

describe("models that fail", () => {
  /** Answers every request to `broken` with a failure; asks the real provider for the rest. */
  const breaking =
    (failure: object) =>
    (models: Models): Models => ({
      ...models,
      facts: (ref) =>
        ref.provider === "broken"
          ? { ref, price: FREE, contextWindow: null, maxOutputTokens: 1000, local: true, scripted: true }
          : models.facts(ref),
      send: (request, options) =>
        request.model.provider === "broken" ? failing(failure) : models.send(request, options),
    });
  /** A run of the doer alone, by another route. */
  async function doerOnly(world: Scenario, route: (models: readonly string[]) => readonly string[]) {
    const spec = await world.spec();
    const doer = spec.pipeline.roles.doer as Role;
    const steps = spec.pipeline.steps.filter((step) => step.id === "doer").map((step) => ({ ...step, needs: [] }));
    return { ...spec, pipeline: { ...spec.pipeline, steps, roles: { doer: { ...doer, models: route(doer.models) } } } };
  }
  async function* failing(failure: object) {
    yield {
      type: "failed",
      usage: null,
      providerCostNanos: null,
      failure: {
        class: "overloaded",
        message: "busy",
        httpStatus: 529,
        retryAfterMs: null,
        mayBeBilled: false,
        ...failure,
      },
    } as const;
  }

  test("another candidate answers when one is down, and every attempt is on record", async () => {
    const world = scenario({ turns: [quickDoer] });
    const engine = await world.engine({ models: breaking({}) });
    const run = await engine.start(await doerOnly(world, (models) => ["broken/x", ...models]), listener());
    expect(run.status).toBe("succeeded");
    const settled = ofType(engine.store.events(run.rid), "call.settled");
    expect(settled.map(({ model, result }) => `${model.split("/")[0]} ${result.type}`)).toEqual([
      "broken failed",
      "broken failed",
      "broken failed",
      "scripted answered",
    ]);
  });

  test.each([
    [{}, "provider_down", 6],
    [{ class: "auth" }, "blocked", 4],
    [{ class: "quota" }, "provider_down", 6],
    [{ class: "invalid" }, "failed", 1],
  ])("with nobody left after %s the run is %s, exit %i", async (failure, status, exitCode) => {
    const world = scenario({ turns: [quickDoer] });
    const engine = await world.engine({ models: breaking(failure) });
    const run = await engine.start(await doerOnly(world, () => ["broken/x"]), listener());
    expect(run).toMatchObject({ status, end: { exitCode } });
  });
});

test("FULL_PIPELINE is what the other tests think it is", async () => {
  const world = scenario({ pipeline: FULL_PIPELINE });
  expect((await world.spec()).pipeline.steps.map(({ id }) => id)).toEqual(["planner", "doer", "test", "reviewer"]);
});

describe("a role that only reads and has changed files all the same", () => {
  test("fails by name, and the files are put back", async () => {
    const pipeline = `
mcp: { notes: { command: [unused] } }
roles: { reviewer: { mcp: [notes] } }
pipeline: [{ role: doer }, { role: reviewer, attempts: 1 }]
`;
    const use: ScriptedTurn = { role: "reviewer", turn: 1, calls: [call("mcp_call", { tool: "notes/add" })] };
    const turns = [quickDoer, use, { ...approve, turn: 2 }];
    // A server in the place of one that no sandbox holds.
    const servers: ToolServers = {
      open: (_, { workspace }) => ({
        list: async () => [
          { server: "notes", tools: [{ name: "add", description: "", parameters: { type: "object" } }] },
        ],
        async call() {
          writeFileSync(join(workspace.path, "note.txt"), "a note\n");
          return { ok: true, text: "noted" };
        },
        end: async () => undefined,
      }),
    };
    const { run, events } = await drive({ pipeline, turns }, { servers });
    expect(run.end).toMatchObject({
      status: "failed",
      reason: expect.stringContaining("the reviewer changed files, which it may not: note.txt"),
    });
    expect(ofType(events, "step.finished").at(-1)?.outcome).toMatchObject({ class: "tree-changed" });
    expect(run.tree).toBe(ofType(events, "step.finished")[0]?.tree);
    expect(existsSync(join(run.workspace?.path ?? "", "note.txt"))).toBe(false);
  });
});
