import { setTimeout as sleep } from "node:timers/promises";
import type { Asker, ModelEvent, ModelFailure, ModelRequest, Part } from "../core/model.ts";
import { formatModelRef } from "../core/model.ts";
import { ABORTED } from "./failures.ts";
import type { ScriptedFault, ScriptedTurn } from "./scripted-transcript.ts";

/** Pieces in which a text is streamed. */
const PIECES = 3;

/** Answers from a transcript: no network, no money, and always the same. */
export interface ScriptedProvider {
  /** One attempt. Contract: as `Models.send`. */
  send(request: ModelRequest, signal: AbortSignal): AsyncIterable<ModelEvent>;
}

/**
 * A request is answered by the first turn that matches its asker, wherever the run was killed and resumed: turns count
 * the answers of a conversation. Only `fault.times` counts the attempts of this process.
 */
export function scriptedProvider(turns: readonly ScriptedTurn[]): ScriptedProvider {
  const failed = new Map<string, number>();

  return {
    async *send(request, signal) {
      const { asker } = request;
      const unasked = asker.purpose === "compact" ? SUMMARY : undefined;
      const turn = turns.find((candidate) => matches(candidate, asker)) ?? unasked;
      if (turn === undefined) return yield failure(noMatch(asker));
      if (!(await waited(turn.delayMs, signal))) return yield failure({ ...ABORTED, mayBeBilled: false });
      const attempt = `${asker.stepId} ${asker.conversation} ${asker.turn}`;
      const failures = failed.get(attempt) ?? 0;
      if (turn.fault !== null && failures < turn.fault.times) {
        failed.set(attempt, failures + 1);
        return yield failure(faultOf(turn.fault));
      }
      for (const event of answerOf(turn, request)) {
        if (signal.aborted) return yield failure({ ...ABORTED, mayBeBilled: false });
        yield event;
      }
    },
  };
}

/** What is said to a question beside the talk of which a transcript says nothing. */
const SUMMARY: ScriptedTurn = {
  role: null,
  step: null,
  turn: 0,
  purpose: "compact",
  conversation: null,
  say: "## State\nThe transcript goes on with its next turn.",
  think: null,
  calls: [],
  usage: { input: 0, cacheRead: 0, cacheWrite: 0, output: 0 },
  stop: null,
  delayMs: 0,
  fault: null,
};

/** Passes events on and keeps texts and answer before anyone hears of them, as a wire keeps its bytes. */
export async function* recordingEvents(
  events: AsyncIterable<ModelEvent>,
  keep: (bytes: Uint8Array) => void,
): AsyncGenerator<ModelEvent, void, undefined> {
  for await (const event of events) {
    if (event.type === "text" || event.type === "answered") keep(Buffer.from(`${JSON.stringify(event)}\n`));
    yield event;
  }
}

/** The events that `recordingEvents` kept, as far as they are whole. */
export function* recordedEvents(bytes: Uint8Array): Generator<ModelEvent, void, undefined> {
  for (const line of new TextDecoder().decode(bytes).split("\n").slice(0, -1)) {
    const event = parseEvent(line);
    if (event === null) return;
    yield event;
  }
}

/** Null for what is no event: power was lost before it was on disk. */
function parseEvent(line: string): ModelEvent | null {
  try {
    const event: unknown = JSON.parse(line);
    return typeof (event as ModelEvent | null)?.type === "string" ? (event as ModelEvent) : null;
  } catch {
    return null;
  }
}

function matches(turn: ScriptedTurn, asker: Asker): boolean {
  return (
    turn.turn === asker.turn &&
    turn.purpose === (asker.purpose ?? null) &&
    (turn.role === null || turn.role === asker.role) &&
    (turn.step === null || turn.step === asker.stepId) &&
    (turn.conversation === null || turn.conversation === asker.conversation)
  );
}

/** False: the caller gave up. */
async function waited(delayMs: number, signal: AbortSignal): Promise<boolean> {
  if (delayMs === 0 || signal.aborted) return !signal.aborted;
  return sleep(delayMs, true, { signal }).catch(() => false);
}

function* answerOf(turn: ScriptedTurn, request: ModelRequest): Generator<ModelEvent> {
  if (turn.think !== null) yield { type: "reasoning", text: turn.think };
  for (const text of pieces(turn.say ?? "")) yield { type: "text", text };
  for (const call of turn.calls) yield { type: "tool_call", name: call.tool };
  const { input, cacheRead, cacheWrite, output } = turn.usage;
  yield {
    type: "answered",
    parts: partsOf(turn, request),
    stop: turn.stop ?? (turn.calls.length > 0 ? "tool_calls" : "end"),
    usage: { freshInput: input, cacheRead, cacheWrite, output, reasoning: 0, source: "provider" },
    providerCostNanos: null,
    servedBy: null,
    cut: false,
  };
}

function partsOf(turn: ScriptedTurn, { asker, model }: ModelRequest): readonly Part[] {
  const { think, say } = turn;
  return [
    ...(think === null
      ? []
      : [{ kind: "reasoning", text: think, opaque: null, source: formatModelRef(model) } as const]),
    ...(say === null ? [] : [{ kind: "text", text: say } as const]),
    ...turn.calls.map(
      (call, index): Part => ({
        kind: "tool_call",
        id: `call_${asker.conversation}_${asker.turn}_${index + 1}`,
        name: call.tool,
        rawArguments: call.rawArguments,
      }),
    ),
  ];
}

/** Cut between characters, never within one. */
function pieces(text: string): readonly string[] {
  const characters = [...text];
  const size = Math.ceil(characters.length / PIECES);
  const starts = Array.from({ length: PIECES }, (_, index) => index * size);
  return starts.map((start) => characters.slice(start, start + size).join("")).filter((piece) => piece !== "");
}

function noMatch({ role, stepId, conversation, turn }: Asker): ModelFailure {
  const asked = `role "${role}", step "${stepId}", conversation ${conversation}, turn ${turn}`;
  return { ...fault("invalid", `the transcript has no answer for ${asked}`), httpStatus: null };
}

function faultOf(scripted: ScriptedFault): ModelFailure {
  return {
    ...fault(scripted.class, scripted.message),
    httpStatus: scripted.status,
    retryAfterMs: scripted.retryAfterMs,
  };
}

function fault(failureClass: ModelFailure["class"], message: string): ModelFailure {
  return { class: failureClass, message, httpStatus: null, retryAfterMs: null, mayBeBilled: false };
}

function failure(why: ModelFailure): ModelEvent {
  return { type: "failed", failure: why, usage: null, providerCostNanos: null };
}
