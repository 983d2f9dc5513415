import { NOTHING_SPENT, type Reservation, reachedWarnings, type Scope, WINDOWS, type Window } from "../core/budget.ts";
import type { BlobRef, Event, EventOf } from "../core/event.ts";
import { canonicalJson, type Json } from "../core/json.ts";
import { NOTHING_SHOWN, shownBy } from "../core/lane-account.ts";
import type { LaneHealth } from "../core/lane-health.ts";
import { formatModelRef, type ModelFacts, type ModelFailure, type ModelRequest } from "../core/model.ts";
import type { Chance, Models, Spool } from "../core/ports.ts";
import { redact } from "../core/redact.ts";
import { stepState } from "../core/run.ts";
import { type CallEnd, settleCall } from "../core/settlement.ts";
import type { UserLedger } from "../core/store.ts";
import { totalTokens } from "../core/usage.ts";
import { type RunLog, sha256 } from "./run-log.ts";

/** What putting calls on record takes. */
export interface CallBook {
  readonly log: RunLog;
  readonly spool: Spool;
  readonly chance: Chance;
  readonly secrets: readonly string[];
  readonly userLedger: UserLedger;
  readonly health: LaneHealth;
}

/** The id that a step's next call is going to have. */
export function nextCallId(log: RunLog, stepId: string): string {
  return `${log.rid}.${stepId}.${stepState(log.run, stepId).calls + 1}`;
}

/** The intent of one attempt, worst case held: recorded before anything is sent. */
export function reservedCall(
  log: RunLog,
  model: ModelFacts,
  request: Omit<ModelRequest, "maxTokens">,
  reservation: Extract<Reservation, { type: "fits" }>,
  credential: string | null = null,
): EventOf<"call.reserved"> {
  const { stepId, role, conversation, turn } = request.asker;
  const step = stepState(log.run, stepId);
  return {
    type: "call.reserved",
    callId: nextCallId(log, stepId),
    stepId,
    role,
    conversation,
    turn,
    model: formatModelRef(model.ref),
    request: sha256(canonicalJson({ ...request, maxTokens: reservation.maxTokens })),
    maxTokens: reservation.maxTokens,
    shrunk: reservation.shrunk,
    heldNanos: reservation.heldNanos,
    heldTokens: reservation.heldTokens,
    facts: log.json(model as unknown as Json),
    retryOf: step.lostCall?.callId ?? null,
    ...(request.asker.purpose ? { purpose: request.asker.purpose } : {}),
    ...(credential === null ? {} : { credential }),
  };
}

/** What has no room for a reservation: a scope of the run's, a window of the user's, or the quota of the model's provider. */
export type NoRoom =
  | { readonly type: "scope"; readonly scope: Scope }
  | { readonly type: "window"; readonly window: Window }
  | { readonly type: "quota"; readonly window: Window };

/** What is full, for people. */
export function namedRoom(full: NoRoom, { ref }: ModelFacts): string {
  if (full.type === "scope") return `the budget of ${full.scope}`;
  return full.type === "window"
    ? `your ceiling for this ${full.window}`
    : `your quota for ${ref.provider} this ${full.window}`;
}

/**
 * Puts a reservation on record, with the user's own ledger and with the run's; in that order, so that a crash leaves a
 * hold and never a gap. Null: on record. Else nothing was written.
 */
export function reserve(book: CallBook, call: EventOf<"call.reserved">, model: ModelFacts): NoRoom | null {
  const { log, userLedger } = book;
  if (!model.scripted) {
    const { callId, heldNanos, heldTokens } = call;
    const [repository, day] = [log.run.created?.repository ?? "", book.chance.day(book.chance.now())];
    const hold = {
      callId: userKey(log, callId),
      rid: log.rid,
      repository,
      model: call.model,
      day,
      heldNanos,
      heldTokens,
      ...(model.quota ? { quota: model.quota } : {}),
      ...(model.account ? { account: model.account } : {}),
    };
    const held = userLedger.hold(hold);
    if (held.type === "over") return { type: held.isQuota ? "quota" : "window", window: held.window };
  }
  const scope = log.reserve(call);
  if (scope !== null && !model.scripted) userLedger.release(userKey(log, call.callId));
  return scope === null ? null : { type: "scope", scope };
}

/** Puts the end of a call on record: settled at what it cost, or lost where nobody can say. `text`: what arrived of it. */
export function settleReserved(book: CallBook, callId: string, end: CallEnd, model: ModelFacts, text: string): void {
  const settlement = settleCall(end, model);
  const { log, chance, health } = book;
  if (settlement.type === "lost") {
    const failure = end.type === "failed" ? withoutSecrets(end.failure, book) : null;
    lose(book, callId, { reason: settlement.reason, failure, text });
    health.settle(userKey(log, callId), shownBy(end), chance.now());
    return;
  }
  const { stepId, role, heldNanos, heldTokens, model: name, at, purpose } = openCall(log, callId);
  const { costNanos, listedNanos, usage } = settlement;
  log.record({
    type: "call.settled",
    callId,
    stepId,
    role,
    model: name,
    heldNanos,
    heldTokens,
    ...(purpose ? { purpose } : {}),
    costNanos,
    listedNanos,
    usage,
    durationMs: chance.now() - at,
    result: resultOf(book, end, text),
  });
  book.userLedger.settle(userKey(log, callId), costNanos, totalTokens(usage));
  health.settle(userKey(log, callId), shownBy(end), chance.now());
  close(book, callId, role, stepId);
}

