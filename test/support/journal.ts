import { join } from "node:path";
import type { EventOf, EventType, StoredEvent } from "../../src/core/event.ts";
import { SqliteStore } from "../../src/store/sqlite-store.ts";
import type { Site } from "./proof.ts";

/** The whole log of a run, as its repository has it. */
export function journalOf(on: Pick<Site, "root">, rid: string): readonly StoredEvent[] {
  return withStore(on, (store) => store.events(rid));
}

/** The facts of one name in it. */
export function eventsOf<T extends EventType>(
  on: Pick<Site, "root">,
  rid: string,
  type: T,
): readonly (StoredEvent & EventOf<T>)[] {
  return journalOf(on, rid).filter((event): event is StoredEvent & EventOf<T> => event.type === type);
}

/** Looks at a repository's journal. */
export function withStore<T>({ root }: Pick<Site, "root">, look: (store: SqliteStore) => T): T {
  const store = new SqliteStore(join(root, ".git/ccp"));
  try {
    return look(store);
  } finally {
    store.close();
  }
}
