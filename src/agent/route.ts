import type { ModelFacts } from "../core/model.ts";

/** Where a conversation stands on its route. A candidate that was passed over is not asked again in it. */
export interface Route {
  current(): ModelFacts;
  /** Who has not been asked yet, in order. */
  ahead(): readonly ModelFacts[];
  /** Goes on to one of those ahead, by its index among them. */
  advance(index: number): void;
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
    ahead: () => candidates.slice(index + 1),
    advance: (ahead) => {
      index += 1 + ahead;
    },
  };
}
