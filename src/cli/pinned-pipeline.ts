import type { Pipeline } from "../core/pipeline.ts";
import type { Wiring } from "../wire.ts";

/** The pipeline of a run as it was when the run began. */
export async function pinnedPipeline(rid: string, wiring: Wiring): Promise<Pipeline> {
  return (await wiring.engine({})).pinnedPipeline(rid);
}
