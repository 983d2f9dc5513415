import type { ModelFacts } from "../core/model.ts";

/** Where a conversation stands on its route. A candidate that was passed over is not asked again in it. */
export interface Route {
  current(): ModelFacts;
  left(): number;
  advance(): void;
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
    left: () => candidates.length - 1 - index,
    advance: () => {
      index += 1;
    },
    restart(others) {
      candidates = others;
      index = 0;
    },
  };
}
