import { formatModelRef, type ModelFacts } from "../core/model.ts";
import { blendedPrice } from "../core/price-multiple.ts";
import type { Rerouted } from "../wire/wire.ts";

/** What a change of models comes to: when it counts, what it costs beside what was asked before, and both windows. */
export function reroutedLines({ how, role, before, after }: Rerouted): readonly string[] {
  const names = after.map(({ ref }) => formatModelRef(ref)).join(", ");
  const when = how === "left" ? "from its next call on" : "when the run goes on";
  const instead = before === null ? "" : `, in the place of ${formatModelRef(before.ref)}`;
  return [`${role} asks ${names} ${when}${instead}`, ...after.map((model) => `  ${comparison(model, before)}`)];
}

/** `claude-opus-5: 2.5x the price; context 1,000,000 tokens, was 200,000`. */
function comparison(model: ModelFacts, before: ModelFacts | null): string {
  const was = before === null ? "" : `, was ${windowText(before)}`;
  return `${model.ref.model}: ${priceText(model, before)}; context ${windowText(model)} tokens${was}`;
}

/** How many times as dear it is as the model before it; null: one of the prices is unknown, or nothing is paid. */
export function multipleOf(model: ModelFacts, before: ModelFacts | null): number | null {
  if (model.price === null || !before?.price) return null;
  const [price, was] = [blendedPrice(model.price), blendedPrice(before.price)];
  return price > 0 && was > 0 ? price / was : null;
}

function priceText(model: ModelFacts, before: ModelFacts | null): string {
  const multiple = multipleOf(model, before);
  if (multiple !== null) return `${multiple.toFixed(2).replace(/\.?0+$/, "")}x the price`;
  if (model.price === null) return "its price is unknown";
  if (blendedPrice(model.price) === 0) return "it costs nothing";
  return before?.price ? "it is paid for, the one before was not" : "no price to compare it with";
}

function windowText({ contextWindow }: ModelFacts): string {
  return contextWindow === null ? "unknown" : contextWindow.toLocaleString("en-US");
}
