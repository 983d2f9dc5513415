import { CcpError } from "../core/errors.ts";
import type { Lane } from "../core/lane.ts";
import type { ModelEvent, ModelFailure, ModelRequest } from "../core/model.ts";
import { AnswerDraft, type Delta } from "./answer-draft.ts";
import { chantWatch } from "./chant-watch.ts";
import { answered, cutShort, failed } from "./conclude.ts";
import { NeverConnected } from "./dial.ts";
import { ABORTED, classifyConnection, classifyHttp, classifySaid, stalledFailure } from "./failures.ts";
import { sourceOf } from "./history.ts";
import { type LaneFetch, laneFetch } from "./lane-fetch.ts";
import { writesTextCalls } from "./model-facts.ts";
import { outgrows } from "./outgrows.ts";
import { inputBound, inputFloor } from "./tokens.ts";
import type { Asked, Transport } from "./transport.ts";

/** What a wire adds to an attempt: how it asks, and how it reads. */
export interface WireCall<Payload> {
  readonly lane: Lane;
  readonly request: ModelRequest;
  readonly transport: Transport;
  /** Sends the body with the wire's SDK, through the line's fetch only. */
  readonly send: (line: LaneFetch) => Promise<AsyncIterable<Payload>>;
  /** True where nothing can follow the end that the reader sees; otherwise the stream is read to its own end. */
  readonly endIsLast: boolean;
  /** Takes one payload into the draft and returns what is worth showing of it. */
  readonly read: (draft: AnswerDraft, payload: Payload) => readonly Delta[];
}

/**
 * One attempt, whatever the wire: deltas, then exactly one `answered` or `failed`. An answer that outgrows what was asked
 * for, or that only repeats itself, is cut: the connection is ended, and what has come is the answer. Throws only what is ccp's own trouble.
 */
export async function* attempt<Payload>(call: WireCall<Payload>): AsyncGenerator<ModelEvent, void, undefined> {
  const { lane, transport } = call;
  const asked = transport.asked(askedOf(call));
  const line = laneFetch(lane, transport);
  const draft = new AnswerDraft();
  const broken = { by: null as unknown };
  const isTooLong = outgrows(asked.maxTokens);
  const isChant = chantWatch();
  let isCut = false;
  try {
    for await (const payload of payloads(call, line, broken)) {
      const before = draft.characters;
      const deltas = call.read(draft, payload);
      transport.progress(draft.characters > before);
      if (draft.ended) transport.ended();
      yield* deltas;
      isCut = isTooLong(draft) || isChant(draft);
      if (isCut || (draft.ended && call.endIsLast)) break;
    }
  } finally {
    transport.close();
  }
  const source = sourceOf(lane, call.request);
  const allowances = line.allowances();
  const said = allowances.length === 0 ? {} : { allowances };
  if (draft.error === null && isCut) yield { ...cutShort(draft, asked, source), ...said };
  else if (draft.error === null && draft.ended) yield { ...answered(draft, asked, source), ...said };
  else yield { ...failed(draft, asked, failureOf(call, line, draft, broken.by)), ...said };
}

/** What the SDK reads, until it ends or breaks. Only our own trouble (a full disk under the spool) goes on as an exception. */
async function* payloads<Payload>(
  call: WireCall<Payload>,
  line: LaneFetch,
  broken: { by: unknown },
): AsyncGenerator<Payload, void, undefined> {
  try {
    yield* await call.send(line);
  } catch (error) {
    const ours = [error, line.trouble()].find((thrown) => thrown instanceof CcpError);
    if (ours) throw ours;
    broken.by = error;
  }
}

/** Why there is no answer. Content that had come is a part of one: it broke off. */
function failureOf(
  call: Pick<WireCall<unknown>, "lane" | "transport">,
  line: LaneFetch,
  draft: AnswerDraft,
  thrown: unknown,
): ModelFailure {
  const failure = causeOf(call, line, draft, thrown);
  return draft.characters > 0 ? { ...failure, brokeOff: true } : failure;
}

/** What the provider said comes first, then what was seen of the connection. */
function causeOf(
  { lane, transport }: Pick<WireCall<unknown>, "lane" | "transport">,
  line: LaneFetch,
  draft: AnswerDraft,
  thrown: unknown,
): ModelFailure {
  const refusal = line.refusal();
  if (refusal) return classifyHttp(lane, refusal, Date.now());
  const said = draft.error ?? line.said() ?? saidIn(thrown);
  if (said !== null) return classifySaid(lane, said, draft.characters > 0 || (draft.usage?.output ?? 0) > 0);
  const stall = transport.stall();
  // Before the first word of an answer silence is silence, whatever was announced.
  if (stall) return stalledFailure(lane, draft.characters === 0 ? { ...stall, class: "timeout" } : stall);
  if (transport.signal.aborted) return { ...ABORTED, mayBeBilled: !(line.trouble() instanceof NeverConnected) };
  return classifyConnection(lane, line.trouble() ?? thrown);
}

/** The error event of a stream, as the SDKs throw it. */
function saidIn(thrown: unknown): unknown {
  return (thrown as { readonly error?: unknown } | null)?.error ?? null;
}

function askedOf({ lane, request }: Pick<WireCall<unknown>, "lane" | "request">): Asked {
  return {
    maxTokens: request.maxTokens,
    conversation: request.asker.conversation,
    turn: request.asker.turn,
    takenIds: request.messages.flatMap((message) =>
      message.role === "assistant" ? message.parts.flatMap((part) => (part.kind === "tool_call" ? [part.id] : [])) : [],
    ),
    inputEstimate: inputBound(request),
    // Ollama counts what it evaluates: neither what it had cached (older versions) nor what did not fit its context.
    inputFloor: lane.wire === "ollama-chat" ? 0 : inputFloor(request),
    ...(writesTextCalls(lane, request.model.model) ? { textCalls: request.tools.map(({ name }) => name) } : {}),
  };
}
