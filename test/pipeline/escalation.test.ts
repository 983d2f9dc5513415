import { describe, expect, test } from "vitest";
import type { LoadContext } from "../../src/pipeline/context.ts";
import { complaints, load } from "./context.ts";

const STRONGER = { strongerModels: { "anthropic/claude-sonnet-5": "anthropic/claude-opus-5" } };
const STEPS = "pipeline: [{ role: planner }, { role: doer }, { role: reviewer }]\n";

/** What the doer of a file may do where it is stuck. */
const doer = (role: string, context: Partial<LoadContext> = STRONGER) =>
  load(`roles: { doer: ${role} }\n${STEPS}`, context).pipeline.roles.doer?.escalation;

describe("what a role does where it is stuck", () => {
  test("by default: the stronger model of its vendor, then a reviewer, in a pipeline that has one", () => {
    const { roles } = load(STEPS, STRONGER).pipeline;
    const usual = { models: ["anthropic/claude-opus-5"], isDefault: true, limit: 2, confidence: 0.5, uncertainty: 0.7 };
    expect(roles.doer?.escalation).toEqual({ ...usual, diagnose: true });
    expect(roles.planner?.escalation).toEqual({ ...usual, diagnose: true });
    expect(roles.reviewer?.escalation).toEqual({ ...usual, diagnose: false });
    const alone = load("pipeline: [{ role: doer }]", STRONGER).pipeline.roles.doer;
    expect(alone?.escalation).toEqual({ ...usual, diagnose: false });
  });

  test("none by default for a model that a flag names, nor for one of which nobody knows a stronger one", () => {
    expect(doer("{}", { ...STRONGER, models: { doer: ["anthropic/claude-sonnet-5"] } })?.models).toEqual([]);
    expect(doer("{ models: openai/gpt-5.5 }")?.models).toEqual([]);
    expect(doer("{ models: anthropic/claude-sonnet-5 }")?.models).toEqual(["anthropic/claude-opus-5"]);
    expect(doer("{}", {})?.models).toEqual([]);
  });

  test("as the file says, whatever a flag names", () => {
    const text = "{ escalation: { models: openai/gpt-5.6-sol, limit: 1, diagnose: false, confidence: 0 } }";
    const expected = { models: ["openai/gpt-5.6-sol"], isDefault: false, limit: 1, diagnose: false, confidence: 0 };
    expect(doer(text)).toEqual({ ...expected, uncertainty: 0.7 });
    expect(doer(text, { models: { doer: ["ollama/qwen3"] } })?.models).toEqual(["openai/gpt-5.6-sol"]);
    expect(doer("{ escalation: { models: [] } }")).toMatchObject({ models: [], isDefault: false });
    expect(doer("{ escalation: none }")).toBeUndefined();
  });
});

test.each([
  ["doer: { escalation: off }", 'p.yaml:1:30  "escalation" must be "none" or a map, found "off"'],
  ["doer: { escalation: { limit: 99 } }", "p.yaml:1:39  "],
  ["doer: { escalation: { modles: [] } }", 'p.yaml:1:32  unknown key "modles" | did you mean "models"?'],
  ["doer: { escalation: { models: [opnai/x] } }", 'p.yaml:1:41  unknown provider "opnai" | did you mean "openai"?'],
  [
    "doer: { models: openai/a, escalation: { models: [openai/b, openai/a] } }",
    'p.yaml:1:69  "openai/a" is in the role\'s own "models": it is no step up | name a stronger one, or take it out',
  ],
  [
    "doer: { escalation: { uncertainty: 0.5 } }",
    `p.yaml:1:45  a doer does not finish with "uncertainty" | it is the planner's`,
  ],
  ["reviewer: { escalation: { diagnose: true } }", "p.yaml:1:46  a reviewer cannot be asked why it is stuck itself"],
])("roles: { %s }", (role, complaint) => {
  const [first] = complaints(`roles: { ${role} }\n${STEPS}`);
  expect(first).toContain(complaint);
});

test("a diagnosis needs somebody who can give it", () => {
  const text = "roles: { doer: { escalation: { diagnose: true } } }\npipeline: [{ role: doer }]\n";
  expect(complaints(text)).toEqual([
    "p.yaml:1:42  no step has a reviewer that could be asked | add a step with the role reviewer, or take it out",
  ]);
});
