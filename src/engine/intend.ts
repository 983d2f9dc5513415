import {
  type Budget,
  type Headroom,
  headroomOf,
  NOTHING_SPENT,
  planReservation,
  type Reservation,
  type Scope,
  tightest,
  WINDOWS,
  type Window,
} from "../core/budget.ts";
import { formatModelRef, type ModelFacts } from "../core/model.ts";
import { formatUsd } from "../core/money.ts";
import type { AgentStep } from "../core/pipeline.ts";
import { budgetRule, permittedBudget } from "../core/policy-limits.ts";
import type { CallIntent, IntendResult } from "../core/ports.ts";
import { stepState } from "../core/run.ts";
import { type NoRoom, namedRoom, reserve, reservedCall } from "./calls.ts";
import { type Context, callBook } from "./context.ts";
import { policyOf } from "./policy.ts";
import { quotaHeadroom } from "./quota.ts";

/** The longest wait for calls of the same run to settle: two minutes is a long answer. */
const LONGEST_WAIT_MS = 120_000;
/** Calls of other runs cannot tell us: their settling is looked for this often, so many times. */
const LOOK_AGAIN_MS = 250;
const MOST_LOOKS = 40;

/** A reservation in the making: what is known of the input, and how long it has waited. */
interface Bargain {
  readonly bound: number;
  readonly isTight: boolean;
  readonly looks: number;
}

/** Holds the worst case of a call. While it does not fit, the input is counted better, then what is in flight is waited for, then the answer is shortened. */
export async function intend(
  context: Context,
  step: AgentStep,
  intent: CallIntent,
  inputTokensBound: number,
): Promise<IntendResult> {
  if (isToBeAsked(context, step)) {
    return {
      type: "refused",
      why: "lost",
      reason: "a call was lost or its answer broke off, and the pipeline says to stop then",
    };
  }
  let bargain: Bargain = { bound: inputTokensBound, isTight: false, looks: 0 };
  for (;;) {
    const reservation = plan(context, step, intent, bargain);
    if (!bargain.isTight && !isWhole(reservation)) {
      const bound = Math.min(bargain.bound, await tightBound(context, intent));
      bargain = { ...bargain, bound, isTight: true };
      continue;
    }
    if (reservation.type === "wait") {
      bargain = { ...bargain, looks: (await waitForMore(context)) ? bargain.looks : bargain.looks + 1 };
      continue;
    }
    if (reservation.type !== "fits") return refusal(context, step, intent, reservation);
    const call = reservedCall(context.log, intent.model, intent.request, reservation, intent.credential);
    const full = reserve(callBook(context), call, intent.model);
    if (full === null) return { type: "held", callId: call.callId, maxTokens: reservation.maxTokens, reservation };
    // Another process was quicker.
    bargain = { ...bargain, looks: bargain.looks + 1 };
    if (bargain.looks > MOST_LOOKS) return noRoom(intent.model, full);
  }
}

function tightBound({ deps }: Context, { request, credential }: CallIntent): Promise<number> {
  return deps.models.tightInputBound(request, credential);
}

/** Null fields have no ceiling: what is left of every scope of a call and of the user's day and week. */
export function headroom(context: Context, step: AgentStep): Headroom {
  return tightest(ownHeadroom(context, step), windowsHeadroom(context));
}

/** What run, role and step have left. */
export function ownHeadroom(context: Context, step: AgentStep): Headroom {
  const { spend } = context.log.run;
  const scopes = scopesOf(step).map((scope) =>
    headroomOf(ceilingOf(context, step, scope), spend[scope] ?? NOTHING_SPENT),
  );
  return scopes.reduce(tightest);
}

/** What the user's day and week have left. */
export function windowsHeadroom(context: Context): Headroom {
  return WINDOWS.map((window) => windowHeadroom(context, window)).reduce(tightest);
}

/** The run's own ceiling, or the lower one of a policy that is in force by now. */
function ceilingOf(context: Context, step: AgentStep, scope: Scope): Budget {
  return permittedBudget(policyOf(context, step.id), scope, context.log.run.budgets[scope] ?? {});
}

function windowHeadroom({ deps }: Context, window: Window): Headroom {
  const ceiling = deps.userLedger.ceilings[window];
  if (!ceiling) return { nanos: null, tokens: null };
  return headroomOf(ceiling, deps.userLedger.spend(window, deps.chance.day(deps.chance.now())));
}

function scopesOf(step: AgentStep): readonly Scope[] {
  return ["run", `role:${step.role}`, `step:${step.id}`];
}

/** The pipeline wants a person to be asked after a loss; whoever has resumed the run since has been. */
function isToBeAsked({ log, pipeline }: Context, step: AgentStep): boolean {
  const { lostCall } = stepState(log.run, step.id);
  return pipeline.onLostCall === "stop" && lostCall !== null && lostCall.seq > log.run.driveSeq;
}

function plan(context: Context, step: AgentStep, intent: CallIntent, { bound, looks }: Bargain): Reservation {
  return planReservation({
    price: intent.model.price,
    inputTokensBound: bound,
    wantedOutputTokens: intent.wantedOutputTokens,
    headroom: WINDOWS.map((window) => quotaHeadroom(context.deps, window, intent.model)).reduce(
      tightest,
      headroom(context, step),
    ),
    mayGrow: !context.halt.reason && mayGrow(context, intent.model, looks),
  });
}

