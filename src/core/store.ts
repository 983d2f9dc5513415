import type { Scope, Spend, Window, WindowCeilings } from "./budget.ts";
import type { Calibration } from "./calibration.ts";
import type { BlobRef, Event, EventOf, EventType, StoredEvent } from "./event.ts";
import type { RoleName } from "./pipeline.ts";
import type { Run } from "./run.ts";
import type { Usage } from "./usage.ts";

/** What became of the events that were to be kept. */
export type AppendResult =
  | { readonly type: "appended"; readonly events: readonly StoredEvent[] }
  /** A reservation did not fit this scope: nothing at all was written. */
  | { readonly type: "over-budget"; readonly scope: Scope };

/** A line of `ccp runs`: kept beside the log so that a list need not fold every run. */
export interface RunSummary {
  readonly rid: string;
  readonly title: string;
  readonly pipelineName: string;
  readonly status: Run["status"];
  /** For a run that is `running`: false means that its owner died and that it can be resumed. */
  readonly owned: boolean;
  readonly applied: boolean;
  readonly createdAt: number;
  readonly lastAt: number;
  readonly settledNanos: number;
  readonly heldNanos: number;
}

/** Which runs are listed. A missing field means "all". */
export interface RunQuery {
  readonly limit?: number;
  /** How their rids begin. */
  readonly prefix?: string;
}

/** The process that holds a run, or held it last. For people, and to be asked to let go of it; nothing is decided by it. */
export interface Owner {
  readonly pid: number;
  readonly host: string;
  /** When the process began, in a form that tells it from a later one of the same pid; null: not known. */
  readonly startedAt: string | null;
}

/** One call as the ledger knows it. */
export interface CallRecord {
  readonly rid: string;
  readonly callId: string;
  readonly stepId: string;
  readonly role: string;
  readonly conversation: number;
  readonly turn: number;
  /** `provider/model`; the provider is the lane. */
  readonly model: string;
  readonly state: "reserved" | "settled" | "lost";
  readonly reservedAt: number;
  readonly heldNanos: number;
  readonly heldTokens: number;
  /** Charged; what is held counts once the call is lost. 0 while it is reserved. */
  readonly costNanos: number;
  /** What the price list says; null: no price is known, or the call is not settled. */
  readonly listedNanos: number | null;
  /** Null: not settled. */
  readonly usage: Usage | null;
  readonly durationMs: number | null;
  /** Class of a settled call that gave no answer; null: it was answered, or is not settled. */
  readonly failure: string | null;
  readonly retryOf: string | null;
}

/** An event, and the run that it is of. */
export type EventOfRun<T extends EventType = EventType> = StoredEvent & EventOf<T> & { readonly rid: string };

/** A word that a person leaves for whoever drives a run: other models for a role. */
export interface LeftRequest {
  readonly role: RoleName;
  readonly models: readonly string[];
}

/** What a removal freed, or would free. */
export interface Freed {
  readonly blobs: number;
  readonly sizeBytes: number;
}

/**
 * Where runs are remembered. Synchronous, as SQLite is: once `append` returns, its events are on disk, all or none,
 * and so is what they did to the ledger.
 * Contract: every write names the epoch it was claimed under; a write of an older epoch throws `CcpError("fenced")`.
 */
