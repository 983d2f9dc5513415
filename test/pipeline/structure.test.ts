import { describe, expect, test } from "vitest";
import { complaints } from "./context.ts";

const NUMBER = "must be a number from 0 to 1000000 or";

describe("a value that does not fit is told with what was expected and what was found", () => {
  test.each<[string, string, readonly string[]]>([
    ["a list for the file", "- role: doer\n", ['p.yaml:1:1  the file must be a map with "pipeline", found a list']],
    ["text for the file", "doer\n", ['p.yaml:1:1  the file must be a map with "pipeline", found "doer"']],
    ["no steps at all", "name: x\n", ['p.yaml:1:1  "pipeline" is missing']],
    ["an empty list of steps", "pipeline: []\n", ['p.yaml:1:11  "pipeline" is empty: it needs at least one item']],
    ["a map of steps", "pipeline:\n  plan: x\n", ['p.yaml:2:3  "pipeline" must be a list, found a map']],
    [
      "a key with nothing behind it",
      "roles:\npipeline: [{role: doer}]\n",
      ['p.yaml:1:1  "roles" must be a map, found nothing | give the key a value, or take it out'],
    ],
    [
      "a step that is text",
      "pipeline:\n  - planner\n",
      ['p.yaml:2:5  a step must be a map, found "planner" | begin a step with "- role: doer" or "- run: npm test"'],
    ],
    ["a number for a name", "name: 5\npipeline: [{role: doer}]\n", ['p.yaml:1:7  "name" must be text, found 5']],
    ["an empty name", "name: ''\npipeline: [{role: doer}]\n", ['p.yaml:1:7  "name" is empty']],
    ["a negative budget", budget("usd: -1"), [`p.yaml:1:15  "usd" ${NUMBER} "none", found -1`]],
    ["a budget in words", budget("usd: two"), [`p.yaml:1:15  "usd" ${NUMBER} "none", found "two"`]],
    ["no time at all", budget("minutes: 0"), ['p.yaml:1:19  "minutes" must be a number above 0 or "none", found 0']],
    [
      "half a token",
      budget("tokens: 0.5"),
      ['p.yaml:1:18  "tokens" must be a whole number of at least 1 or "none", found 0.5'],
    ],
    ["endless money", budget("usd: .inf"), [`p.yaml:1:15  "usd" ${NUMBER} "none", found Infinity`]],
    [
      "a sandbox that is YAML 1.1",
      "sandbox: on\npipeline: [{role: doer}]\n",
      ['p.yaml:1:10  "sandbox" must be "auto", "required" or "off", found "on"'],
    ],
    ["an unknown role", step("role: reviwer"), ['p.yaml:2:11  unknown role "reviwer" | did you mean "reviewer"?']],
    ["a strange role", step("role: boss"), ['p.yaml:2:11  unknown role "boss" | known: planner, doer, reviewer']],
    [
      "an unknown key",
      step("role: doer\n    atempts: 2"),
      ['p.yaml:3:5  unknown key "atempts" | did you mean "attempts"?'],
    ],
    [
      "a strange key",
      "colour: red\npipeline: [{role: doer}]\n",
      [
        'p.yaml:1:1  unknown key "colour" | known here: name, description, inputs, budget, workspace, sandbox, on_lost_call, instructions, mcp, roles, pipeline',
      ],
    ],
    [
      "a merge key",
      "<<: {}\npipeline: [{role: doer}]\n",
      ['p.yaml:1:1  "<<" is not supported | repeat the keys that are meant'],
    ],
    [
      "a misspelt key that is needed",
      "pipelin:\n  - role: doer\n",
      ['p.yaml:1:1  unknown key "pipelin" | did you mean "pipeline"?'],
    ],
    [
      "attempts in words",
      step("role: doer\n    attempts: two"),
      ['p.yaml:3:15  "attempts" must be a whole number from 1 to 100, found "two"'],
    ],
    [
      "no attempt",
      step("role: doer\n    attempts: 0"),
      ['p.yaml:3:15  "attempts" must be a whole number from 1 to 100, found 0'],
    ],
    [
      "a timeout without a unit",
      step("role: doer\n    timeout: 10"),
      ['p.yaml:3:14  "timeout" must be a time such as "90s", "10m" or "1h", found 10'],
    ],
    [
      "a timeout of nothing",
      step("role: doer\n    timeout: 0s"),
      ['p.yaml:3:14  "timeout" must be a time such as "90s", "10m" or "1h", found "0s"'],
    ],
    [
      "an id in capitals",
      step("role: doer\n    id: Fix"),
      ['p.yaml:3:9  "id" must be small letters, digits and hyphens, a letter first, found "Fix"'],
    ],
    [
      "an artifact in a folder",
      step("role: doer\n    artifact: a/b"),
      ['p.yaml:3:15  "artifact" must be a plain file name such as "NOTES.md", found "a/b"'],
    ],
    [
      "a hidden artifact",
      step("role: doer\n    artifact: .x"),
      ['p.yaml:3:15  "artifact" must be a plain file name such as "NOTES.md", found ".x"'],
    ],
    [
      "a variable that is none",
      step("run: ls\n    env: [A-B]"),
      [`p.yaml:3:11  an item of "env" must be the name of an environment variable, found "A-B"`],
    ],
    ["a variable twice", step("run: ls\n    env: [A, A]"), ['p.yaml:3:14  "A" is in the list twice']],
    [
      "a check without a command",
      step("role: doer\n    until: {attempts: 1}"),
      ['p.yaml:3:5  "run" is missing in "until"'],
    ],
    [
      "a check that is text",
      step("role: doer\n    until: npm test"),
      ['p.yaml:3:12  "until" must be a map with "run", found "npm test"'],
    ],
    [
      "a way back without a target",
      step("run: ls\n    on_failure: back"),
      ['p.yaml:3:17  "on_failure" must be a map with "back_to", found "back"'],
    ],
    [
      "a command that is a list",
      step("run: [npm, test]"),
      ['p.yaml:2:10  "run" must be text or a map with "input", found a list'],
    ],
    ["no command", step("run: ''"), ['p.yaml:2:10  "run" must be text or a map with "input", found ""']],
    [
      "a misspelt reference to an input",
      step("run: {inpt: test}"),
      ['p.yaml:2:11  unknown key "inpt" | did you mean "input"?'],
    ],
    [
      "a number among needs",
      step("role: doer\n    needs: [5]"),
      ['p.yaml:3:13  an item of "needs" must be text, found 5'],
    ],
    ["yes for true", step("run: ls\n    check: yes"), ['p.yaml:3:12  "check" must be true or false, found "yes"']],
    [
      "changes that are neither",
      step("run: ls\n    changes: kep"),
      ['p.yaml:3:14  "changes" must be "discard" or "keep", found "kep" | did you mean "keep"?'],
    ],
    [
      "a rule for lost calls that is none",
      "on_lost_call: retyr\npipeline: [{role: doer}]\n",
      ['p.yaml:1:15  "on_lost_call" must be "retry" or "stop", found "retyr" | did you mean "retry"?'],
    ],
    [
      "a ceiling of the user's own in a pipeline",
      "budget: {day: {usd: 100}}\npipeline: [{role: doer}]\n",
      ['p.yaml:1:10  unknown key "day" | known here: usd, tokens, minutes'],
    ],
    [
      "an unknown role in roles",
      roles("reviwer: {}"),
      ['p.yaml:1:9  unknown role "reviwer" | did you mean "reviewer"?'],
    ],
    [
      "an unknown tool",
      roles("doer: {tools: [read, bsh]}"),
      ['p.yaml:1:30  unknown tool "bsh" | did you mean "bash"?'],
    ],
    ["no model in a list", roles("doer: {models: []}"), ['p.yaml:1:24  "models" is empty: it needs at least one item']],
    [
      "a rule without an effect",
      roles("doer: {permissions: [{tool: bash}]}"),
      ['p.yaml:1:30  "effect" is missing in an item of "permissions"'],
    ],
    [
      "a rule for an unknown tool",
      roles("doer: {permissions: [{tool: bsh, effect: deny}]}"),
      ['p.yaml:1:37  unknown tool "bsh" | did you mean "bash"?'],
    ],
    [
      "half a turn",
      roles("doer: {max_turns: 1.5}"),
      ['p.yaml:1:27  "max_turns" must be a whole number from 1 to 1000, found 1.5'],
    ],
    [
      "an input in capitals",
      "inputs: {Test: {}}\npipeline: [{role: doer}]\n",
      ['p.yaml:1:10  "Test" must be written with small letters, digits and underscores, a letter first'],
    ],
    [
      "an input of an unknown type",
      "inputs: {n: {type: numbr, default: 1}}\npipeline: [{role: doer}]\n",
      [
        'p.yaml:1:20  "type" must be "string", "number", "boolean" or "command", found "numbr" | did you mean "number"?',
      ],
    ],
    [
      "a long wrong value",
      step(`role: ${"x".repeat(50)}`),
      [`p.yaml:2:11  unknown role "${"x".repeat(40)}…" | known: planner, doer, reviewer`],
    ],
  ])("%s", (_, text, expected) => {
    expect(complaints(text)).toEqual(expected);
  });

  test("everything is told at once, in the order of the file, without a second complaint of the same", () => {
    const text = [
      "name: 5",
      "inputs: {kind: {type: strng}}",
      "pipeline:",
      "  - planner",
      "  - role: doer",
      "    until: {attempts: 0}",
      "    prompt: ${inputs.kidn}",
      "    needs: [planner]",
      "  - run: {input: tset}",
      "    needs: [7, doer]",
    ].join("\n");
    expect(complaints(text).map((line) => line.split(" | ")[0])).toEqual([
      'p.yaml:1:7  "name" must be text, found 5',
      'p.yaml:2:23  "type" must be "string", "number", "boolean" or "command", found "strng"',
      'p.yaml:4:5  a step must be a map, found "planner"',
      'p.yaml:6:5  "run" is missing in "until"',
      'p.yaml:6:23  "attempts" must be a whole number from 1 to 100, found 0',
      'p.yaml:10:13  an item of "needs" must be text, found 7',
    ]);
  });
});

test.each([["../x"], ["/etc"], ["~/x"], [".git/config"]])(
  "a worktree gets nothing from outside of the working tree: %s",
  (glob) => {
    expect(complaints(`workspace: {copy: [ok, '${glob}']}\npipeline: [{role: doer}]\n`)).toEqual([
      `p.yaml:1:24  "${glob}" leads out of the working tree | write it from the root of the repository`,
    ]);
  },
);

function budget(entry: string): string {
  return `budget: {${entry}}\npipeline: [{role: doer}]\n`;
}

function step(lines: string): string {
  return `pipeline:\n  - ${lines}\n`;
}

function roles(entry: string): string {
  return `roles: {${entry}}\npipeline: [{role: doer}]\n`;
}
