import type { Lane } from "../core/lane.ts";

/** The name by which a lane's provider knows a model. */
export function theirName({ models }: Pick<Lane, "models">, model: string): string {
  return (Object.hasOwn(models, model) ? models[model]?.theirs : undefined) ?? model;
}
