import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { referencesOf } from "../../src/core/template.ts";
import { checkTemplates, TEMPLATE_NAMES, TEMPLATE_PLACEHOLDERS } from "../../src/pipeline/templates.ts";
import { CONTEXT, load, ROOT, shippedTemplates } from "./context.ts";

const read = (...path: readonly string[]) => readFileSync(join(ROOT, ...path), "utf8");

describe("the pipelines that ccp ships", () => {
  const files = readdirSync(join(ROOT, "pipelines"));

  test("are these", () => {
    expect(files.sort()).toEqual(["plan-build-review.yaml", "plan-build-test-review.yaml", "quick-fix.yaml"]);
  });

  test.each(files)("%s loads without a warning, under its own name, and tells editors its schema", (file) => {
    const text = read("pipelines", file);
    const { pipeline, warnings } = load(text);
    expect(`${pipeline.name}.yaml`).toBe(file);
    expect(pipeline.description).not.toBeNull();
    expect(warnings).toEqual([]);
    expect(text).toMatch(/^# yaml-language-server: \$schema=\.\.\/schemas\/pipeline\.schema\.json\n/);
  });

  test("plan-build-test-review: tests that ccp runs stand between doer and reviewer, and both can send the work back", () => {
    const { steps } = load(read("pipelines", "plan-build-test-review.yaml")).pipeline;
    expect(steps.map(({ id, onFailure }) => [id, onFailure])).toEqual([
      ["planner", null],
      ["doer", null],
      ["test", { backTo: "doer", attempts: 2 }],
      ["reviewer", { backTo: "doer", attempts: 1 }],
    ]);
    expect(steps[2]).toMatchObject({
      kind: "shell",
      check: true,
      changes: "discard",
      command: { kind: "input", name: "test" },
    });
  });

  test("quick-fix: the tests decide when the doer is done", () => {
    const { steps } = load(read("pipelines", "quick-fix.yaml")).pipeline;
    expect(steps).toMatchObject([{ role: "doer", until: { command: { kind: "input", name: "test" }, attempts: 3 } }]);
  });

  test("a run without tests and without a test command needs plan-build-review", () => {
    const project = { testCommand: null, testCommandSource: null, copy: [], setup: null };
    expect(load(read("pipelines", "plan-build-review.yaml"), { project }).inputs).toEqual({});
  });
});

describe("what `ccp init` writes", () => {
  const fill = (setup: string) =>
    read("templates", "pipeline.yaml")
      .replaceAll("@@TEST@@", JSON.stringify('npm test -- "a: b"'))
      .replaceAll("@@COPY@@", JSON.stringify(["node_modules", ".env"]))
      .replaceAll("@@SETUP@@", setup);

  test.each([['setup: "npm ci"'], ["# setup: npm ci"]])(
    "loads without a warning, whatever is filled in: %s",
    (setup) => {
      const { pipeline, inputs, warnings } = load(fill(setup), { project: { ...CONTEXT.project, testCommand: null } });
      expect(warnings).toEqual([]);
      expect(inputs).toEqual({ test: 'npm test -- "a: b"' });
      expect(pipeline.workspace.copy).toEqual(["node_modules", ".env"]);
      expect(pipeline.steps.map((step) => step.id)).toEqual(["planner", "doer", "test", "reviewer"]);
    },
  );

  test("means nothing else once its comments are taken away", () => {
    const on = fill("setup: npm ci")
      .replace(/^# (roles:.*| {2}.*)$/gm, "$1")
      .replace(/^ {2}# (setup)/m, "  $1");
    const { pipeline } = load(on, { readPrompt: () => "You are the doer." });
    expect(pipeline.workspace.setup).toBe("npm ci");
    expect(pipeline.roles.doer?.permissions).toHaveLength(1);
  });
});

describe("the templates", () => {
  test("are all there, and refer only to what is filled in", () => {
    expect(checkTemplates(shippedTemplates())).toMatchObject({ ok: true });
  });

  test.each(TEMPLATE_NAMES)("%s uses everything that it is given, but for the sender of a feedback", (name) => {
    const used = new Set(referencesOf(shippedTemplates()[name]).map((reference) => reference.name));
    const given = TEMPLATE_PLACEHOLDERS[name];
    expect(given.filter((placeholder) => !used.has(placeholder))).toEqual([]);
  });

  test("that are missing, empty or ask for something unknown are found", () => {
    const { "messages/nudge": _, ...rest } = shippedTemplates();
    const broken = { ...rest, "messages/empty": " \n", "messages/task": "${task} ${tsak}" };
    expect(checkTemplates(broken)).toEqual({
      ok: false,
      faults: [
        'template messages/task.md refers to "tsak", which is never filled in',
        "template messages/nudge.md is missing or empty",
        "template messages/empty.md is missing or empty",
      ],
    });
  });
});