function isWhole(reservation: Reservation): boolean {
  return reservation.type === "unpriced" || (reservation.type === "fits" && !reservation.shrunk);
}

function mayGrow(context: Context, model: ModelFacts, looks: number): boolean {
  return isInFlight(context) ? looks === 0 : othersHold(context, model) && looks < MOST_LOOKS;
}

function isInFlight({ log }: Context): boolean {
  return Object.keys(log.run.openCalls).length > 0;
}

/** True while another run of the user's holds a part of a window that has a ceiling. */
function othersHold({ deps: { chance, userLedger } }: Context, { quota, account, ref }: ModelFacts): boolean {
  const day = chance.day(chance.now());
  return WINDOWS.some(
    (window) =>
      (userLedger.ceilings[window] && userLedger.spend(window, day).heldTokens > 0) ||
      (quota?.[window] && userLedger.spend(window, day, account ?? ref.provider).heldTokens > 0),
  );
}

/** True when something came on record meanwhile; false when the wait was in vain. */
async function waitForMore({ log, deps, halt }: Context): Promise<boolean> {
  const before = log.run.seq;
  const waited = new AbortController();
  const signal = AbortSignal.any([halt.signal, waited.signal]);
  const ms = Object.keys(log.run.openCalls).length > 0 ? LONGEST_WAIT_MS : LOOK_AGAIN_MS;
  await Promise.race([log.changed(), deps.chance.sleep(ms, signal)]);
  waited.abort();
  return log.run.seq > before;
}

function refusal(
  context: Context,
  step: AgentStep,
  { model, request }: CallIntent,
  reservation: Extract<Reservation, { type: "does-not-fit" | "unpriced" }>,
): IntendResult {
  const name = formatModelRef(model.ref);
  if (reservation.type === "unpriced") {
    const reason = `the price of ${name} is unknown, so a budget in dollars cannot hold`;
    return { type: "refused", why: "unpriced", reason };
  }
  const { unit, needed, left } = reservation;
  const amount = (units: number) => (unit === "money" ? formatUsd(units) : `${units} tokens`);
  const reason = `the next call to ${name} may cost ${amount(needed)} and ${amount(left)} is left`;
  const policy = policyAtItsEnd(context, step, reservation);
  // No raise of the run's own would help: it is as with a ceiling of the user's.
  if (policy !== null) {
    const why = `${reason} of what ${policy} gives, so it was not made`;
    return { type: "refused", why: "window", reason: why };
  }
  const isAsTight = ({ nanos, tokens }: Headroom) => (unit === "money" ? nanos : tokens) === left;
  const window = WINDOWS.find((one) => isAsTight(windowHeadroom(context, one)));
  const quota = WINDOWS.find((one) => isAsTight(quotaHeadroom(context.deps, one, model)));
  if ((window ?? quota) === undefined || isFullItself(context, step, reservation)) {
    // The agent stops for this in a moment; only here is it known what would have been enough. A run can do without a diagnosis.
    if (request.asker.purpose !== "diagnose")
      context.halt.request("budget", `${reason}, so it was not made`, { unit, needed, role: step.role });
    return { type: "refused", why: "budget", reason: `${reason}, so it was not made` };
  }
  if (window === undefined) {
    const why = `${reason} of your quota for ${model.ref.provider} this ${quota}, so it was not made`;
    return { type: "spent", reason: why };
  }
  const its = policyOf(context, step.id).limits.find(({ limits }) => limits.budget?.windows?.[window]);
  const whose =
    its === undefined
      ? `of your ceiling for this ${window} in ~/.config/ccp/config.yaml`
      : `of the ceiling for this ${window} of ${its.policy}`;
  return { type: "refused", why: "window", reason: `${reason} ${whose}, so it was not made` };
}

/** The policy whose ceiling is the one that is too low; null: it is the run's own. */
function policyAtItsEnd(
  context: Context,
  step: AgentStep,
  { unit, left }: Extract<Reservation, { type: "does-not-fit" }>,
): string | null {
  const policy = policyOf(context, step.id);
  const field = unit === "money" ? "maxCostNanos" : "maxTokens";
  for (const scope of scopesOf(step)) {
    const { [field]: ceiling } = permittedBudget(policy, scope, {});
    if (ceiling === undefined) continue;
    const { nanos, tokens } = headroomOf({ [field]: ceiling }, context.log.run.spend[scope] ?? NOTHING_SPENT);
    if ((unit === "money" ? nanos : tokens) === left) return budgetRule(policy, scope, { [field]: ceiling });
  }
  return null;
}

/** True when a ceiling of the run's own is as tight as that of the user's window. */
function isFullItself(
  context: Context,
  step: AgentStep,
  { unit, left }: Extract<Reservation, { type: "does-not-fit" }>,
): boolean {
  const { spend } = context.log.run;
  return scopesOf(step).some((scope) => {
    const { nanos, tokens } = headroomOf(ceilingOf(context, step, scope), spend[scope] ?? NOTHING_SPENT);
    return (unit === "money" ? nanos : tokens) === left;
  });
}

function noRoom(model: ModelFacts, full: NoRoom): IntendResult {
  const reason = `${namedRoom(full, model)} does not hold another call to ${formatModelRef(model.ref)}`;
  if (full.type === "quota") return { type: "spent", reason };
  return { type: "refused", why: full.type === "scope" ? "budget" : "window", reason };
}
