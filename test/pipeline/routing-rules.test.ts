import { describe, expect, test } from "vitest";
import { formatDiagnostic } from "../../src/core/diagnostic.ts";
import { checkProvidersFile } from "../../src/pipeline/providers-file.ts";

function rules(text: string) {
  const check = checkProvidersFile(text, "providers.yaml");
  if (!check.ok) throw new Error(check.diagnostics.map(formatDiagnostic).join("\n"));
  return check.file.routing ?? [];
}

function complaints(text: string): readonly string[] {
  const check = checkProvidersFile(text, "providers.yaml");
  return check.ok ? [] : check.diagnostics.map((one) => formatDiagnostic(one).replace("\n  hint: ", " | "));
}

describe("the rules of a providers file", () => {
  test("say when they hold and whom they name, and where that stands", () => {
    const text = [
      "routing:",
      "  - name: cheap nights",
      "    when:",
      "      task: [plan, review]",
      "      role: planner",
      '      model: "*sonnet*"',
      "      context_at_least: 1000",
      "      context_at_most: 90000",
      "      left_at_least: { run: 10% }",
      "      left_at_most: { day: 25%, week: 100% }",
      "      hours: 22:00-06:30",
      "      days: [sat, sun]",
      "      cost_at_most: 0.25",
      "      needs: [thinking]",
      "    use: [zai/glm-5.3, openrouter/z-ai/glm-5.3]",
      "  - use:",
      "      - openai/gpt-5.6-terra",
    ].join("\n");
    const at = (line: number, column: number) => ({ kind: "file", path: "providers.yaml", line, column });
    expect(rules(text)).toEqual([
      {
        name: "cheap nights",
        source: at(2, 5),
        when: {
          tasks: ["plan", "review"],
          roles: ["planner"],
          models: ["*sonnet*"],
          minContextTokens: 1000,
          maxContextTokens: 90_000,
          leftAtLeast: { run: 0.1 },
          leftAtMost: { day: 0.25, week: 1 },
          hours: { from: 1320, to: 390 },
          days: ["sat", "sun"],
          maxCostNanos: 250_000_000,
          needs: ["thinking"],
        },
        use: ["zai/glm-5.3", "openrouter/z-ai/glm-5.3"],
        useSources: [at(15, 11), at(15, 24)],
      },
      { name: null, source: at(16, 5), when: {}, use: ["openai/gpt-5.6-terra"], useSources: [at(17, 9)] },
    ]);
  });

  test.each([
    ["no candidates", "routing: [{ when: { task: plan } }]", ['providers.yaml:1:11  "use" is missing in ']],
    ["a task that does not exist", "routing:\n  - when: { task: [bild] }\n    use: [a/b]", ["providers.yaml:2:20"]],
    [
      "a word that is no condition",
      "routing:\n  - when: { tasks: plan }\n    use: [a/b]",
      ['providers.yaml:2:13  unknown key "tasks" | did you mean "task"?'],
    ],
    [
      "a model without its provider",
      "routing:\n  - use: [a/b, opus]",
      ['providers.yaml:2:16  "opus" is no model: write "provider/model"'],
    ],
    [
      "hours that are none",
      "routing:\n  - when: { hours: 22-6 }\n    use: [a/b]",
      ['providers.yaml:2:20  "hours" must be hours such as "22:00-06:00", found "22-6"'],
    ],
    [
      "a share without its sign",
      "routing:\n  - when: { left_at_most: { day: 0.2 } }\n    use: [a/b]",
      ["providers.yaml:2:34"],
    ],
    [
      "a context that no request has",
      "routing:\n  - when: { context_at_least: 10, context_at_most: 5 }\n    use: [a/b]",
      ["providers.yaml:2:31  no request is as long as this and as short as context_at_most"],
    ],
    ["a capability that nobody has", "routing:\n  - when: { needs: [ears] }\n    use: [a/b]", ["providers.yaml:2:21"]],
  ])("with %s are refused", (_, text, expected) => {
    const found = complaints(text);
    expect(found.map((line, index) => line.slice(0, expected[index]?.length))).toEqual(expected);
  });
});
