import { describe, expect, test } from "vitest";
import type { AgentStep, ShellStep } from "../../src/core/pipeline.ts";
import { load } from "./context.ts";

const SHORTEST = "pipeline:\n  - role: planner\n  - role: doer\n  - role: reviewer\n";

describe("the shortest file", () => {
  const { pipeline, inputs, warnings, missingModels } = load(SHORTEST);

  test("is planner, doer and reviewer, one after the other", () => {
    expect(pipeline.steps.map(({ id, needs }) => ({ id, needs }))).toEqual([
      { id: "planner", needs: [] },
      { id: "doer", needs: ["planner"] },
      { id: "reviewer", needs: ["doer"] },
    ]);
    expect({ inputs, warnings, missingModels }).toEqual({ inputs: {}, warnings: [], missingModels: [] });
  });

  test("leaves PLAN.md and REVIEW.md", () => {
    expect(pipeline.steps.map((step) => step.artifact)).toEqual(["PLAN.md", null, "REVIEW.md"]);
  });

  test("has two dollars and half an hour, a quarter of the money each for planner and reviewer", () => {
    expect(pipeline.budget).toEqual({ maxCostNanos: 2e9, maxDurationMs: 1_800_000 });
    expect(pipeline.roles.planner?.budget).toEqual({ maxCostNanos: 0.5e9 });
    expect(pipeline.roles.doer?.budget).toEqual({ maxCostNanos: 1e9 });
    expect(pipeline.roles.reviewer?.budget).toEqual({ maxCostNanos: 0.5e9 });
  });

  test("lets only the doer change anything", () => {
    const reading = ["read", "ls", "glob", "grep", "todo", "finish"];
    expect(pipeline.roles.planner?.tools).toEqual(reading);
    const reviewing = ["read", "ls", "glob", "grep", "diff", "todo", "finish"];
    expect(pipeline.roles.reviewer?.tools).toEqual(reviewing);
    expect(pipeline.roles.doer?.tools).toEqual([
      "read",
      "ls",
      "glob",
      "grep",
      "edit",
      "apply_patch",
      "write",
      "bash",
      "job_output",
      "job_kill",
      "diff",
      "todo",
      "finish",
    ]);
  });

  test("checks after edits have 20 s, unless they say otherwise, and are not there where none are", () => {
    const checks = '[{files: "*.ts", run: tsc}, {files: "src/**", run: lint, timeout: 2m}]';
    const loaded = load(`roles: {doer: {edit_checks: ${checks}}}\npipeline: [{role: doer}]\n`);
    expect(loaded.ok && loaded.pipeline.roles.doer?.editChecks).toEqual([
      { files: "*.ts", command: "tsc", timeoutMs: 20_000 },
      { files: "src/**", command: "lint", timeoutMs: 120_000 },
    ]);
    expect(pipeline.roles.doer).not.toHaveProperty("editChecks");
  });

  test("is called after its file, runs in the sandbox that is there, and brings what the project needs", () => {
    expect(pipeline.name).toBe("p");
    expect(pipeline.sandbox).toBe("auto");
    expect(pipeline.workspace).toEqual({ copy: ["node_modules"], setup: null });
  });

  test("asks again after a call that was lost", () => {
    expect(pipeline.onLostCall).toBe("retry");
    expect(load(`on_lost_call: stop\n${SHORTEST}`).pipeline.onLostCall).toBe("stop");
  });

  test("carries its prompts and messages with it", () => {
    expect(pipeline.roles.doer?.prompt).toContain("You are the doer.");
    expect(pipeline.messages.nudge).toContain("`finish`");
    expect(Object.keys(pipeline.messages)).not.toContain("messages/nudge");
  });
});

