import type { CredentialName, LaneStanding } from "./lane.ts";
import type { Entry, LaneAccount, LaneOutcome, WantedCall } from "./lane-account.ts";

/** Asks whether a call may be sent through a lane, and with which of its credentials. */
export interface AskedLane {
  readonly standing: LaneStanding;
  readonly call: WantedCall;
  /** Name of the credential that has been used so far: a provider's cache belongs to it. Null: none has. */
  readonly preferred: string | null;
  /** Names of credentials that have just failed. */
  readonly except: readonly string[];
}

/** What is said to it. Where none of its credentials may be used: what is said of the one that may be soonest. */
export type Admission =
  /** It counts as sent. `credential`: the variable's name, where there are several. */
  | { readonly type: "go"; readonly credential: string | null }
  | Exclude<Entry, { readonly type: "go" }>
  /** The user lets its provider have no more, until then. */
  | { readonly type: "spent"; readonly untilAt: number; readonly reason: string }
  /** No credential is left but those that have failed. */
  | { readonly type: "none" };

/** One credential of a lane and what is known of it. */
export interface KnownAccount {
  readonly lane: string;
  readonly key: string;
  readonly account: LaneAccount;
}

/**
 * How the lanes are, and what passes through them: shared by all processes of the user on this machine. Synchronous.
 * Contract: of calls that want to try whether a lane answers again, one is let through; limits hold among all
 * processes; no method throws for what is wrong with its file: it goes on with what this process alone knows.
 */
export interface LaneHealth {
  /** Whoever is told to go has to `settle` or `withdraw`, or to end: what a dead process holds is given back. */
  admit(asked: AskedLane, now: number): Admission;
  /** A call that is not under way changes nothing. */
  settle(callId: string, outcome: LaneOutcome, now: number): void;
  /** The call was not sent after all. */
  withdraw(callId: string, now: number): void;
  /**
   * Whoever has begun at `since` has nobody else to ask: what has rested in these lanes since before, only because we
   * guess so, may be tried. False: nothing does.
   */
  wake(lanes: readonly string[], since: number, now: number): boolean;
  accounts(now: number): readonly KnownAccount[];
  /** Why it is not shared any more, once; null: it is, or it was said before. */
  trouble(): string | null;
  close(): void;
}

/** The credentials in the order in which they are tried. */
export function inOrder({ standing, preferred, except }: AskedLane): readonly CredentialName[] {
  const left = standing.credentials.filter(({ name }) => name === null || !except.includes(name));
  return [...left.filter(({ name }) => name === preferred), ...left.filter(({ name }) => name !== preferred)];
}

/** Of what several credentials say, the one that may be used first. */
export function soonest(entries: readonly Exclude<Entry, { readonly type: "go" }>[]): Admission {
  const rank = ({ type, untilAt }: (typeof entries)[number]) => (type === "wait" ? 0 : 1e16) + (untilAt ?? 0);
  return entries.toSorted((a, b) => rank(a) - rank(b))[0] ?? { type: "none" };
}
