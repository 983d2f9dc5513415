import { NOTHING_SPENT, type Reservation, reachedWarnings, type Scope } from "../core/budget.ts";
import type { Event, EventOf } from "../core/event.ts";
import { canonicalJson } from "../core/json.ts";
import { formatModelRef, type ModelFacts, type ModelRequest } from "../core/model.ts";
import type { Chance, Spool } from "../core/ports.ts";
import { redact } from "../core/redact.ts";
import { stepState } from "../core/run.ts";
import { type CallEnd, settleCall } from "../core/settlement.ts";
import { type RunLog, refOf } from "./run-log.ts";

/** What putting calls on record takes. */
export interface CallBook {
  readonly log: RunLog;
  readonly spool: Spool;
  readonly chance: Chance;
  readonly secrets: readonly string[];
}

/** The intent of one attempt, worst case held: recorded before anything is sent. */
export function reservedCall(
  log: RunLog,
  model: ModelFacts,
  request: Omit<ModelRequest, "maxTokens">,
  reservation: Extract<Reservation, { type: "fits" }>,
): EventOf<"call.reserved"> {
  const { stepId, role, conversation, turn } = request.asker;
  const bytes = new TextEncoder().encode(canonicalJson({ ...request, maxTokens: reservation.maxTokens }));
  return {
    type: "call.reserved",
    callId: `${log.rid}.${stepId}.${stepState(log.run, stepId).calls + 1}`,
    stepId,
    role,
    conversation,
    turn,
    model: formatModelRef(model.ref),
    request: refOf(bytes).sha256,
    maxTokens: reservation.maxTokens,
    shrunk: reservation.shrunk,
    heldNanos: reservation.heldNanos,
    heldTokens: reservation.heldTokens,
  };
}

/** Puts the end of a call on record: settled at what it cost, or lost where nobody can say. */
export function settleReserved(book: CallBook, callId: string, end: CallEnd, model: ModelFacts): void {
  const settlement = settleCall(end, model);
  if (settlement.type === "lost") {
    loseReserved(book, callId, settlement.reason);
    return;
  }
  const { log, chance } = book;
  const { stepId, role, heldNanos, heldTokens, model: name, at } = openCall(log, callId);
  log.record({
    type: "call.settled",
    callId,
    stepId,
    role,
    model: name,
    heldNanos,
    heldTokens,
    costNanos: settlement.costNanos,
    usage: settlement.usage,
    durationMs: chance.now() - at,
    result: resultOf(book, end),
  });
  close(book, callId, role);
}

/** It left, and its outcome is unknown: charged in full, and said. */
export function loseReserved(book: CallBook, callId: string, reason: string): void {
  const { stepId, role, model, heldNanos, heldTokens } = openCall(book.log, callId);
  book.log.record({
    type: "call.lost",
    callId,
    stepId,
    role,
    model,
    heldNanos,
    heldTokens,
    reason: redact(reason, book.secrets),
  });
  close(book, callId, role);
}

function resultOf({ log, secrets }: CallBook, end: CallEnd): EventOf<"call.settled">["result"] {
  if (end.type === "answered")
    return { type: "answered", parts: log.json(end.parts), stop: end.stop, servedBy: end.servedBy };
  return { type: "failed", failure: { ...end.failure, message: redact(end.failure.message, secrets) } };
}

function openCall(log: RunLog, callId: string): EventOf<"call.reserved"> & { readonly at: number } {
  const call = log.run.openCalls[callId];
  if (!call) throw new Error(`call ${callId} is not open`);
  return call;
}

function close({ log, spool }: CallBook, callId: string, role: string): void {
  spool.remove(callId);
  const scopes: readonly Scope[] = ["run", `role:${role}`];
  const warnings = scopes.flatMap((scope) => newWarnings(log, scope));
  if (warnings.length > 0) log.record(...warnings);
}

/** Once per scope and threshold. */
function newWarnings({ run }: RunLog, scope: Scope): readonly Event[] {
  return reachedWarnings(run.budgets[scope] ?? {}, run.spend[scope] ?? NOTHING_SPENT)
    .filter((percent) => !run.warned.includes(`${scope} ${percent}`))
    .map((percent) => ({ type: "budget.warned", scope, percent }));
}
