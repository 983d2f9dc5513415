import { CcpError, EXIT } from "../core/errors.ts";
import type { Chance, Peers } from "../core/ports.ts";
import type { Owner, Store } from "../core/store.ts";

const LOOK_MS = 100;
/** Asked once, ccp pauses at the next boundary; asked twice, it stops at once; killed, it loses nothing that is on record. */
const STAGES = [
  { signal: "SIGTERM", waitMs: 10_000 },
  { signal: "SIGTERM", waitMs: 5_000 },
  { signal: "SIGKILL", waitMs: 5_000 },
] as const;

/** Makes the process that holds a run let go of it. Throws `CcpError("owned")` when it does not, or is on another machine. */
export async function takeOver(
  rid: string,
  deps: { readonly store: Store; readonly chance: Chance; readonly peers: Peers },
): Promise<void> {
  const { store, peers } = deps;
  const owner = store.owner(rid);
  if (!store.isOwned(rid) || owner === null) return;
  for (const { signal, waitMs } of STAGES) {
    if (!peers.signal(owner, signal)) break;
    if (await letGo(rid, waitMs, deps)) return;
  }
  if (store.isOwned(rid)) throw stillOwned(rid, owner, peers);
}

async function letGo(
  rid: string,
  waitMs: number,
  { store, chance }: { readonly store: Store; readonly chance: Chance },
): Promise<boolean> {
  for (let waited = 0; waited < waitMs; waited += LOOK_MS) {
    if (!store.isOwned(rid)) return true;
    await chance.sleep(LOOK_MS, new AbortController().signal);
  }
  return !store.isOwned(rid);
}

function stillOwned(rid: string, { pid, host }: Owner, { self }: Peers): CcpError {
  const hint =
    host === self.host
      ? `nothing was changed; end it yourself (kill -9 ${pid}), then: ccp resume ${rid}`
      : `nothing was changed; it runs on ${host}: stop it there`;
  return new CcpError("owned", EXIT.owned, `${rid} is held by pid ${pid} on ${host}, which could not be stopped`, {
    hint,
  });
}