/** It left, and its outcome is unknown: charged in full, and said. `text`: what arrived of it. */
export function loseReserved(book: CallBook, callId: string, reason: string, text: string): void {
  lose(book, callId, { reason, failure: null, text });
  book.health.settle(userKey(book.log, callId), NOTHING_SHOWN, book.chance.now());
}

/**
 * A call that was sent before a crash: its answer is taken from the spool if it had fully arrived, without a new
 * request; otherwise it is lost, and charged in full. `model`: what was known of it; null: nothing is on record.
 */
export async function closeCall(
  book: CallBook,
  callId: string,
  model: ModelFacts | null,
  models: Models,
): Promise<void> {
  const credential = book.log.run.openCalls[callId]?.credential ?? null;
  const kept = model ? await models.recover(model.ref, callId, credential) : null;
  const text = kept?.text ?? "";
  if (model && kept?.answer) settleReserved(book, callId, kept.answer, model, text);
  else loseReserved(book, callId, "ccp stopped before the answer was on record", text);
}

/** After a crash the user's ledger may hold what the run's has closed, or never had: it is put right. */
export function reconcile({ log, userLedger }: Pick<CallBook, "log" | "userLedger">): void {
  const mine = userKey(log, "");
  const held = userLedger.open(log.rid).filter((key) => key.startsWith(mine));
  for (const key of held) {
    const callId = key.slice(mine.length);
    if (!(callId in log.run.openCalls)) settleFromRecord(callId, log, userLedger);
  }
}

function settleFromRecord(callId: string, log: RunLog, userLedger: UserLedger): void {
  const end = log
    .eventsAfter(0)
    .find((event) => (event.type === "call.settled" || event.type === "call.lost") && event.callId === callId);
  const key = userKey(log, callId);
  if (end?.type === "call.settled") userLedger.settle(key, end.costNanos, totalTokens(end.usage));
  else if (end?.type === "call.lost") userLedger.settle(key, end.heldNanos, end.heldTokens);
  else userLedger.release(key);
}

/** A call of this run in this repository: one that was imported elsewhere goes on there with the same rid. */
export function userKey({ run }: Pick<RunLog, "run">, callId: string): string {
  return `${run.created?.repository ?? ""} ${callId}`;
}

function lose(
  book: CallBook,
  callId: string,
  how: { readonly reason: string; readonly failure: ModelFailure | null; readonly text: string },
): void {
  const { stepId, role, model, heldNanos, heldTokens } = openCall(book.log, callId);
  book.log.record({
    type: "call.lost",
    callId,
    stepId,
    role,
    model,
    heldNanos,
    heldTokens,
    reason: redact(how.reason, book.secrets),
    failure: how.failure,
    partial: partial(book, how.text),
  });
  book.userLedger.settle(userKey(book.log, callId), heldNanos, heldTokens);
  close(book, callId, role, stepId);
}

function resultOf(book: CallBook, end: CallEnd, text: string): EventOf<"call.settled">["result"] {
  if (end.type === "failed")
    return { type: "failed", failure: withoutSecrets(end.failure, book), partial: partial(book, text) };
  const { stop, servedBy, cut } = end;
  return { type: "answered", parts: book.log.said(end.parts), stop, servedBy, cut };
}

function partial({ log, secrets }: CallBook, text: string): BlobRef | null {
  return text === "" ? null : log.text(redact(text, secrets));
}

function withoutSecrets(failure: ModelFailure, { secrets }: CallBook): ModelFailure {
  return { ...failure, message: redact(failure.message, secrets) };
}

function openCall(log: RunLog, callId: string): EventOf<"call.reserved"> & { readonly at: number } {
  const call = log.run.openCalls[callId];
  if (!call) throw new Error(`call ${callId} is not open`);
  return call;
}

function close(book: CallBook, callId: string, role: string, stepId: string): void {
  book.spool.remove(callId);
  const scopes: readonly Scope[] = ["run", `role:${role}`, `step:${stepId}`];
  const warnings = [...scopes.flatMap((scope) => newWarnings(book.log, scope)), ...windowWarnings(book)];
  if (warnings.length > 0) book.log.record(...warnings);
}

/** Once per scope and threshold. */
function newWarnings({ run }: RunLog, scope: Scope): readonly Event[] {
  return reachedWarnings(run.budgets[scope] ?? {}, run.spend[scope] ?? NOTHING_SPENT)
    .filter((percent) => !run.warned.includes(`${scope} ${percent}`))
    .map((percent) => ({ type: "budget.warned", scope, percent }));
}

/** The same for the user's day and week, once in each run. */
function windowWarnings({ log, userLedger, chance }: CallBook): readonly Event[] {
  const day = chance.day(chance.now());
  return WINDOWS.flatMap((window) => {
    const ceiling = userLedger.ceilings[window];
    if (!ceiling) return [];
    return reachedWarnings(ceiling, userLedger.spend(window, day))
      .filter((percent) => !log.run.warned.includes(`${window} ${percent}`))
      .map((percent): Event => ({ type: "budget.warned", scope: window, percent }));
  });
}
