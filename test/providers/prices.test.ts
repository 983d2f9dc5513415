import { calcPrice } from "@pydantic/genai-prices";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { costOf, NANOS_PER_USD, type Price, worstCost } from "../../src/core/money.ts";
import type { Usage } from "../../src/core/usage.ts";
import { CATALOGUE_OVERLAY } from "../../src/providers/catalogue-overlay.ts";
import { dearest, toPrice } from "../../src/providers/catalogue-price.ts";
import { loadPriceBook } from "../../src/providers/prices.ts";
import { lane as anyLane } from "../support/wires.ts";

const AT = new Date("2026-11-20T12:00:00Z");
const HOSTS: Readonly<Record<string, string>> = {
  anthropic: "https://api.anthropic.com",
  openai: "https://api.openai.com/v1",
  "openai-chat": "https://api.openai.com/v1",
  openrouter: "https://openrouter.ai/api/v1",
  zai: "https://api.z.ai/api/paas/v4",
};

const book = await loadPriceBook(AT);
const lane = (id: string, baseUrl = HOSTS[id] ?? "https://llm.corp/v1") => anyLane("openai-chat", { id, baseUrl });

/** Models with every cache rate, so that nothing is a guess of ours. */
const EXACT = [
  ["anthropic", "claude-sonnet-5"],
  ["anthropic", "claude-opus-5"],
  ["anthropic", "claude-haiku-4-5"],
  ["anthropic", "claude-sonnet-4-5"],
  ["openai", "gpt-5.6-sol"],
  ["openai", "gpt-5.6-terra"],
  ["openai", "gpt-6-luna"],
  ["openrouter", "anthropic/claude-sonnet-4.5"],
  ["openrouter", "openai/gpt-5.6-luna"],
] as const;

describe("a price of the catalogue", () => {
  it.each(EXACT)("%s/%s charges what genai-prices itself calculates, for any usage", (id, model) => {
    const price = book.priceOf(lane(id), model) as Price;
    fc.assert(
      fc.property(usages(), fc.nat(100), (written, percent) => {
        const hour = Math.floor((written.cacheWrite * percent) / 100);
        // Others do not list it: then the dearest that is sensible counts.
        const usage = id === "anthropic" ? { ...written, cacheWriteHour: hour } : written;
        const theirs = calcPrice(theirUsage(usage), model, { providerId: id, timestamp: AT })?.total_price ?? 0;
        const ours = costOf(price, usage);
        // Ours is rounded up to a whole nano-dollar; theirs is a sum of floating point numbers.
        expect(Math.abs(ours - theirs * NANOS_PER_USD)).toBeLessThan(1 + ours * 1e-12);
      }),
    );
  });

  it.each(EXACT)("%s/%s never charges more than its worst case", (id, model) => {
    const price = book.priceOf(lane(id), model) as Price;
    fc.assert(
      fc.property(usages(), (usage) => {
        const input = usage.freshInput + usage.cacheRead + usage.cacheWrite;
        expect(costOf(price, usage)).toBeLessThanOrEqual(worstCost(price, input, usage.output));
      }),
    );
  });

  it("is in whole nano-dollars per million tokens, with the tiers of long prompts", () => {
    expect(book.priceOf(lane("anthropic"), "claude-sonnet-5")).toEqual({
      input: 2_000_000_000,
      cacheRead: 200_000_000,
      cacheWrite: 2_500_000_000,
      cacheWriteHour: 4_000_000_000,
      output: 10_000_000_000,
      tiers: [],
    });
    expect(book.priceOf(lane("openai-chat"), "gpt-5.6-sol")).toEqual({
      input: 4e9,
      cacheRead: 0.4e9,
      cacheWrite: 5e9,
      output: 20e9,
      tiers: [{ aboveTokens: 271_999, input: 8e9, cacheRead: 0.8e9, cacheWrite: 10e9, output: 30e9 }],
    });
  });

  it("follows a lane to the vendor whose host it is, and stays with the vendor behind a proxy", () => {
    const sonnet = book.priceOf(lane("anthropic"), "claude-sonnet-5");
    expect(book.priceOf(lane("mine", HOSTS.anthropic), "claude-sonnet-5")).toEqual(sonnet);
    expect(book.priceOf(lane("anthropic", "http://127.0.0.1:4000"), "claude-sonnet-5")).toEqual(sonnet);
    expect(book.priceOf(lane("openai", HOSTS.openrouter), "anthropic/claude-sonnet-5")).toEqual(sonnet);
    expect(book.priceOf(lane("mine", "https://api.z.ai/api/anthropic"), "glm-5.3")?.input).toBe(1.4e9);
  });

  it.each([
    ["anthropic", "claude-nobody-knows"],
    ["openai", "gpt-5.6-nobody-knows"],
    ["openai", "claude-sonnet-5"],
    ["zai", "glm-nobody-knows"],
    ["ollama", "qwen3"],
    ["corp", "claude-sonnet-5"],
    ["constructor", "constructor"],
    ["zai", "constructor"],
  ])("%s/%s is unknown", (id, model) => {
    expect(book.priceOf(lane(id), model)).toBeNull();
    expect(book.contextWindowOf(lane(id), model)).toBeNull();
  });

  it("is unknown for bigmodel.cn, of which the catalogue has only the lowest tier", () => {
    expect(book.priceOf(lane("zhipu", "https://open.bigmodel.cn/api/paas/v4"), "glm-5.3")).toBeNull();
  });

  it("is nothing for a free offer of OpenRouter, and only for one", () => {
    expect(book.priceOf(lane("openrouter"), "glm-4.5-air:free")).toEqual({
      input: 0,
      cacheRead: 0,
      cacheWrite: 0,
      output: 0,
      tiers: [],
    });
    expect(toPrice({}, "glm-4.5-air")).toBeNull();
  });

  it("counts the dearest hour where nights are cheaper", async () => {
    const deepseek = lane("deepseek", "https://api.deepseek.com");
    const hours = Array.from({ length: 24 }, (_, hour) => new Date(AT.getTime() + hour * 3_600_000));
    const inputs = hours.map((timestamp) => {
      const rate = calcPrice({}, "deepseek-chat", { providerId: "deepseek", timestamp })?.model_price.input_mtok;
      return (rate as number) * NANOS_PER_USD;
    });
    expect(Math.max(...inputs)).toBeGreaterThan(Math.min(...inputs));
    const atNight = await loadPriceBook(hours[inputs.indexOf(Math.min(...inputs))]);
    expect(atNight.priceOf(deepseek, "deepseek-chat")?.input).toBe(Math.max(...inputs));
  });

  it("is the one of its day", async () => {
    const before = await loadPriceBook(new Date("2026-08-01T00:00:00Z"));
    expect(before.priceOf(lane("openai"), "gpt-5.6-sol")?.input).toBe(5e9);
    expect(book.priceOf(lane("openai"), "gpt-5.6-sol")?.input).toBe(4e9);
  });
});

