import type { ModelFacts } from "../core/model.ts";

/** Where a conversation stands on its route. A candidate that was passed over is not asked again in it. */
export interface Route {
  current(): ModelFacts;
  /** Who has not been asked yet, in order. */
  ahead(): readonly ModelFacts[];
  /** Goes on to one of those ahead, by its index among them. */
  advance(index: number): void;
  /** Others are asked from here on, the first of them first. */
  restart(candidates: readonly ModelFacts[]): void;
}

/** Throws for a route without candidates: a pipeline is not loaded with one. */
export function openRoute(first: readonly ModelFacts[]): Route {
  let candidates = first;
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
    restart(others) {
      candidates = others;
      index = 0;
    },
  };
}
