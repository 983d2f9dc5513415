import { planReservation } from "../core/budget.ts";
import { CcpError, EXIT } from "../core/errors.ts";
import type { EventOf } from "../core/event.ts";
import { formatModelRef, type ModelFacts, type ModelFailure } from "../core/model.ts";
import { formatUsd, usdToNanos } from "../core/money.ts";
import { type CallEnd, settleCall } from "../core/settlement.ts";
import { NO_USAGE, type Usage } from "../core/usage.ts";
import { type NoRoom, namedRoom, reserve, reservedCall, settleReserved, userKey } from "./calls.ts";
import type { EngineDeps } from "./deps.ts";
import { RunLog } from "./run-log.ts";

/** A ping never costs more. */
const PING_CEILING_NANOS = usdToNanos(0.01);
const PING_TOKENS = 64;
const PING_TIMEOUT_MS = 60_000;

/** What came of a ping, and what it cost. */
export interface PingAnswer {
  readonly model: string;
  /** Which of several keys was used; null: there is only one. */
  readonly credential: string | null;
  readonly ok: boolean;
  readonly servedBy: string | null;
  readonly usage: Usage;
  readonly costNanos: number;
  readonly durationMs: number;
  readonly failure: ModelFailure | null;
}

/**
 * One tiny call, reserved and settled as any other, on record as a run of its own in the journal that is handed in. It is
 * sent whatever rests, and what comes of it counts. `credential`: which of several.
 */
export async function ping(
  { model, credential }: { readonly model: ModelFacts; readonly credential: string | null },
  deps: Pick<EngineDeps, "store" | "userLedger" | "health" | "spool" | "models" | "chance" | "secrets"> & {
    /** What policies give a run, in nano-dollars; null: they do not say. */
    readonly maxCostNanos: number | null;
  },
): Promise<PingAnswer> {
  const log = openPing(formatModelRef(model.ref), deps);
  const { spool, chance, secrets, userLedger, health } = deps;
  const book = { log, spool, chance, secrets, userLedger, health };
  const ceilingNanos = Math.min(PING_CEILING_NANOS, deps.maxCostNanos ?? PING_CEILING_NANOS);
  const request = {
    model: model.ref,
    system: "You are being asked whether you are there.",
    messages: [{ role: "user", text: "Answer with the word: here" }],
    tools: [],
    asker: { role: "ping", stepId: "ping", conversation: 1, turn: 1 },
  } as const;
  const reservation = planReservation({
    price: model.price,
    inputTokensBound: deps.models.inputBound(request),
    wantedOutputTokens: PING_TOKENS,
    headroom: { nanos: model.price === null ? null : ceilingNanos, tokens: null },
    mayGrow: false,
  });
  if (reservation.type !== "fits") throw tooDear(model, ceilingNanos);
  const call = reservedCall(log, model, request, reservation, credential);
  const full = reserve(book, call, model);
  if (full !== null) throw noRoom(model, full);
  const standing = deps.models.standing(model.ref);
  const credentials = standing?.credentials.filter(({ name }) => name === credential) ?? [];
  if (standing && credentials.length > 0) {
    const [inputTokens, outputTokens] = [reservation.heldTokens - reservation.maxTokens, reservation.maxTokens];
    const wanted = { callId: userKey(log, call.callId), model: model.ref.model, inputTokens, outputTokens };
    const asked = { standing: { ...standing, credentials }, call: { ...wanted, isForced: true } };
    health.admit({ ...asked, preferred: null, except: [] }, chance.now());
  }
  const end = await send({ ...request, maxTokens: reservation.maxTokens }, call, deps.models);
  settleReserved(book, call.callId, end, model, "");
  log.record({
    type: "run.ended",
    status: end.type === "answered" ? "succeeded" : "failed",
    exitCode: end.type === "answered" ? EXIT.ok : EXIT.unavailable,
    reason: null,
    hint: null,
  });
  deps.store.release(log.rid);
  return { ...answerOf(end, model, log), credential };
}

function openPing(model: string, deps: Pick<EngineDeps, "store" | "chance">): RunLog {
  const rid = deps.chance.rid();
  const empty = deps.store.putBlob(new Uint8Array());
  deps.store.create(
    rid,
    [
      {
        type: "run.created",
        rid,
        ccpVersion: "",
        pipeline: empty,
        pipelineName: "ping",
        task: empty,
        title: model,
        inputs: {},
        base: { commit: "", tree: "", dirty: false, branch: null },
        repository: "",
        resultsDir: "",
        budgets: { run: { maxCostNanos: PING_CEILING_NANOS } },
        sandbox: { asked: "off", active: "none" },
        parent: null,
      },
    ],
    deps.chance.now(),
  );
  return new RunLog(rid, 1, { ...deps, publish: () => undefined });
}

async function send(
  request: Parameters<EngineDeps["models"]["send"]>[0],
  { callId, heldTokens, credential }: EventOf<"call.reserved">,
  models: EngineDeps["models"],
): Promise<CallEnd> {
  const inputTokensHeld = heldTokens - request.maxTokens;
  const signal = AbortSignal.timeout(PING_TIMEOUT_MS);
  for await (const event of models.send(request, { callId, signal, inputTokensHeld, credential: credential ?? null })) {
    if (event.type === "answered" || event.type === "failed") return event;
  }
  throw new Error("a provider ended without an end event");
}

function answerOf(end: CallEnd, model: ModelFacts, log: RunLog): Omit<PingAnswer, "credential"> {
  const settlement = settleCall(end, model);
  return {
    model: formatModelRef(model.ref),
    ok: end.type === "answered",
    servedBy: end.type === "answered" ? end.servedBy : null,
    usage: settlement.type === "settled" ? settlement.usage : NO_USAGE,
    costNanos: log.run.spend.run?.settledNanos ?? 0,
    durationMs: log.run.activeMs,
    failure: end.type === "failed" ? end.failure : null,
  };
}

function tooDear(model: ModelFacts, ceilingNanos: number): CcpError {
  return new CcpError(
    "ping_too_dear",
    EXIT.budget,
    `a ping of ${formatModelRef(model.ref)} might cost more than ${formatUsd(ceilingNanos)}`,
    {
      hint: "nothing was sent; name a cheaper model with --model",
    },
  );
}

function noRoom(model: ModelFacts, full: NoRoom): CcpError {
  return new CcpError(
    "budget_reached",
    EXIT.budget,
    `${namedRoom(full, model)} has no room for a ping of ${formatModelRef(model.ref)}`,
    { hint: `nothing was sent; it is in ~/.config/ccp/${full.type === "quota" ? "providers.yaml" : "config.yaml"}` },
  );
}
