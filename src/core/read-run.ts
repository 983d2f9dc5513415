import { applyEvent } from "./fold-run.ts";
import { newRun, type Run } from "./run.ts";
import type { Store } from "./store.ts";

/** The run that a journal tells of, from its last fold on where there is one. */
export function readRun(rid: string, store: Pick<Store, "events" | "folded">): Run {
  const folded = store.folded(rid) ?? newRun(rid);
  return store.events(rid, folded.seq).reduce(applyEvent, folded);
}
