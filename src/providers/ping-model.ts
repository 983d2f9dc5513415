import type { Lane } from "../core/lane.ts";
import type { ModelRef } from "../core/model.ts";

/** The cheapest model of each built-in lane, by the catalogue. */
const PING_MODELS: ReadonlyMap<string, string> = new Map([
  ["anthropic", "claude-haiku-4-5"],
  ["openai", "gpt-5.6-luna"],
  ["openai-chat", "gpt-5.6-luna"],
  ["openrouter", "z-ai/glm-5.3-flash"],
  ["zai", "glm-5.3-flash"],
]);

/** What to ask when a lane is to show that it answers: the first model that its file lists, else its cheapest; null: unknown. */
export function pingModel(lane: Lane): ModelRef | null {
  const model = Object.keys(lane.models)[0] ?? cheapestModel(lane);
  return model === null ? null : { provider: lane.id, model };
}

/** The cheapest model of a built-in lane; null: unknown. */
export function cheapestModel(lane: Lane): string | null {
  return PING_MODELS.get(lane.id) ?? null;
}
