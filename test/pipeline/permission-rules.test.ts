import { describe, expect, test } from "vitest";
import { formatDiagnostic } from "../../src/core/diagnostic.ts";
import { complaints as complaintsOf, load } from "./context.ts";

const role = (...rules: readonly string[]) =>
  `roles:\n  doer:\n    permissions:\n${rules.map((rule) => `      - {${rule}}\n`).join("")}pipeline: [{role: doer}]\n`;
const complaints = (...rules: readonly string[]) => complaintsOf(role(...rules));
const warnings = (...rules: readonly string[]) => load(role(...rules)).warnings.map(formatDiagnostic);

describe("the calls beside a rule are tried on it", () => {
  test("those that come out as they say are no matter", () => {
    expect(
      complaints(
        "tool: bash, effect: deny, match: git push *, test: {match: ['git push', 'cd x && git -C y push -f'], not_match: [git pull, echo git push]}",
        "tool: bash, effect: allow, match: npm *, test: {match: [npm test && npm run x], not_match: [npm test; rm x]}",
        "tool: write, effect: deny, match: 'secrets/**', test: {match: [./secrets/a, SECRETS/b], not_match: [src/a]}",
        "tool: '*', effect: ask, match: '*.lock', test: {match: [a.lock]}",
      ),
    ).toEqual([]);
  });

  test("one that the rule misses is an error at its place, with what matches it instead", () => {
    expect(
      complaints(
        "tool: bash, effect: deny, match: git push, test: {match: [git push -f]}",
        "tool: bash, effect: ask, match: git *",
      ),
    ).toEqual([
      'p.yaml:4:68  the rule deny bash "git push" does not match "git push -f", which its test says it does: what matches it is ask bash "git *" on line 5 | it is read as `git push -f`',
    ]);
    expect(complaints("tool: bash, effect: allow, match: npm *, test: {match: [npm test && ls]}")).toEqual([
      'p.yaml:4:66  the rule allow bash "npm *" does not match "npm test && ls", which its test says it does: no rule of the role matches it | it is read as `npm test` and `ls`',
    ]);
  });

  test("one that it hits and must not is an error too, with what it has hit", () => {
    expect(complaints("tool: bash, effect: deny, match: git *, test: {not_match: [npm test && git status]}")).toEqual([
      'p.yaml:4:69  the rule deny bash "git *" matches "npm test && git status", which its test says it does not | what it matches is `git status`',
    ]);
  });

  test("they are no part of the plan", () => {
    const loaded = load(role("tool: bash, effect: deny, match: git *, test: {match: [git a]}"));
    expect(loaded.pipeline.roles.doer?.permissions).toEqual([{ tool: "bash", effect: "deny", match: "git *" }]);
  });
});

describe("a warning says of a rule", () => {
  test("that another makes it void", () => {
    expect(warnings("tool: bash, effect: allow, match: npm test *", "tool: bash, effect: deny, match: npm *")).toEqual([
      'p.yaml:4:9  the rule allow bash "npm test *" never decides anything: deny bash "npm *" on line 5 is about all of it\n  hint: of all rules that match, the strictest decides; take one of them out',
    ]);
    expect(warnings("tool: bash, effect: allow", "tool: bash, effect: allow, match: npm *")).toHaveLength(1);
    expect(warnings("tool: bash, effect: deny, match: npm *", "tool: bash, effect: deny, match: npm *")).toHaveLength(
      1,
    );
    expect(warnings("tool: bash, effect: allow, match: git push *")).toEqual([
      'p.yaml:4:9  the rule allow bash "git push *" never decides anything: every role is denied this',
    ]);
    expect(
      warnings("tool: bash, effect: allow, match: npm *", "tool: bash, effect: deny, match: npm publish *"),
    ).toEqual([]);
  });

  test("that it leaves another way open", () => {
    const open = warnings("tool: edit, effect: deny, match: 'secrets/**'");
    expect(open).toEqual([
      expect.stringMatching(
        /^p\.yaml:4:9 {2}the rule deny edit "secrets\/\*\*" leaves write and bash open to the doer, which/,
      ),
    ]);
    expect(warnings("tool: '*', effect: deny, match: 'secrets/**'")).toEqual([]);
    const both = ["tool: edit, effect: deny, match: 'secrets/**'", "tool: write, effect: deny, match: 'secrets/**'"];
    expect(warnings(...both)).toEqual([
      expect.stringContaining("leaves bash open"),
      expect.stringContaining("leaves bash open"),
    ]);
    expect(warnings(...both, "tool: bash, effect: allow, match: npm *")).toEqual([]);
    expect(warnings(...both, "tool: bash, effect: deny")).toEqual([]);
  });
});

test("on_ask is a key of an agent's step", () => {
  const text = (steps: string) => `pipeline: [${steps}]\n`;
  expect(load(text("{role: doer, on_ask: stop}")).pipeline.steps).toMatchObject([{ onAsk: "stop" }]);
  expect(load(text("{role: doer}")).pipeline.steps[0]).not.toHaveProperty("onAsk");
  expect(complaintsOf(text("{run: ls, on_ask: stop}"))).toEqual([
    'p.yaml:1:22  "on_ask" belongs to a step with "role"',
  ]);
});
