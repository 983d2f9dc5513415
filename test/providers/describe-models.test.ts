import { describe, expect, test } from "vitest";
import { checkProvidersFile } from "../../src/pipeline/providers-file.ts";
import { describeModels, type ModelDescription } from "../../src/providers/describe-models.ts";
import { providersOrThrow } from "../../src/providers/lanes.ts";

const USER = `providers:
  acme:
    wire: openai-chat
    base_url: https://api.acme.example/v1
    key_env: ACME_KEY
    models:
      large: { price: { input: 1, output: 5 }, context_window: 5000, max_output_tokens: 700, edits: write }
      mystery: {}
  lab: { wire: ollama-chat, base_url: "http://127.0.0.1:1", models: [qwen3-coder] }
  near: { wire: openai-chat, base_url: "http://127.0.0.1:2/v1", key_env: ACME_KEY, models: [own] }
`;

describe("the models that can be asked", () => {
  test("are what files name, the defaults of the roles and the cheapest of each built-in provider, where there is a key", async () => {
    const environment = { ANTHROPIC_API_KEY: "sk-ant-1", ACME_KEY: "acme-key-1" };
    expect((await models({ environment })).map(({ name }) => name)).toEqual([
      "anthropic/claude-sonnet-5",
      "anthropic/claude-opus-5",
      "anthropic/claude-haiku-4-5",
      "acme/large",
      "acme/mystery",
      "lab/qwen3-coder",
      "near/own",
    ]);
    expect((await models({})).map(({ name }) => name)).toEqual(["lab/qwen3-coder"]);
    expect(await models({ user: "" })).toEqual([]);
  });

  test("have each figure that is known, where its price comes from, and how many times as dear as the cheapest they are", async () => {
    const environment = { ANTHROPIC_API_KEY: "sk-ant-1", ACME_KEY: "acme-key-1" };
    const all = await models({ environment });
    const of = (name: string) => all.find((model) => model.name === name);
    expect(of("acme/large")).toEqual({
      name: "acme/large",
      price: { input: 1e9, output: 5e9, cacheRead: 1e9, cacheWrite: 1e9, tiers: [] },
      priceSource: { kind: "file", path: "user", line: 7, column: 16 },
      priceMultiple: 1,
      contextWindow: 5000,
      maxOutputTokens: 700,
      edits: "write",
      textCalls: false,
      capabilities: {},
      local: false,
      roles: { planner: 2, doer: 2, reviewer: 2 },
    });
    expect(of("anthropic/claude-opus-5")).toMatchObject({
      priceSource: { kind: "catalogue" },
      priceMultiple: 5,
      roles: { reviewer: 1 },
    });
    expect(of("acme/mystery")).toMatchObject({ price: null, priceSource: null, priceMultiple: null });
    expect(of("lab/qwen3-coder")).toMatchObject({
      price: { input: 0, output: 0 },
      priceSource: { kind: "free-provider" },
      priceMultiple: null,
      textCalls: true,
      local: true,
    });
    expect(of("near/own")).toMatchObject({ price: { input: 0 }, priceSource: { kind: "this-machine" } });
  });

  test("show no key, not even one that stands in a model's name", async () => {
    const user = USER.replace("mystery", "canary-7Hq2Zr9mX4");
    const all = await models({ user, environment: { ACME_KEY: "canary-7Hq2Zr9mX4" } });
    expect(all.length).toBeGreaterThan(2);
    expect(JSON.stringify(all)).not.toContain("canary");
  });
});

async function models(said: {
  readonly user?: string;
  readonly environment?: Readonly<Record<string, string>>;
}): Promise<readonly ModelDescription[]> {
  const checked = checkProvidersFile(said.user ?? USER, "user");
  if (!checked.ok) throw new Error(checked.diagnostics.map(({ message }) => message).join("\n"));
  const { environment = {} } = said;
  const { lanes } = await providersOrThrow({ environment, user: checked.file, project: null, trustedHosts: [] });
  return describeModels(lanes);
}
