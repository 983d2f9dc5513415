import { judgesBefore } from "./evidence.ts";
import type { Pipeline } from "./pipeline.ts";

/**
 * For each step, by place, the places of what has to have succeeded before it: its needs, and every judge that it
 * builds on, for one further up may be at work again though the steps between have long succeeded.
 */
export function waitsOf(pipeline: Pipeline): readonly (readonly number[])[] {
  const known = WAITS.get(pipeline) ?? placesWaitedFor(pipeline);
  WAITS.set(pipeline, known);
  return known;
}

/** A pipeline never changes, and this is asked after each of its steps. */
const WAITS = new WeakMap<Pipeline, readonly (readonly number[])[]>();

function placesWaitedFor(pipeline: Pipeline): readonly (readonly number[])[] {
  const places = new Map(pipeline.steps.map(({ id }, place) => [id, place]));
  return pipeline.steps.map((step) => {
    const ids = [...step.needs, ...judgesBefore(pipeline, step).map(({ id }) => id)];
    return [...new Set(ids)].map((id) => places.get(id) ?? NEVER);
  });
}

/** No step has this place: what is not in the pipeline never succeeds. */
const NEVER = -1;
