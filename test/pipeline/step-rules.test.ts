import { describe, expect, test } from "vitest";
import { complaints } from "./context.ts";

describe("steps that cannot be as they are written", () => {
  test.each<[string, readonly string[], readonly string[]]>([
    [
      "a step that is an agent's and a command's",
      ["- role: doer", "  run: npm test"],
      ['p.yaml:3:5  a step has either "role" or "run", not both | make two steps of it'],
    ],
    ["a step that is neither", ["- id: x"], ['p.yaml:2:5  this step has neither "role" nor "run"']],
    [
      "a command with the keys of an agent",
      ["- run: npm test", "  until: { run: npm test }", "  prompt: try hard"],
      [
        'p.yaml:3:5  "until" belongs to a step with "role" | a command is tried again with "attempts", an agent with "on_failure"',
        'p.yaml:4:5  "prompt" belongs to a step with "role"',
      ],
    ],
    [
      "an agent with the keys of a command",
      ["- role: doer", "  changes: keep", "  check: true"],
      ['p.yaml:3:5  "changes" belongs to a step with "run"', 'p.yaml:4:5  "check" belongs to a step with "run"'],
    ],
    [
      "an agent that is to see a secret",
      ["- role: doer", "  env: [TOKEN]"],
      [
        'p.yaml:3:5  "env" never reaches an agent, only commands | give it to the "run" step or the "until" check that needs it',
      ],
    ],
    [
      "the same id twice",
      ["- id: a", "  role: doer", "- id: a", "  run: ls"],
      ['p.yaml:4:9  the id "a" is taken by the step on line 2'],
    ],
    [
      "a name that a nameless step gets, taken before it",
      ["- id: doer", "  run: ls", "- role: doer"],
      ['p.yaml:4:5  the id "doer" that this step gets is that of the step on line 2 | give it an "id"'],
    ],
    [
      "a name that a nameless step gets, taken after it",
      ["- role: doer", "- role: doer", "- id: doer-2", "  run: ls"],
      ['p.yaml:3:5  the id "doer-2" that this step gets is that of the step on line 4 | give it an "id"'],
    ],
    [
      "a need that does not exist, nearly",
      ["- role: doer", "- role: reviewer", "  needs: doerr"],
      ['p.yaml:4:12  step "reviewer" needs "doerr", which does not exist | did you mean "doer"?'],
    ],
    [
      "a need that does not exist, one of a list",
      ["- role: doer", "- role: reviewer", "  needs: [doer, build]"],
      ['p.yaml:4:19  step "reviewer" needs "build", which does not exist | steps here: doer'],
    ],
    ["a step that needs itself", ["- role: doer", "  needs: doer"], ['p.yaml:3:12  step "doer" needs itself']],
    [
      "a cycle of two",
      ["- id: a", "  role: doer", "  needs: b", "- id: b", "  run: ls", "  needs: a"],
      ['p.yaml:4:5  steps wait for each other: "a" needs "b" needs "a"'],
    ],
    [
      "a cycle that the order of the file closes",
      ["- id: a", "  role: doer", "  needs: c", "- id: b", "  run: ls", "- id: c", "  run: ls"],
      [
        'p.yaml:4:5  steps wait for each other: "a" needs "c" needs "b" needs "a" | "c" has no "needs" and so waits for the step before it',
      ],
    ],
    [
      "two cycles",
      [
        "- {id: a, run: ls, needs: b}",
        "- {id: b, run: ls, needs: a}",
        "- {id: c, run: ls, needs: d}",
        "- {id: d, run: ls, needs: c}",
      ],
      [
        'p.yaml:2:22  steps wait for each other: "a" needs "b" needs "a"',
        'p.yaml:4:22  steps wait for each other: "c" needs "d" needs "c"',
      ],
    ],
    [
      "a way back to nowhere",
      ["- role: doer", "- run: ls", "  on_failure: { back_to: deor }"],
      ['p.yaml:4:28  step "run" goes back to "deor", which does not exist | did you mean "doer"?'],
    ],
    [
      "a way back to a step beside",
      ["- role: doer", "- {id: a, run: ls, needs: doer}", "- {id: b, run: ls, needs: doer, on_failure: {back_to: a}}"],
      [
        'p.yaml:4:57  step "b" cannot go back to "a", which does not come before it | name a step that "b" needs, directly or through others',
      ],
    ],
    [
      "an artifact of ccp's",
      ["- role: doer", "  artifact: Diff.patch"],
      ['p.yaml:3:15  "Diff.patch" is a file that ccp writes itself'],
    ],
    [
      "an artifact of another step, but for capitals",
      ["- role: planner", "- role: doer", "  artifact: plan.md"],
      ['p.yaml:4:15  "plan.md" is written by step "planner" already | give one of them another "artifact"'],
    ],
  ])("%s", (_, steps, expected) => {
    expect(complaints(pipeline(steps))).toEqual(expected);
  });

  test.each<[string, readonly string[]]>([
    ["a way back to the step itself", ["- run: ls", "  on_failure: { back_to: run }"]],
    [
      "a way back over several steps",
      ["- role: planner", "- role: doer", "- role: reviewer", "  on_failure: { back_to: planner }"],
    ],
    ["a step that waits for none", ["- role: planner", "- run: npm run lint", "  needs: []"]],
    [
      "a need of a later step",
      ["- id: last", "  run: ls", "  needs: [first]", "- id: first", "  run: ls", "  needs: []"],
    ],
    ["a variable for a check of an agent", ["- role: doer", "  env: [TOKEN]", "  until: { run: npm test }"]],
  ])("%s is in order", (_, steps) => {
    expect(complaints(pipeline(steps))).toEqual([]);
  });

  test("where an id is misspelt, steps that need it are not blamed", () => {
    expect(complaints(pipeline(["- role: doer", "  idd: build", "- role: reviewer", "  needs: build"]))).toEqual([
      'p.yaml:3:5  unknown key "idd" | did you mean "id"?',
    ]);
  });
});

function pipeline(steps: readonly string[]): string {
  return ["pipeline:", ...steps.map((line) => `  ${line}`)].join("\n");
}