describe("what a price list leaves out", () => {
  it("is taken at the dearest that is sensible", () => {
    expect(toPrice({ input_mtok: 3, output_mtok: 15 }, "some-model")).toMatchObject({
      cacheRead: 3e9,
      cacheWrite: 3e9,
    });
    expect(toPrice({ input_mtok: 3, output_mtok: 15 }, "claude-x")).toMatchObject({
      cacheRead: 3e9,
      cacheWrite: 3.75e9,
    });
    expect(toPrice({ input_mtok: 3, output_mtok: 15, output_reasoning_mtok: 20 }, "m")).toMatchObject({ output: 20e9 });
  });

  it("makes it useless where it is more than a cache", () => {
    expect(toPrice({ input_mtok: 3 }, "embedding")).toBeNull();
    expect(toPrice({ input_mtok: 3, output_mtok: 3, requests_kcount: 5 }, "searching")).toBeNull();
  });

  it("is made up rate by rate when two lists are joined", () => {
    const a = toPrice({ input_mtok: 1, cache_read_mtok: 0.5, output_mtok: 9 }, "m") as Price;
    const b = toPrice(
      { input_mtok: { base: 2, tiers: [{ start: 100, price: 4 }] }, output_mtok: 3 } as never,
      "m",
    ) as Price;
    const rates = { cacheRead: 2e9, cacheWrite: 2e9, input: 2e9, output: 9e9 };
    const high = { cacheRead: 4e9, cacheWrite: 4e9, input: 4e9, output: 9e9 };
    expect(dearest(a, b)).toEqual({ ...rates, tiers: [{ ...high, aboveTokens: 100 }] });
    expect(dearest(b, a)).toEqual(dearest(a, b));
  });
});

describe("our overlay", () => {
  it("prices Z.AI as api.z.ai bills, and never below what OpenRouter takes for the same model", () => {
    expect(book.priceOf(lane("zai"), "GLM-4.7")).toEqual({
      input: 0.6e9,
      cacheRead: 0.11e9,
      cacheWrite: 0.6e9,
      output: 2.2e9,
      tiers: [],
    });
    expect(book.contextWindowOf(lane("zai"), "glm-4.7")).toBe(200_000);
    for (const [name, listed] of CATALOGUE_OVERLAY) {
      const model = name.replace(/^zai\//, "z-ai/").replace(/^openrouter\//, "");
      const theirs = calcPrice({}, model, { providerId: "openrouter" })?.model_price;
      expect([name, listed.input >= (theirs?.input_mtok as number)]).toEqual([name, true]);
      expect([name, listed.cacheRead >= (theirs?.cache_read_mtok as number)]).toEqual([name, true]);
      expect([name, listed.output >= (theirs?.output_mtok as number)]).toEqual([name, true]);
    }
  });

  it("is needed: the catalogue knows Z.AI only at the prices of bigmodel.cn", () => {
    expect(calcPrice({}, "glm-4.7", { providerId: "zai" })).toBeNull();
    expect(calcPrice({}, "glm-4.7", { providerId: "zhipuai" })?.model_price.input_mtok).toBeLessThan(0.6);
  });
});

it("context windows are those of the catalogue", () => {
  expect(book.contextWindowOf(lane("anthropic"), "claude-haiku-4-5")).toBe(200_000);
  expect(book.contextWindowOf(lane("openai"), "gpt-5.6-terra")).toBe(1_050_000);
});

function usages(): fc.Arbitrary<Usage> {
  const tokens = fc.oneof(fc.nat(2_000), fc.nat(400_000));
  return fc.record({
    freshInput: tokens,
    cacheRead: tokens,
    cacheWrite: tokens,
    output: tokens,
    reasoning: fc.constant(0),
    source: fc.constant("provider" as const),
  });
}

/** Their input is the total, ours is in three parts. */
function theirUsage(usage: Usage) {
  return {
    input_tokens: usage.freshInput + usage.cacheRead + usage.cacheWrite,
    cache_read_tokens: usage.cacheRead,
    cache_write_tokens: usage.cacheWrite,
    ...(usage.cacheWriteHour === undefined ? {} : { cache_write_1h_tokens: usage.cacheWriteHour }),
    output_tokens: usage.output,
  };
}
