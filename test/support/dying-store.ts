import type { StoredEvent } from "../../src/core/event.ts";
import type { AppendResult, Store } from "../../src/core/store.ts";

/** The end of an owner who had no time to say so. */
export class Crash extends Error {}

/** When an owner dies: told the ordinal of an append, from 1, and what is appended. */
export type IsDue = (ordinal: number, events: readonly StoredEvent[]) => boolean;

/** A store whose owner dies at an append: before it is written, or right after. From then on nothing is written. */
export function dyingStore(store: Store, isDue: IsDue, when: "before" | "after" = "before"): Store {
  let ordinal = 0;
  let isDead = false;
  const append = (...args: Parameters<Store["append"]>): AppendResult => {
    ordinal += 1;
    if (!isDead && isDue(ordinal, args[2] as readonly StoredEvent[])) {
      isDead = true;
      if (when === "after") store.append(...args);
    }
    if (isDead) throw new Crash();
    return store.append(...args);
  };
  return withMembers(store, { append });
}

/** A store of which some members are others. */
export function withMembers(store: Store, members: Partial<Store>): Store {
  return new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(members, name) ?? Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