describe("what a file says is what is done", () => {
  test("every key of an agent's step", () => {
    const text = [
      "inputs: {test: {type: command, default: make check}}",
      "pipeline:",
      "  - role: doer",
      "    id: build",
      "    prompt: Be brief.",
      "    artifact: WORK.md",
      "    timeout: 90s",
      "    attempts: 5",
      "    env: [TOKEN]",
      "    until: { run: { input: test }, attempts: 7 }",
      "    on_failure: { back_to: build, attempts: 4 }",
    ].join("\n");
    expect(load(text).pipeline.steps).toEqual([
      {
        kind: "agent",
        id: "build",
        needs: [],
        role: "doer",
        prompt: "Be brief.",
        artifact: "WORK.md",
        timeoutMs: 90_000,
        attempts: 5,
        env: ["TOKEN"],
        until: { command: { kind: "input", name: "test" }, attempts: 7 },
        onFailure: { backTo: "build", attempts: 4 },
      },
    ]);
  });

  test("every key of a command's step", () => {
    const text = [
      "pipeline:",
      "  - run: npm run format",
      "    changes: keep",
      "    check: true",
      "    timeout: 2h",
      "    artifact: format.log",
    ].join("\n");
    expect(load(text).pipeline.steps).toEqual([
      {
        kind: "shell",
        id: "run",
        needs: [],
        command: { kind: "text", text: "npm run format" },
        changes: "keep",
        check: true,
        artifact: "format.log",
        timeoutMs: 7_200_000,
        attempts: 1,
        env: [],
        onFailure: null,
      },
    ]);
  });

  test("tries are two for an agent, one for a command, three for a check, one for a way back", () => {
    const text = "pipeline:\n  - role: doer\n    until: {run: ls}\n  - run: ls\n    on_failure: {back_to: doer}\n";
    const [doer, run] = load(text).pipeline.steps as readonly [AgentStep, ShellStep];
    expect([doer.attempts, doer.until?.attempts, run.attempts, run.onFailure?.attempts]).toEqual([2, 3, 1, 1]);
    expect([doer.timeoutMs, run.timeoutMs]).toEqual([null, null]);
  });

  test("every key of a role", () => {
    const text = [
      "budget: { usd: none, tokens: 1000, minutes: 0.5 }",
      "workspace: { copy: [.venv], setup: make deps }",
      "sandbox: required",
      "roles:",
      "  doer:",
      "    models: openai/gpt-5.5",
      "    tools: [bash, read]",
      "    permissions: [{ tool: bash, match: 'git *', effect: deny, reason: ccp commits }]",
      "    budget: { usd: 1, tokens: none }",
      "    max_turns: 7",
      "    escalation: { models: anthropic/claude-opus-5, limit: 3, confidence: 0.2 }",
      "pipeline: [{ role: doer }]",
    ].join("\n");
    const { budget, workspace, sandbox, roles } = load(text).pipeline;
    expect({ budget, workspace, sandbox }).toEqual({
      budget: { maxTokens: 1000, maxDurationMs: 30_000 },
      workspace: { copy: [".venv"], setup: "make deps" },
      sandbox: "required",
    });
    expect(roles).toEqual({
      doer: {
        name: "doer",
        prompt: expect.stringContaining("You are the doer."),
        models: ["openai/gpt-5.5"],
        tools: ["read", "bash", "job_output", "job_kill", "finish"],
        permissions: [{ tool: "bash", match: "git *", effect: "deny", reason: "ccp commits" }],
        budget: { maxCostNanos: 1e9 },
        maxTurns: 7,
        escalation: {
          models: ["anthropic/claude-opus-5"],
          isDefault: false,
          limit: 3,
          diagnose: false,
          confidence: 0.2,
          uncertainty: 0.7,
        },
      },
    });
  });

  test("a role's own prompt stands in the place of the built-in one", () => {
    const text = "roles: {doer: {prompt: prompts/d.md}}\npipeline: [{role: doer}]\n";
    const asked: string[] = [];
    const readPrompt = (path: string) => {
      asked.push(path);
      return "Do as you are told.";
    };
    expect(load(text, { readPrompt }).pipeline.roles.doer?.prompt).toBe("Do as you are told.");
    expect(asked).toEqual(["prompts/d.md"]);
  });

  test("a name in the file wins over the file's name", () => {
    expect(load(`name: fix\n${SHORTEST}`).pipeline.name).toBe("fix");
  });
});

describe("steps", () => {
  test("without names are told apart, and so are their documents", () => {
    const text = "pipeline: [{role: doer}, {role: reviewer}, {run: ls}, {role: reviewer}, {run: ls}, {role: doer}]";
    const { steps } = load(text).pipeline;
    expect(steps.map((step) => step.id)).toEqual(["doer", "reviewer", "run", "reviewer-2", "run-2", "doer-2"]);
    expect(steps.map((step) => step.artifact)).toEqual([null, "REVIEW.md", null, "reviewer-2.md", null, null]);
  });

  test("stand in the order in which they can be done, otherwise in that of the file", () => {
    const text = [
      "pipeline:",
      "  - { id: last, run: ls, needs: [left, right] }",
      "  - { id: right, run: ls, needs: first }",
      "  - { id: left, run: ls, needs: [first] }",
      "  - { id: free, run: ls, needs: [] }",
      "  - { id: first, run: ls, needs: [] }",
    ].join("\n");
    expect(load(text).pipeline.steps.map((step) => step.id)).toEqual(["free", "first", "right", "left", "last"]);
  });

  test.each<[string, string, boolean]>([
    ["a command that the project's tests are", "{id: x, run: {input: suite}}", true],
    ["a step that is called test", "{id: test, run: make}", true],
    ["a step that is called tests", "{id: tests, run: make}", true],
    ["any other command", "{id: lint, run: make}", false],
    ["a command that the user gives otherwise", "{id: x, run: {input: other}}", false],
    ["a step called test that says no", "{id: test, run: make, check: false}", false],
    ["a command that says yes", "{id: lint, run: make, check: true}", true],
  ])("%s: a check or not", (_, step, check) => {
    const inputs = "inputs: {suite: {type: command, detect: test}, other: {type: command, default: ls}}";
    expect(load(`${inputs}\npipeline: [${step}]`).pipeline.steps[0]).toMatchObject({ check });
  });
});

describe("a budget", () => {
  test("of a flag wins over the file's, ceiling by ceiling", () => {
    const text = `budget: {usd: 5, minutes: 10}\n${SHORTEST}`;
    const { budget, roles } = load(text, { budget: { maxCostNanos: 1e9, maxTokens: 400 } }).pipeline;
    expect(budget).toEqual({ maxCostNanos: 1e9, maxTokens: 400, maxDurationMs: 600_000 });
    expect(roles.planner?.budget).toEqual({ maxCostNanos: 0.25e9, maxTokens: 100 });
  });

  test("of a role never exceeds the run's, also when a flag lowers that", () => {
    const text = `budget: {usd: 5}\nroles: {doer: {budget: {usd: 4}}}\n${SHORTEST}`;
    expect(load(text, { budget: { maxCostNanos: 1e9 } }).pipeline.roles.doer?.budget).toEqual({ maxCostNanos: 1e9 });
  });

  test("of a role may be deliberately that of the run alone", () => {
    const text = `roles: {doer: {budget: {usd: none}}}\n${SHORTEST}`;
    expect(load(text).pipeline.roles.doer?.budget).toEqual({});
  });

  test("goes to the doer whole when it is alone", () => {
    expect(load("pipeline: [{role: doer}]").pipeline.roles.doer?.budget).toEqual({ maxCostNanos: 2e9 });
  });
});
