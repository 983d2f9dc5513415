import { describe, expect, it } from "vitest";
import type { Lane } from "../../src/core/lane.ts";
import { resolveLanes } from "../../src/providers/lanes.ts";
import { pingModel } from "../../src/providers/ping-model.ts";
import { loadPriceBook } from "../../src/providers/prices.ts";
import { defaultRoutes, strongerModels } from "../../src/providers/routes.ts";
import { lane } from "../support/wires.ts";

const KEYS = {
  ANTHROPIC_API_KEY: "sk-ant-1",
  OPENAI_API_KEY: "sk-oai-1",
  OPENROUTER_API_KEY: "sk-or-1",
  ZHIPU_API_KEY: "zai-1",
};
const { ANTHROPIC_API_KEY, OPENAI_API_KEY, OPENROUTER_API_KEY, ZHIPU_API_KEY } = KEYS;

describe("the routes of roles for which nobody named a model", () => {
  it.each<[string, Readonly<Record<string, string>>, string, string]>([
    ["no key", {}, "", ""],
    ["Anthropic's", { ANTHROPIC_API_KEY }, "anthropic/claude-sonnet-5", "anthropic/claude-opus-5"],
    ["OpenAI's", { OPENAI_API_KEY }, "openai/gpt-5.6-terra", "openai/gpt-5.6-sol"],
    ["Z.AI's", { ZHIPU_API_KEY }, "zai/glm-5.3", "zai/glm-5.3"],
    ["OpenRouter's", { OPENROUTER_API_KEY }, "openrouter/z-ai/glm-5.3", "openrouter/z-ai/glm-5.3"],
    [
      "two vendors'",
      { ANTHROPIC_API_KEY, OPENAI_API_KEY },
      "anthropic/claude-sonnet-5 openai/gpt-5.6-terra",
      "openai/gpt-5.6-sol anthropic/claude-opus-5",
    ],
    [
      "two lanes' of one vendor",
      { OPENROUTER_API_KEY, ZHIPU_API_KEY },
      "zai/glm-5.3 openrouter/z-ai/glm-5.3",
      "zai/glm-5.3 openrouter/z-ai/glm-5.3",
    ],
    [
      "every",
      KEYS,
      "anthropic/claude-sonnet-5 openai/gpt-5.6-terra zai/glm-5.3 openrouter/z-ai/glm-5.3",
      "openai/gpt-5.6-sol zai/glm-5.3 openrouter/z-ai/glm-5.3 anthropic/claude-opus-5",
    ],
    ["Ollama, of which nobody says what it has", { OLLAMA_HOST: ":11434" }, "", ""],
  ])("with %s key", async (_whose, environment, doer, reviewer) => {
    const routes = defaultRoutes(await lanesOf(environment));
    expect([routes.planner.join(" "), routes.doer.join(" "), routes.reviewer.join(" ")]).toEqual([
      doer,
      doer,
      reviewer,
    ]);
  });

  it("end with the models that the user lists for lanes of their own", async () => {
    const lanes = await lanesOf({ ANTHROPIC_API_KEY });
    const own = [
      lane("ollama-chat", { id: "ollama", models: { "qwen3:8b": {}, devstral: {} } }),
      lane("openai-chat", { id: "corp", models: { big: {} } }),
      lane("openai-chat", { id: "locked", credential: null, credentialName: "LOCKED_KEY", models: { big: {} } }),
    ];
    expect(defaultRoutes([...lanes.filter(({ id }) => id !== "ollama"), ...own]).doer).toEqual([
      "anthropic/claude-sonnet-5",
      "ollama/qwen3:8b",
      "ollama/devstral",
      "corp/big",
    ]);
    expect(defaultRoutes(own).reviewer).toEqual(["ollama/qwen3:8b", "ollama/devstral", "corp/big"]);
  });

  it("begin with what files have as the default of a role, once", async () => {
    const lanes = await lanesOf({ ANTHROPIC_API_KEY });
    const own = lane("openai-chat", {
      id: "corp",
      models: { big: { defaultFor: ["planner", "reviewer"] }, small: { defaultFor: ["doer"] }, other: {} },
    });
    expect(defaultRoutes([...lanes, own])).toEqual({
      planner: ["corp/big", "anthropic/claude-sonnet-5", "corp/small", "corp/other"],
      doer: ["corp/small", "anthropic/claude-sonnet-5", "corp/big", "corp/other"],
      reviewer: ["corp/big", "anthropic/claude-opus-5", "corp/small", "corp/other"],
    });
  });

  it("never lead to a transcript: its answers are nobody's", async () => {
    const canned = {
      ...lane("openai-chat", { id: "canned", auth: "none", models: { any: {} } }),
      wire: "scripted" as const,
    };
    expect(defaultRoutes([canned]).doer).toEqual([]);
  });

  it("name only models whose price and window the catalogue knows", async () => {
    const lanes = await lanesOf(KEYS);
    const book = await loadPriceBook();
    const pings = lanes.map(pingModel).filter((ref) => ref !== null);
    const routed = [...Object.values(defaultRoutes(lanes)).flat(), ...Object.values(strongerModels(lanes))].map(
      (name) => {
        const [provider = "", ...model] = name.split("/");
        return { provider, model: model.join("/") };
      },
    );
    for (const { provider, model } of [...routed, ...pings]) {
      const asked = lanes.find(({ id }) => id === provider) as Lane;
      expect([provider, model, book.priceOf(asked, model)?.input]).toEqual([provider, model, expect.any(Number)]);
      expect(book.contextWindowOf(asked, model)).toBeGreaterThan(100_000);
    }
  });
});

it("a stronger model is one of the same vendor whose key is there, and dearer", async () => {
  expect(strongerModels(await lanesOf({ OPENAI_API_KEY }))).toEqual({ "openai/gpt-5.6-terra": "openai/gpt-5.6-sol" });
  const [lanes, book] = [await lanesOf(KEYS), await loadPriceBook()];
  const priceOf = (name: string) => {
    const [provider = "", model = ""] = name.split("/");
    return book.priceOf(lanes.find(({ id }) => id === provider) as Lane, model)?.output ?? 0;
  };
  const stronger = Object.entries(strongerModels(lanes));
  expect(stronger).toHaveLength(2);
  for (const [model, above] of stronger) expect(priceOf(above)).toBeGreaterThan(priceOf(model));
});

describe("what to ping", () => {
  it("is a cheap model of a built-in lane, or the first that its file lists", async () => {
    const models = Object.fromEntries((await lanesOf(KEYS)).map((one) => [one.id, pingModel(one)?.model ?? null]));
    expect(models).toEqual({
      anthropic: "claude-haiku-4-5",
      openai: "gpt-5.6-luna",
      "openai-chat": "gpt-5.6-luna",
      openrouter: "z-ai/glm-5.3-flash",
      zai: "glm-5.3-flash",
      ollama: null,
      scripted: null,
    });
    expect(pingModel(lane("ollama-chat", { id: "ollama", models: { "qwen3:8b": {} } }))).toEqual({
      provider: "ollama",
      model: "qwen3:8b",
    });
  });
});

async function lanesOf(environment: Readonly<Record<string, string>>): Promise<readonly Lane[]> {
  const resolved = await resolveLanes({ environment, user: null, project: null, trustedHosts: [] });
  return "lanes" in resolved ? resolved.lanes : [];
}
