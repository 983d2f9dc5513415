import { describe, expect, test } from "vitest";
import { formatDiagnostic } from "../../src/core/diagnostic.ts";
import { complaints, load } from "./context.ts";

describe("what a role cannot be given", () => {
  test.each<[string, string, readonly string[]]>([
    [
      "a planner with a shell that nothing holds",
      "planner: {tools: [read, bash]}\nsandbox: off",
      [
        'p.yaml:2:26  the planner cannot have "bash": it only reads, and with "sandbox: off" nothing could hold it to that | run the command in a "run" step, or let a doer do it',
      ],
    ],
    [
      "a reviewer that writes",
      "reviewer: {tools: [edit, write]}",
      [
        'p.yaml:2:21  the reviewer cannot have "edit": it only reads | let a doer do it',
        'p.yaml:2:27  the reviewer cannot have "write": it only reads | let a doer do it',
      ],
    ],
    [
      "a rule that allows what the role has not",
      "reviewer: {permissions: [{tool: bash, match: git log, effect: allow}]}",
      [
        'p.yaml:2:27  the reviewer has no "bash", so this rule would give it nothing | its tools: read, ls, glob, grep, diff, todo, finish',
      ],
    ],
    [
      "a rule that denies everything",
      "doer: {permissions: [{tool: '*', effect: deny}]}",
      ["p.yaml:2:23  with this rule the doer could never finish | name the tools that are meant"],
    ],
    [
      "a check after the edits of one who edits nothing",
      "reviewer: {edit_checks: [{files: '*.ts', run: tsc}]}",
      ["p.yaml:2:27  the reviewer edits nothing, so there is nothing to check | give it to the doer"],
    ],
    [
      "a check after an edit that takes long, or refers to something",
      "doer: {edit_checks: [{files: '*.ts', run: 'lint ${inputs.x}', timeout: 10m}]}",
      [
        'p.yaml:2:44  "${inputs.x}" cannot stand in a command | write it out: a check after an edit gets no inputs',
        'p.yaml:2:73  a check after an edit takes at most 5m | use "until" of the step instead',
      ],
    ],
    [
      "more money than the run has",
      "doer: {budget: {usd: 3}}",
      [
        `p.yaml:2:23  the doer may not spend $3.00: that is more than the run's $2.00 (the default) | raise "budget" of the run, or lower this`,
      ],
    ],
  ])("%s", (_, role, expected) => {
    expect(complaints(`roles:\n ${role}\n${allRoles()}`)).toEqual(expected);
  });

  test("more tokens than the run has", () => {
    expect(complaints(`budget: {tokens: 10}\nroles: {doer: {budget: {tokens: 11}}}\n${allRoles()}`)).toEqual([
      `p.yaml:2:33  the doer may not spend 11 tokens: that is more than the run's 10 tokens | raise "budget" of the run, or lower this`,
    ]);
  });

  test("a denial of a tool that the role has not is harmless", () => {
    expect(complaints(`roles: {reviewer: {permissions: [{tool: bash, effect: deny}]}}\n${allRoles()}`)).toEqual([]);
  });
});

describe("what is allowed and perhaps not meant is a warning", () => {
  test.each<[string, string, readonly string[]]>([
    [
      "a role that no step has",
      "roles: {planner: {}}\npipeline: [{role: doer}]\n",
      ['p.yaml:1:9  no step has the role "planner"'],
    ],
    [
      "a check after a role that changes nothing",
      "pipeline:\n  - role: reviewer\n    until: {run: ls}\n",
      ['p.yaml:3:5  a reviewer changes nothing, so a check that is red stays red\n  hint: "until" is meant for a doer'],
    ],
    [
      "a change after the last review",
      "pipeline:\n  - role: doer\n  - role: reviewer\n  - {id: fmt, run: make fmt, changes: keep}\n  - run: make publish\n",
      [
        'p.yaml:4:5  no reviewer comes after "fmt": if it changes anything, the review is done a second time\n  hint: put it before the reviewer',
      ],
    ],
    [
      "no ceiling at all",
      "budget: {usd: none}\npipeline: [{role: doer}]\n",
      ["p.yaml:1:1  nothing limits what a run may cost"],
    ],
    ["the shortest file has none", allRoles(), []],
  ])("%s", (_, text, expected) => {
    expect(load(text).warnings.map(formatDiagnostic)).toEqual(expected);
  });
});

function allRoles(): string {
  return "pipeline:\n  - role: planner\n  - role: doer\n  - role: reviewer\n";
}
