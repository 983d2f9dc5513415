import type { Chance, Repository, Tools } from "../core/ports.ts";
import type { Store } from "../core/store.ts";
import type { Replay } from "../engine/replay.ts";
import type { AgainstReplay } from "../engine/replay-against.ts";
import type { Plan } from "../engine/reuse.ts";

export type { AgainstReplay, Replay };

/** Runs, done again from their journal: no model, lane or key is touched. `signal`: aborted, the replay is given up. */
export interface Replays {
  /** As it was. */
  replay(rid: string, signal: AbortSignal): Promise<Replay>;
  /** Another plan, with the old answers. */
  against(rid: string, plan: Plan, signal: AbortSignal): Promise<AgainstReplay>;
}

export async function openReplays(found: {
  readonly store: Store;
  readonly repository: Repository;
  readonly tools: Tools;
  readonly chance: Chance;
}): Promise<Replays> {
  const { replay } = await import("../engine/replay.ts");
  const { replayAgainst } = await import("../engine/replay-against.ts");
  const { createAgent } = await import("../agent/run-agent.ts");
  const { SqliteStore } = await import("../store/sqlite-store.ts");
  const parts = { ...found, agent: createAgent(), openMemory: () => SqliteStore.inMemory() };
  return {
    replay: (rid, signal) => replay(rid, parts, signal),
    against: (rid, plan, signal) => replayAgainst(rid, plan, parts, signal),
  };
}
