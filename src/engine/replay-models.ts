import { CcpError, EXIT } from "../core/errors.ts";
import type { BlobRef, EventOf, StoredEvent } from "../core/event.ts";
import { formatModelRef, type ModelEvent, type ModelFacts, type Part } from "../core/model.ts";
import { FREE } from "../core/money.ts";
import type { Models } from "../core/ports.ts";
import type { CallEnd } from "../core/settlement.ts";
import type { Store } from "../core/store.ts";

/** One attempt to ask a model, as the journal has it. */
export interface RecordedCall {
  readonly reserved: EventOf<"call.reserved">;
  /** Null: none is on record, or it was lost in a crash. */
  readonly end: EventOf<"call.settled" | "call.lost"> | null;
}

/** Reads payloads of the journal that is replayed from. */
export interface RecordedPayloads {
  text(ref: BlobRef): string;
  json<T>(ref: BlobRef): T;
}

/** Throws `CcpError("blob_missing")` for one that is gone or not what it was. */
export function recordedPayloads(store: Pick<Store, "blob">): RecordedPayloads {
  const text = (ref: BlobRef) => new TextDecoder().decode(store.blob(ref));
  return { text, json: (ref) => JSON.parse(text(ref)) };
}

/** What was known of the models when they were asked. `routes`: lists of models, of which at least one is always known. */
export function recordedFacts(
  events: readonly StoredEvent[],
  routes: readonly (readonly string[])[],
  payloads: RecordedPayloads,
): Models["facts"] {
  const known = new Map<string, ModelFacts>();
  for (const event of events) {
    if (event.type === "call.reserved" && event.facts) known.set(event.model, payloads.json(event.facts));
  }
  // Nobody was asked: the step was stopped before. Whoever is first would have been.
  const unasked = new Set(routes.filter((route) => !route.some((name) => known.has(name))).map(([first]) => first));
  const [like = UNASKED] = known.values();
  return (ref) => {
    const name = formatModelRef(ref);
    const facts = known.get(name) ?? (unasked.has(name) ? { ...like, ref } : null);
    if (facts) return facts;
    throw new CcpError("not_on_record", EXIT.failed, `the run never asked ${name}`, {
      hint: "ccp view shows whom it asked",
    });
  };
}

const UNASKED: Omit<ModelFacts, "ref"> = {
  price: FREE,
  contextWindow: null,
  maxOutputTokens: 8_192,
  local: true,
  scripted: true,
};

/** The bound of a question's input that its reservation was made with, in tokens. */
export function recordedBound({ heldTokens, maxTokens }: EventOf<"call.reserved">): number {
  return heldTokens - maxTokens;
}

/** What had come out of the attempt: the text that was kept of a failed one, then its end. Empty for one without an end. */
export function* recordedEvents({ end }: RecordedCall, payloads: RecordedPayloads): Generator<ModelEvent> {
  const partial = end === null ? null : partialOf(end);
  if (partial !== null) yield { type: "text", text: payloads.text(partial) };
  const last = end === null ? null : recordedEnd(end, payloads);
  if (last) yield last;
}

/** What had arrived of an attempt that gave no answer. */
export function partialOf(end: EventOf<"call.settled" | "call.lost">): BlobRef | null {
  if (end.type === "call.lost") return end.partial;
  return end.result.type === "failed" ? end.result.partial : null;
}

/** Null: a crash has lost it. */
export function recordedEnd(end: EventOf<"call.settled" | "call.lost">, payloads: RecordedPayloads): CallEnd | null {
  if (end.type === "call.lost") {
    return end.failure && { type: "failed", failure: end.failure, usage: null, providerCostNanos: null };
  }
  const { result, usage, costNanos, listedNanos } = end;
  // A provider's figure that is the list's own books the same.
  const providerCostNanos = costNanos === (listedNanos ?? 0) ? null : costNanos;
  if (result.type === "failed") return { type: "failed", failure: result.failure, usage, providerCostNanos };
  const { stop, servedBy, cut } = result;
  const parts = payloads.json<readonly Part[]>(result.parts);
  return { type: "answered", parts, stop, usage, providerCostNanos, servedBy, cut };
}

/** How an attempt ends that was stopped while its answer was arriving. */
export const STOPPED: CallEnd = {
  type: "failed",
  failure: { class: "network", message: "stopped", httpStatus: null, retryAfterMs: null, mayBeBilled: false },
  usage: null,
  providerCostNanos: null,
};
