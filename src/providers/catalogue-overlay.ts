/** US dollars per million tokens, as price pages print them. Writing to the cache costs what fresh input costs. */
export interface ListedModel {
  readonly input: number;
  readonly cacheRead: number;
  readonly output: number;
  /** Tokens. */
  readonly contextWindow: number;
}

/**
 * By `vendor/model`: what `@pydantic/genai-prices` 0.1.8 lacks or has wrong; looked up before it. It knows Z.AI only
 * as `zhipuai`, at the prices of bigmodel.cn in yuan, which are up to half lower than those of api.z.ai. Where sources
 * differ the dearer stands: a price that is too high wastes a little headroom, one that is too low breaks the budget.
 * As of November 2026.
 */
export const CATALOGUE_OVERLAY: ReadonlyMap<string, ListedModel> = new Map([
  // The package's OpenRouter entry z-ai/glm-5.3; Z.AI's own list says the same since 2026-08-19.
  ["zai/glm-5.3", { input: 1.4, cacheRead: 0.26, output: 4.4, contextWindow: 1_000_000 }],
  // List price in the comment of the package's OpenRouter entry z-ai/glm-5.3-flash; its figures are a promotion that ended.
  ["zai/glm-5.3-flash", { input: 0.15, cacheRead: 0.03, output: 0.5, contextWindow: 1_000_000 }],
  // The package's OpenRouter entry z-ai/glm-5.2.
  ["zai/glm-5.2", { input: 1.4, cacheRead: 0.26, output: 4.4, contextWindow: 1_000_000 }],
  // The package's Fireworks entry glm-5p1, which is Z.AI's list price; OpenRouter's is lower.
  ["zai/glm-5.1", { input: 1.4, cacheRead: 0.26, output: 4.4, contextWindow: 200_000 }],
  // The package's OpenRouter entry z-ai/glm-5-turbo.
  ["zai/glm-5-turbo", { input: 1.2, cacheRead: 0.24, output: 4, contextWindow: 200_000 }],
  // The package's Hugging Face entry zai-org/GLM-5; cached input from docs.z.ai as others quote it. OpenRouter's is lower.
  ["zai/glm-5", { input: 1, cacheRead: 0.2, output: 3.2, contextWindow: 200_000 }],
  // The package's Fireworks entry glm-4p7; cached input as for glm-4.5. OpenRouter's is lower.
  ["zai/glm-4.7", { input: 0.6, cacheRead: 0.11, output: 2.2, contextWindow: 200_000 }],
  // The package's Hugging Face entry zai-org/GLM-4.7-Flash. Z.AI gives it away at present: an offer, not a price.
  ["zai/glm-4.7-flash", { input: 0.07, cacheRead: 0.01, output: 0.4, contextWindow: 200_000 }],
  // Z.AI lists it like glm-4.5 and glm-4.7. OpenRouter's is lower.
  ["zai/glm-4.6", { input: 0.6, cacheRead: 0.11, output: 2.2, contextWindow: 200_000 }],
  // The package's OpenRouter entry z-ai/glm-4.5.
  ["zai/glm-4.5", { input: 0.6, cacheRead: 0.11, output: 2.2, contextWindow: 131_072 }],
  // Z.AI's list as models.dev quotes it, its cached input at OpenRouter's dearer rate.
  ["zai/glm-4.5-air", { input: 0.2, cacheRead: 0.06, output: 1.1, contextWindow: 131_072 }],
  // As above: the package still has the promotion that ended on 2026-09-09.
  ["openrouter/z-ai/glm-5.3-flash", { input: 0.15, cacheRead: 0.03, output: 0.5, contextWindow: 1_310_720 }],
]);
