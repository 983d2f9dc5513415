import type { ModelFacts } from "../core/model.ts";

/** Where a conversation stands on its route. A candidate that was passed over is not asked again in it. */
export interface Route {
  current(): ModelFacts;
  left(): number;
  /** The current one and all after it. */
  rest(): readonly ModelFacts[];
  advance(): void;
}

/** Throws for a route without candidates: a pipeline is not loaded with one. */
export function openRoute(candidates: readonly ModelFacts[]): Route {
  let index = 0;
  return {
    current() {
      const model = candidates[index];
      if (!model) throw new Error("a route needs a candidate");
      return model;
    },
    left: () => candidates.length - 1 - index,
    rest: () => candidates.slice(index),
    advance: () => {
      index += 1;
    },
  };
}
