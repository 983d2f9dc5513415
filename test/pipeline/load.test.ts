import { describe, expect, test } from "vitest";
import { examinePipelineFile } from "../../src/pipeline/checked-file.ts";
import { complaints, load } from "./context.ts";

const ALL = "pipeline: [{role: planner}, {role: doer}, {role: reviewer}]\n";

describe("a route", () => {
  test("is the flag's, else the file's, else the one that the keys allow", () => {
    const text = `roles: {doer: {models: [openai/gpt-5.5, ollama/qwen3/coder]}, reviewer: {models: openai/gpt-5.5}}\n${ALL}`;
    const { roles } = load(text, { models: { reviewer: ["scripted//tmp/t.yaml"] } }).pipeline;
    expect(roles.planner?.models).toEqual(["anthropic/claude-sonnet-5"]);
    expect(roles.doer?.models).toEqual(["openai/gpt-5.5", "ollama/qwen3/coder"]);
    expect(roles.reviewer?.models).toEqual(["scripted//tmp/t.yaml"]);
  });

  test("that nobody knows is no fault of the file: the roles without one are named", () => {
    const loaded = load(`roles: {doer: {models: openai/gpt-5.5}}\n${ALL}`, { defaultModels: {} });
    expect(loaded.missingModels).toEqual(["planner", "reviewer"]);
    expect(loaded.pipeline.roles.planner?.models).toEqual([]);
  });

  test("for a role that no step has is passed over", () => {
    expect(load("pipeline: [{role: doer}]", { models: { reviewer: ["openai/gpt-5.5"] } }).missingModels).toEqual([]);
  });

  test.each<[string, string, string]>([
    [
      "without a provider",
      "claude",
      'p.yaml:1:24  "claude" is no model: write "provider/model" | providers here: anthropic, openai, ollama, scripted',
    ],
    ["to a misspelt provider", "antropic/x", 'p.yaml:1:24  unknown provider "antropic" | did you mean "anthropic"?'],
    [
      "to an unknown provider",
      "acme/x",
      'p.yaml:1:24  unknown provider "acme" | known: anthropic, openai, ollama, scripted; others go into providers.yaml',
    ],
  ])("%s is refused", (_, model, expected) => {
    expect(complaints(`roles: {doer: {models: ${model}}}\n${ALL}`)).toEqual([expected]);
  });

  test("of a list is refused at the model that is wrong", () => {
    expect(complaints(`roles: {doer: {models: [openai/x, opnai/x]}}\n${ALL}`)).toEqual([
      'p.yaml:1:35  unknown provider "opnai" | did you mean "openai"?',
    ]);
  });

  test("of a flag is refused by the name of the flag", () => {
    expect(complaints(ALL, { models: { doer: ["opnai/x"], plannr: ["openai/x"] } })).toEqual([
      '--model doer  unknown provider "opnai" | did you mean "openai"?',
      '--model plannr  unknown role "plannr" | did you mean "planner"?',
    ]);
  });
});

describe("a prompt file", () => {
  const text = `inputs: {kind: {default: x}}\nroles: {doer: {prompt: d.md}, reviewer: {prompt: r.md}}\n${ALL}`;
  const reading = (files: Readonly<Record<string, string>>) => ({ readPrompt: (path: string) => files[path] ?? null });

  test("that cannot be read, or lies elsewhere, is told where it is named", () => {
    expect(complaints(text, reading({ "d.md": "x" }))).toEqual([
      `p.yaml:2:50  the prompt "r.md" cannot be read | the path starts at the pipeline file's folder and stays in the repository`,
    ]);
  });

  test("is checked for its references, at its own lines", () => {
    const files = { "d.md": "# Doer\n\nA ${inputs.kidn} of ${steps.planner.output}\n", "r.md": " \n" };
    expect(complaints(text, reading(files))).toEqual([
      'd.md:3:3  there is no input "kidn" | did you mean "kind"?',
      "r.md:1:1  the prompt is empty",
    ]);
  });

  test("may use only what is done before every step of its role", () => {
    const twice = "roles: {doer: {prompt: d.md}}\npipeline: [{role: doer}, {role: planner}, {role: doer}]\n";
    expect(complaints(twice, reading({ "d.md": "${steps.planner.output}" }))).toEqual([
      'd.md:1:1  step "planner" has no output yet: it does not come before | add it to "needs"',
    ]);
  });
});

test("what is wrong in the file, in its place and in the flags is told at once, file first", () => {
  const text = [
    "inputs: {test: {type: command, detect: test}}",
    "roles: {doer: {models: acme, prompt: d.md, tools: [bsh]}}",
    "pipeline:",
    "  - role: doer",
    "    needs: planner",
  ].join("\n");
  const context = {
    inputs: { tests: "x" },
    project: { testCommand: null, testCommandSource: null, copy: [], setup: null },
    readPrompt: () => "${x}",
  };
  expect(complaints(text, context).map((line) => line.split(" | ")[0])).toEqual([
    "p.yaml:1:32  no test command was found in package.json, pyproject.toml, Makefile, Cargo.toml and go.mod",
    'p.yaml:2:24  "acme" is no model: write "provider/model"',
    'p.yaml:2:52  unknown tool "bsh"',
    'p.yaml:5:12  step "doer" needs "planner", which does not exist',
    '--input tests  unknown input "tests"',
    'd.md:1:1  "${x}" stands for nothing',
  ]);
});

test("a file can be checked by itself, without knowing where it will run", () => {
  const checked = examinePipelineFile(
    "inputs: {issue: {}}\nroles: {doer: {models: acme/x}}\npipeline: [{role: doer}]",
    "a.yaml",
  );
  expect(checked.ok).toBe(true);
});
