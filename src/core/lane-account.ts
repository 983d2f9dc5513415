import type { Allowance } from "./allowance.ts";
import {
  afterOutcome,
  type Breaker,
  type BreakerOutcome,
  breakerAt,
  CLOSED,
  isOfCredential,
  type Rest,
  verdict,
  withoutProbe,
  withProbe,
  woken,
} from "./breaker.ts";
import type { FailureClass } from "./failure.ts";
import type { Limits } from "./lane.ts";
import {
  type Need,
  NO_TRAFFIC,
  roomFor,
  sweptTraffic,
  type Traffic,
  trafficBack,
  withCall,
  withoutCall,
  withSaid,
} from "./lane-traffic.ts";
import type { ModelFailure } from "./model.ts";
import type { CallEnd } from "./settlement.ts";
import type { Owner } from "./store.ts";
import { totalTokens } from "./usage.ts";

/** What is known of one credential of a lane: shared by all processes of the machine, lost without harm. Plain data. */
export interface LaneAccount {
  readonly at: number;
  /** For what concerns all models: rate, quota, a key that is not taken. */
  readonly own: Breaker;
  /** For what concerns one model; a missing one is closed. */
  readonly models: Readonly<Record<string, Breaker>>;
  readonly traffic: Traffic;
}

/** Nothing is known. */
export const NEW_ACCOUNT: LaneAccount = { at: 0, own: CLOSED, models: {}, traffic: NO_TRAFFIC };

/** A call that wants to be sent. */
export interface WantedCall extends Need {
  readonly callId: string;
  /** A person asks for it: it goes whatever rests, and counts as any other. */
  readonly isForced: boolean;
}

/** What a call hears. `reason`: for people, to follow the provider's name. Null instants are not known. */
export type Entry =
  | { readonly type: "go" }
  /** It will be let in soon, or once something that is under way has ended. */
  | {
      readonly type: "wait";
      readonly untilAt: number | null;
      readonly reason: string;
      /** What is under way tries whether it answers at all: others may be asked meanwhile. */
      readonly isProbed?: true;
    }
  /** It does not answer, or will not be asked for now: another lane may do better. */
  | { readonly type: "rest"; readonly untilAt: number; readonly reason: string; readonly why: FailureClass };

/** What a call has shown, and taken. */
export interface LaneOutcome {
  readonly breaker: BreakerOutcome;
  /** Null: nobody knows. */
  readonly tokens: number | null;
  readonly allowances: readonly Allowance[];
  /** True for a failure that concerns this model only, whatever its class. */
  readonly isOfModel?: boolean;
}

/** A call that was stopped by whoever made it, or of which nothing is known. */
export const NOTHING_SHOWN: LaneOutcome = { breaker: { type: "nothing" }, tokens: null, allowances: [] };

/** What the end of a call says of its lane. Who answers that a request is wrong, too long or not wanted, is well. */
export function shownBy(end: CallEnd): LaneOutcome {
  const allowances = end.allowances ?? [];
  const tokens =
    end.usage === null ? (end.type === "failed" && !end.failure.mayBeBilled ? 0 : null) : totalTokens(end.usage);
  if (end.type === "answered") return { breaker: { type: "success" }, tokens, allowances };
  const { failure } = end;
  const breaker: BreakerOutcome = isOfLane(failure.class)
    ? { type: "failure", why: failure.class, retryAfterMs: failure.retryAfterMs }
    : { type: "success" };
  return { breaker, tokens, allowances, ...(isOneModelsOnly(failure) ? { isOfModel: true } : {}) };
}

/** Who asks, when, and under which limits. `isAlive`: false for a process of this machine that has ended. */
export interface Surroundings {
  readonly limits: Limits;
  readonly now: number;
  readonly self: Owner;
  readonly isAlive: (owner: Owner) => boolean;
}

/** Says whether a call may be sent, and where it may, counts it as sent. */
export function admitted(
  account: LaneAccount,
  call: WantedCall,
  { limits, now, self, isAlive }: Surroundings,
): { readonly account: LaneAccount; readonly entry: Entry } {
  const before = accountAt(account, now, isAlive);
  const { callId, model } = call;
  const breakers = [before.own, breakerOf(before, model)];
  const entry = call.isForced ? GO : entryOf(breakers, roomFor(before.traffic, call, limits, now), now);
  if (entry.type !== "go") return { account: before, entry };
  const sent = { callId, model, owner: self, sentAt: now, tokens: call.inputTokens + call.outputTokens };
  const [own = CLOSED, ofModel = CLOSED] = breakers.map((breaker) =>
    verdict(breaker, now).type === "probe" ? withProbe(breaker, callId, now) : breaker,
  );
  const traffic = withCall(before.traffic, sent, call);
  return { account: withModel({ ...before, own, traffic }, model, ofModel), entry };
}

