import { UNCALIBRATED } from "../core/calibration.ts";
import type { StoredEvent } from "../core/event.ts";
import type { LaneHealth } from "../core/lane-health.ts";
import type { Agent, Chance, Repository, Results, Spool, Tools, Workspace } from "../core/ports.ts";
import type { Run } from "../core/run.ts";
import type { Store, UserLedger } from "../core/store.ts";

/** What a replay takes. Nothing in it reaches a model, a lane or a key. */
export interface ReplayParts {
  /** The journal that is replayed from. */
  readonly store: Store;
  /** A journal that is gone when it is closed. */
  readonly openMemory: () => Store;
  readonly repository: Repository;
  readonly tools: Tools;
  readonly agent: Agent;
  readonly chance: Chance;
}

/** A run that is to be done again, and what for. */
export interface Undertaking {
  readonly run: Run;
  readonly events: readonly StoredEvent[];
  readonly parts: ReplayParts;
  readonly memory: Store;
  /** Name and place of the replay's worktree: to be removed. */
  readonly made: { readonly rid: string; path: string };
  readonly signal: AbortSignal;
}

/** A store that asks before it puts anything on record. */
export function askingStore(store: Store, mayRecord: () => void): Store {
  const append: Store["append"] = (...args) => {
    mayRecord();
    return store.append(...args);
  };
  return new Proxy(store, {
    get(target, key) {
      if (key === "append") return append;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** A clock that stands, chance that is none, waits that are over at once; alarms go off only when `expire` is called. */
export interface StandingChance extends Chance {
  expire(): void;
}

/** `chance`: the machine's, for the name of the replay's worktree. `at`: milliseconds since 1970. */
export function standingChance(chance: Chance, at: number): StandingChance {
  const alarms = new AbortController();
  return {
    now: () => at,
    sleep: async () => undefined,
    random: () => 0,
    rid: () => chance.rid(),
    day: (instant) => chance.day(instant),
    minute: (instant) => chance.minute(instant),
    alarm: () => alarms.signal,
    expire: () => alarms.abort(),
  };
}

/**
 * The ledger of a user without ceilings, and of whom nothing is known. `narrow`: tokens that a call may hold at most, as
 * if the user's day had no more; a replay does not know what other runs had used of it then. Null: any.
 */
export interface ReplayLedger extends UserLedger {
  narrow(tokens: number | null): void;
}

/** Holds nothing and remembers nothing. */
export function replayLedger(): ReplayLedger {
  let most: number | null = null;
  return {
    get ceilings() {
      return most === null ? {} : { day: { maxTokens: most } };
    },
    narrow: (tokens) => {
      most = tokens;
    },
    hold: () => ({ type: "held" }),
    settle: () => undefined,
    release: () => undefined,
    open: () => [],
    spend: () => ({ settledNanos: 0, heldNanos: 0, settledTokens: 0, heldTokens: 0 }),
    calibration: () => UNCALIBRATED,
    keepCalibration: () => undefined,
    close: () => undefined,
  };
}

/** Nobody is asked: nothing has to be looked after. */
export const NO_HEALTH: LaneHealth = {
  admit: () => ({ type: "go", credential: null }),
  settle: () => undefined,
  withdraw: () => undefined,
  wake: () => false,
  accounts: () => [],
  trouble: () => null,
  close: () => undefined,
};

/** Keeps no answer that is arriving: all have arrived. */
export const NO_SPOOL: Spool = {
  write: () => undefined,
  read: () => null,
  remove: () => undefined,
  flush: () => undefined,
  list: () => [],
};

/** The folder of a run that nobody is going to look at. */
export function memoryResults(): Results {
  const files = new Map<string, Uint8Array>();
  return {
    dir: "",
    pathOf: (rid) => rid,
    write: (rid, name, bytes) => void files.set(`${rid}/${name}`, bytes),
    read: (rid, name) => files.get(`${rid}/${name}`) ?? null,
    publish: () => true,
    bundle: async () => "",
  };
}

/** The repository, for a run that leaves nothing in it: no commit is made. `copied`: what the run had found to copy; null: as it is now. */
export function passingRepository(repository: Repository, copied: readonly string[] | null): Repository {
  const passing = (workspace: Workspace): Workspace => ({
    ...workspace,
    commit: async (_, parent) => parent,
    flush: async () => undefined,
  });
  return {
    ...repository,
    openWorkspace: (rid, path) => passing(repository.openWorkspace(rid, path)),
    async copyDependencies(path, globs) {
      const now = await repository.copyDependencies(path, globs);
      return copied ?? now;
    },
  };
}
