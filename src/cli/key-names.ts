import { either } from "../core/words.ts";
import type { Wiring } from "../wire/wire.ts";

/** The variables that a key may be in, for people: `A, B or C`. */
export async function keyNames(wiring: Wiring): Promise<string> {
  return either([...new Set((await wiring.lanes()).flatMap((lane) => lane.credentialName ?? []))]);
}
