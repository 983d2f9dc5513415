import { messageOf } from "../core/errors.ts";
import {
  accountAt,
  admitted,
  type Entry,
  type LaneAccount,
  NEW_ACCOUNT,
  settled,
  withdrawn,
  wokenAccount,
} from "../core/lane-account.ts";
import { inOrder, type LaneHealth, soonest } from "../core/lane-health.ts";
import type { Peers } from "../core/ports.ts";
import type { Owner } from "../core/store.ts";

/** Names one account. */
export interface Place {
  readonly lane: string;
  readonly key: string;
}

/** Where accounts are kept. Throws whatever its file throws. */
export interface Shelf {
  /** All or nothing, and nobody else in between. */
  write<T>(work: () => T): T;
  /** Null: nothing is known, or nothing that can be read. */
  read(place: Place): LaneAccount | null;
  keep(place: Place, account: LaneAccount): void;
  list(): readonly (Place & { readonly account: LaneAccount })[];
  close(): void;
}

/**
 * The health of lanes on a shelf. When the shelf fails,
 * another in memory takes its place for good: a run is never stopped by what is only there to help it.
 */
export function laneHealthOn(first: () => Shelf, peers: Pick<Peers, "self" | "hasEnded">): LaneHealth {
  const isAlive = (owner: Owner) => !peers.hasEnded(owner);
  const places = new Map<string, Place>();
  let trouble: string | null = null;
  let shelf: Shelf | null = null;

  function onShelf<T>(work: (shelf: Shelf) => T): T {
    try {
      shelf ??= first();
      return work(shelf);
    } catch (thrown) {
      trouble = messageOf(thrown);
      closeQuietly(shelf);
      shelf = memoryShelf();
      return work(shelf);
    }
  }

  /** One call's account, where this process has sent it. */
  function change(callId: string, now: number, work: (account: LaneAccount) => LaneAccount): void {
    const place = places.get(callId);
    if (!place) return;
    places.delete(callId);
    onShelf((on) => on.write(() => on.keep(place, work(on.read(place) ?? { ...NEW_ACCOUNT, at: now }))));
  }

  return {
    admit: (asked, now) =>
      onShelf((on) =>
        on.write(() => {
          const entries: Exclude<Entry, { readonly type: "go" }>[] = [];
          for (const { name, key } of inOrder(asked)) {
            const place = { lane: asked.standing.lane, key };
            const before = on.read(place) ?? NEW_ACCOUNT;
            const { account, entry } = admitted(before, asked.call, {
              limits: asked.standing.limits,
              now,
              self: peers.self,
              isAlive,
            });
            // What only was looked at changes when the clock was put back: the wait goes on from there.
            if (entry.type === "go" || now < before.at) on.keep(place, account);
            if (entry.type !== "go") entries.push(entry);
            else {
              places.set(asked.call.callId, place);
              return { type: "go", credential: name };
            }
          }
          return soonest(entries);
        }),
      ),
    settle: (callId, outcome, now) => change(callId, now, (account) => settled(account, callId, outcome, now)),
    withdraw: (callId, now) => change(callId, now, (account) => withdrawn(account, callId, now)),
    wake: (lanes, since, now) =>
      onShelf((on) =>
        on.write(() => {
          const woken = on.list().flatMap(({ account, ...place }) => {
            const after = lanes.includes(place.lane)
              ? wokenAccount(accountAt(account, now, isAlive), since, now)
              : null;
            return after === null ? [] : [{ place, after }];
          });
          for (const { place, after } of woken) on.keep(place, after);
          return woken.length > 0;
        }),
      ),
    accounts: (now) =>
      onShelf((on) =>
        on.list().map(({ account, ...place }) => ({ ...place, account: accountAt(account, now, isAlive) })),
      ),
    trouble() {
      const said = trouble;
      trouble = null;
      return said;
    },
    close: () => closeQuietly(shelf),
  };
}

/** Accounts that nobody else sees, gone with the process. */
export function memoryShelf(): Shelf {
  const accounts = new Map<string, Place & { readonly account: LaneAccount }>();
  const nameOf = ({ lane, key }: Place) => `${lane}\n${key}`;
  return {
    write: (work) => work(),
    read: (place) => accounts.get(nameOf(place))?.account ?? null,
    keep: ({ lane, key }, account) => void accounts.set(nameOf({ lane, key }), { lane, key, account }),
    list: () => [...accounts.values()],
    close: () => accounts.clear(),
  };
}

function closeQuietly(shelf: Shelf | null): void {
  try {
    shelf?.close();
  } catch {
    // What could not be kept is not missed.
  }
}