export interface Store {
  /** Begins a run with its first events, owned by this process, at epoch 1. Throws `owned` if the rid is taken. */
  create(rid: string, events: readonly Event[], at: number): readonly StoredEvent[];
  /** Takes in the whole log of a run from elsewhere, owned by nobody. Throws `CcpError("run_exists")` if the rid is taken. */
  adopt(rid: string, events: readonly StoredEvent[]): void;
  /**
   * Takes the run for this process until `release` or death; returns the new epoch. Waits `waitMs` for one who lets go
   * of it. Throws `CcpError("owned")`, exit 7.
   */
  claim(rid: string, waitMs?: number): number;
  release(rid: string): void;
  /** True while a living process, this one included, holds the run. */
  isOwned(rid: string): boolean;
  /** Who holds the run, or held it last; null for an unknown run. */
  owner(rid: string): Owner | null;
  append(rid: string, epoch: number, events: readonly Event[], at: number): AppendResult;
  /** Leaves a word for whoever drives the run; anybody may, without an epoch. Returns its number. Throws for an unknown run. */
  leave(rid: string, request: LeftRequest, at: number): number;
  /** What was left and not taken up, oldest first. A `route.changed` that names it takes it up; any other of its role, all before it. */
  requests(rid: string): readonly (LeftRequest & { readonly id: number })[];
  /** Forgets a word that cannot be followed. */
  drop(rid: string, id: number): void;
  /** In order; empty for an unknown run. */
  events(rid: string, afterSeq?: number): readonly StoredEvent[];
  /** Those of certain types, of one run or (null) of all; by run, each run's in order. */
  eventsOf<T extends EventType>(types: readonly T[], rid: string | null): readonly EventOfRun<T>[];
  /** The run as it was folded last, so that only what came after it has to be; null: fold from the beginning. */
  folded(rid: string): Run | null;
  /** Keeps a fold. It is not part of the record: it may be lost, and made again, at any time. */
  keepFolded(run: Run): void;
  /** Newest first. */
  runs(query?: RunQuery): readonly RunSummary[];
  /** What the ledger says of a scope: must equal the fold's figure. */
  ledger(rid: string, scope: Scope): Spend;
  /** In the order in which they were reserved. Null: those of all runs. */
  calls(rid: string | null): readonly CallRecord[];
  /** Kept once; on disk no later than the first event that is appended after it. */
  putBlob(bytes: Uint8Array): BlobRef;
  /** Throws a `CcpError("blob_missing")` when it is not there or its bytes do not match. */
  blob(ref: BlobRef): Uint8Array;
  /** Forgets a run: its log and its ledger. Payloads go with `sweep`. Throws `owned` while somebody holds it. */
  remove(rid: string): void;
  /** Removes payloads that no log names, and gives the space back. `dryRun`: only says what would go. */
  sweep(dryRun: boolean): Freed;
  /** What is wrong with the database, in SQLite's words; empty: it is whole. Reads all of it. */
  damage(): readonly string[];
  close(): void;
}

/** What a call takes of the user's own ceilings. */
export interface UserHold {
  /** Names the call among all of the user's: a run that was imported has its rid in several repositories. */
  readonly callId: string;
  readonly rid: string;
  /** Absolute path of the repository. */
  readonly repository: string;
  /** `provider/model`. */
  readonly model: string;
  /** The user's calendar day, as `2026-11-20`: hold and settlement are booked on it. */
  readonly day: string;
  readonly heldNanos: number;
  readonly heldTokens: number;
  /** What the user lets the model's provider have; missing: no ceiling of its own. */
  readonly quota?: WindowCeilings;
  /** The provider that it is booked on; missing: that of the model. */
  readonly account?: string;
}

/** What has no room for a hold: the user's own ceiling for a window, or the quota of the provider for it. */
export interface FullWindow {
  readonly type: "over";
  readonly window: Window;
  readonly isQuota: boolean;
}

/**
 * What all runs of the user have spent, in all repositories, by day and week. A hold is made before the run's own is,
 * and given back after it: a crash leaves a hold, never a gap.
 */
export interface UserLedger {
  /** Ceilings of the user's configuration; a missing window has none. */
  readonly ceilings: WindowCeilings;
  /** Holds, or says which window has no room; nothing is written then. Holding the same call twice is one hold. */
  hold(hold: UserHold): { readonly type: "held" } | FullWindow;
  /** Books what the call cost, in place of its hold. A second settlement changes nothing. */
  settle(callId: string, costNanos: number, tokens: number): void;
  /** Takes a hold back: the call was never made. */
  release(callId: string): void;
  /** Calls of a run that are still held, as they were named: of all runs of this name, in whichever repository. */
  open(rid: string): readonly string[];
  /** What is used of a window, held and settled: by all calls, or by those to one provider. */
  spend(window: Window, day: string, provider?: string): Spend;
  /** How far the quick input bound of a model is from what its provider counts. */
  calibration(model: string): Calibration;
  keepCalibration(model: string, calibration: Calibration): void;
  close(): void;
}
