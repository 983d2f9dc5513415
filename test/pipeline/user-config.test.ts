import { describe, expect, test } from "vitest";
import { formatDiagnostic } from "../../src/core/diagnostic.ts";
import { checkUserConfig } from "../../src/pipeline/user-config.ts";

function budgetOf(text: string) {
  const check = checkUserConfig(text, "config.yaml");
  if (!check.ok) throw new Error(check.diagnostics.map(formatDiagnostic).join("\n"));
  return check.config.budget;
}

function complaints(text: string): readonly string[] {
  const check = checkUserConfig(text, "config.yaml");
  return check.ok
    ? []
    : check.diagnostics.map((diagnostic) => formatDiagnostic(diagnostic).replace("\n  hint: ", " | "));
}

describe("the user's configuration", () => {
  test("sets ceilings for a day and for a week, spelt as in a pipeline", () => {
    const text = ["budget:", "  day:  { usd: 20, tokens: 5000000 }", "  week: { usd: 80.25 }"].join("\n");
    expect(budgetOf(text)).toEqual({
      day: { maxCostNanos: 20e9, maxTokens: 5_000_000 },
      week: { maxCostNanos: 80.25e9 },
    });
  });

  test.each([
    ["nothing but comments", "# budget:\n#   day: { usd: 20 }\n", {}],
    ["nothing at all", "", {}],
    ["no window", "budget: {}", {}],
    ["a window without a ceiling", "budget: {day: {}}", { day: {} }],
    ["`none`, as in a pipeline", "budget: {day: {usd: none, tokens: 7}}", { day: { maxTokens: 7 } }],
    ["a ceiling of nothing: no call that costs may be made", "budget: {week: {usd: 0}}", { week: { maxCostNanos: 0 } }],
  ])("may hold %s", (_, text, expected) => {
    expect(budgetOf(text)).toEqual(expected);
  });

  test.each<[string, string, readonly string[]]>([
    ["a misspelt window", "budget:\n  dya: {usd: 2}\n", ['config.yaml:2:3  unknown key "dya" | did you mean "day"?']],
    ["a month", "budget: {month: {usd: 2}}\n", ['config.yaml:1:10  unknown key "month" | known here: day, week']],
    ["a misspelt unit", "budget: {day: {usdd: 2}}\n", ['config.yaml:1:16  unknown key "usdd" | did you mean "usd"?']],
    [
      "minutes, which a day has anyway",
      "budget: {day: {minutes: 90}}\n",
      ['config.yaml:1:16  unknown key "minutes" | known here: usd, tokens'],
    ],
    [
      "an amount with its sign",
      "budget:\n  day: {usd: $20}\n",
      ['config.yaml:2:14  "usd" must be a number from 0 to 1000000 or "none", found "$20"'],
    ],
    [
      "half a token",
      "budget: {day: {tokens: 0.5}}\n",
      ['config.yaml:1:24  "tokens" must be a whole number of at least 1 or "none", found 0.5'],
    ],
    ["an amount without a unit", "budget: {day: 20}\n", ['config.yaml:1:15  "day" must be a map, found 20']],
    [
      "a window without anything",
      "budget:\n  day:\n",
      ['config.yaml:2:3  "day" must be a map, found nothing | give the key a value, or take it out'],
    ],
    [
      "all of it at once",
      "colour: red\nbudget: {day: {usd: -1}, wek: {}}\n",
      [
        'config.yaml:1:1  unknown key "colour" | known here: budget',
        'config.yaml:2:21  "usd" must be a number from 0 to 1000000 or "none", found -1',
        'config.yaml:2:26  unknown key "wek" | did you mean "week"?',
      ],
    ],
    ["a list", "- 1\n", ["config.yaml:1:1  the file must be a map, found a list"]],
    [
      "a ceiling that is given twice",
      "budget: {}\nbudget: {}\n",
      ['config.yaml:2:1  "budget" is given twice | keep one of the two'],
    ],
  ])("refuses %s", (_, text, expected) => {
    expect(complaints(text)).toEqual(expected);
  });

  test("that is no YAML is refused in words of its own", () => {
    expect(complaints("budget: {day: [")).toEqual([expect.stringMatching(/^config\.yaml:1:/)]);
  });
});
