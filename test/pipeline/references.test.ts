import { describe, expect, test } from "vitest";
import { complaints } from "./context.ts";

describe("a prompt", () => {
  test.each<[string, string, readonly string[]]>([
    ["may use inputs and what is done before", "${inputs.kind} ${ steps.planner.output }", []],
    ["may have dollars and braces", "cost $5 {x} $ {y} ${", []],
    [
      "may not use an unknown input",
      "${inputs.kidn}",
      ['p.yaml:5:13  there is no input "kidn" | did you mean "kind"?'],
    ],
    [
      "may not use an unknown step",
      "a ${steps.planer.output}",
      ['p.yaml:5:15  there is no step "planer" | did you mean "planner"?'],
    ],
    [
      "may not use its own output",
      "${steps.doer.output}",
      ['p.yaml:5:13  step "doer" has no output yet: it does not come before | add it to "needs"'],
    ],
    [
      "may not use a later output",
      "${steps.run.output}",
      ['p.yaml:5:13  step "run" has no output yet: it does not come before | add it to "needs"'],
    ],
    [
      "may not use a step without its output",
      "${steps.planner}",
      ['p.yaml:5:13  "${steps.planner}" stands for nothing | did you mean "${steps.planner.output}"?'],
    ],
    [
      "may not use anything else",
      "${task}",
      ['p.yaml:5:13  "${task}" stands for nothing | only "${inputs.NAME}" and "${steps.ID.output}" are filled in'],
    ],
    [
      "may not use it as in GitHub's files",
      "${{ inputs.kind }}",
      ['p.yaml:5:13  "${{ inputs.kind }}" is not filled in | write it with one pair of braces: "${inputs.kind}"'],
    ],
    [
      "is told once of the same slip",
      "${a} ${a}",
      ['p.yaml:5:13  "${a}" stands for nothing | only "${inputs.NAME}" and "${steps.ID.output}" are filled in'],
    ],
  ])("%s", (_, prompt, expected) => {
    const text = `inputs: {kind: {default: x}}\npipeline:\n  - role: planner\n  - role: doer\n    prompt: ${prompt}\n  - run: ls\n`;
    expect(complaints(text)).toEqual(expected);
  });

  test("is pointed into, line by line", () => {
    const text = "pipeline:\n  - role: doer\n    prompt: |\n      First.\n      Then ${inputs.x}.\n";
    expect(complaints(text)).toEqual(['p.yaml:5:12  there is no input "x"']);
  });
});

describe("a command", () => {
  test.each<[string, string, readonly string[]]>([
    ["may use the shell's own variables", "echo ${HOME} $PATH ${x:-y} $CCP_INPUT_KIND", []],
    ["may read what a step before it has left", "cat $CCP_STEP_DOER_OUTPUT_FILE", []],
    [
      "cannot have an input pasted in",
      "echo ${inputs.kind}",
      ['p.yaml:4:15  "${inputs.kind}" cannot stand in a command | use "$CCP_INPUT_KIND"'],
    ],
    [
      "cannot have an output pasted in",
      "echo ${steps.doer.output}",
      [
        'p.yaml:4:15  "${steps.doer.output}" cannot stand in a command | use "$CCP_STEP_DOER_OUTPUT_FILE", a file that holds it',
      ],
    ],
    [
      "cannot have an input pasted in as in GitHub's files",
      "echo ${{ inputs.kind }}",
      ['p.yaml:4:15  "${{ inputs.kind }}" cannot stand in a command | use "$CCP_INPUT_KIND"'],
    ],
    [
      "is told of a variable that nothing fills",
      "echo $CCP_INPUT_KIDN",
      ['p.yaml:4:15  "$CCP_INPUT_KIDN" will be empty: there is no such input | did you mean "CCP_INPUT_KIND"?'],
    ],
    [
      "is told of a file that is not there yet",
      "cat $CCP_STEP_RUN_OUTPUT_FILE",
      ['p.yaml:4:14  "$CCP_STEP_RUN_OUTPUT_FILE" will be empty: that step does not come before'],
    ],
    [
      "is told of a file that will never be",
      "cat ${CCP_STEP_X_OUTPUT_FILE}",
      ['p.yaml:4:14  "$CCP_STEP_X_OUTPUT_FILE" will be empty: there is no such step'],
    ],
  ])("%s", (_, command, expected) => {
    expect(complaints(`inputs: {kind: {default: x}}\npipeline:\n  - role: doer\n  - run: ${command}\n`)).toEqual(
      expected,
    );
  });

  test("of a check or a set-up is held to the same", () => {
    const text =
      "workspace: {setup: 'npm ci ${inputs.x}'}\npipeline:\n  - role: doer\n    until: {run: 'npm test ${inputs.x}'}\n";
    expect(complaints(text)).toEqual([
      'p.yaml:1:28  "${inputs.x}" cannot stand in a command | use "$CCP_INPUT_X"',
      'p.yaml:4:28  "${inputs.x}" cannot stand in a command | use "$CCP_INPUT_X"',
    ]);
  });
});

describe("a command that the user gives", () => {
  test.each<[string, string, readonly string[]]>([
    ["is an input of type command", "{type: command, default: ls}", []],
    [
      "is never a string that happens to be there",
      "{default: ls}",
      ['p.yaml:3:18  input "test" is a string and cannot be executed | only an input of "type: command" can'],
    ],
    [
      "is never a number",
      "{type: number, default: 1}",
      ['p.yaml:3:18  input "test" is a number and cannot be executed | only an input of "type: command" can'],
    ],
  ])("%s", (_, input, expected) => {
    expect(complaints(`inputs: {test: ${input}}\npipeline:\n  - run: {input: test}\n  - role: doer\n`)).toEqual(
      expected,
    );
  });

  test.each([
    ["tset", 'there is no input "tset" | did you mean "test"?'],
    ["constructor", 'there is no input "constructor" | declare it: "inputs: { constructor: { type: command } }"'],
  ])("has to be declared: %s", (name, expected) => {
    const text = `inputs: {test: {type: command, default: ls}}\npipeline: [{run: {input: ${name}}}]\n`;
    expect(complaints(text)).toEqual([`p.yaml:2:26  ${expected}`]);
  });
});