/** A call has ended. One that is not known (another process has taken it for dead) changes nothing. */
export function settled(account: LaneAccount, callId: string, outcome: LaneOutcome, now: number): LaneAccount {
  const before = accountAt(account, now, () => true);
  const call = before.traffic.calls.find((one) => one.callId === callId);
  if (!call) return before;
  const { breaker, tokens, allowances } = outcome;
  const isOwn = breaker.type === "failure" && isOfCredential(breaker.why) && !outcome.isOfModel;
  const nothing: BreakerOutcome = { type: "nothing" };
  const toOwn = isOwn || breaker.type === "success" ? breaker : nothing;
  const own = before.own.rest === null && !isOwn ? before.own : afterOutcome(before.own, call, toOwn, now);
  const ofModel = afterOutcome(breakerOf(before, call.model), call, isOwn ? nothing : breaker, now);
  const traffic = withSaid(withoutCall(before.traffic, callId, tokens), call.model, allowances, now);
  return withModel({ ...before, own, traffic }, call.model, ofModel);
}

/** A call was never sent: as if it had not been admitted. */
export function withdrawn(account: LaneAccount, callId: string, now: number): LaneAccount {
  return settled(account, callId, { ...NOTHING_SHOWN, tokens: 0 }, now);
}

/** The same once whoever has begun at `since` may try what rests only by our guess. Null: nothing does. */
export function wokenAccount(account: LaneAccount, since: number, now: number): LaneAccount | null {
  const models = Object.entries(account.models).map(([model, breaker]) => [model, woken(breaker, since, now)] as const);
  const own = woken(account.own, since, now);
  const before = [account.own, ...Object.values(account.models)];
  const isSame = [own, ...models.map(([, breaker]) => breaker)].every(({ rest }, index) => {
    return rest?.untilAt === before[index]?.rest?.untilAt;
  });
  return isSame ? null : { ...account, own, models: Object.fromEntries(models) };
}

/**
 * The same now: what is over is gone, and so is what belongs to processes that are not there any more. A clock that
 * was put back leaves each wait as long as it was.
 */
export function accountAt(account: LaneAccount, now: number, isAlive: (owner: Owner) => boolean): LaneAccount {
  const back = Math.max(0, account.at - now);
  const traffic = sweptTraffic(back === 0 ? account.traffic : trafficBack(account.traffic, back), now, isAlive);
  const isUnderWay = (callId: string) => traffic.calls.some((call) => call.callId === callId);
  const kept = (breaker: Breaker) => {
    const known = breakerAt({ ...breaker, at: account.at }, now);
    return known.probe === null || isUnderWay(known.probe.callId) ? known : withoutProbe(known);
  };
  const models = Object.entries(account.models)
    .map(([model, breaker]) => [model, kept(breaker)] as const)
    .filter(([, { rest, samples, failuresInARow }]) => rest !== null || samples.length > 0 || failuresInARow > 0);
  return { at: now, own: kept(account.own), models: Object.fromEntries(models), traffic };
}

/** How a model of it stands; null rest: it is asked. */
export function standingOf(breaker: Breaker, now: number): Standing {
  const { rest } = breakerAt(breaker, now);
  if (rest === null) return { state: "closed", untilAt: null, why: null };
  const { why, untilAt } = rest;
  return now < untilAt ? { state: "open", untilAt, why } : { state: "half-open", untilAt: null, why };
}

/** A breaker as people look at it. `untilAt`: of an open one. */
export interface Standing {
  readonly state: "closed" | "open" | "half-open";
  readonly untilAt: number | null;
  readonly why: FailureClass | null;
}

const GO: Entry = { type: "go" };

function entryOf(breakers: readonly Breaker[], room: ReturnType<typeof roomFor>, now: number): Entry {
  for (const breaker of breakers) {
    const said = verdict(breaker, now);
    if (said.type !== "rest") continue;
    if (said.isProbed)
      return { type: "wait", untilAt: null, isProbed: true, reason: "one call tries whether it answers again" };
    return restEntry(breaker.rest, said.untilAt);
  }
  return room.type === "room" ? GO : { type: "wait", untilAt: room.untilAt, reason: room.reason };
}

/** Whoever is only asked too often is waited for as for a limit. */
function restEntry(rest: Rest | null, untilAt: number): Entry {
  const why = rest?.why ?? "server";
  if (why === "rate") return { type: "wait", untilAt, reason: "it was asked too often" };
  return { type: "rest", untilAt, why, reason: REASONS[why] ?? `it failed (${why})` };
}

const REASONS: Readonly<Partial<Record<FailureClass, string>>> = {
  quota: "its quota is used up",
  auth: "it did not take its key",
  overloaded: "it was overloaded",
  timeout: "it did not answer in time",
  stalled: "it did not answer in time",
  network: "it could not be reached, or broke off",
  server: "it had errors",
};

function breakerOf({ models }: LaneAccount, model: string): Breaker {
  return (Object.hasOwn(models, model) ? models[model] : undefined) ?? CLOSED;
}

function withModel(account: LaneAccount, model: string, breaker: Breaker): LaneAccount {
  const others = Object.entries(account.models).filter(([name]) => name !== model);
  return { ...account, models: Object.fromEntries([...others, [model, breaker]]) };
}

function isOfLane(failure: FailureClass): boolean {
  return !["refusal", "invalid", "overflow"].includes(failure);
}

/** A key that may not use a model may use others. */
function isOneModelsOnly({ class: failure, httpStatus }: ModelFailure): boolean {
  return failure === "auth" && httpStatus === 403;
}
