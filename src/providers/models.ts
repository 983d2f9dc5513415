import { CcpError, EXIT } from "../core/errors.ts";
import type { Json } from "../core/json.ts";
import { credentialsOf, type Lane } from "../core/lane.ts";
import type { ModelEvent, ModelRef, ModelRequest } from "../core/model.ts";
import type { Models, RecoveredCall, Spool } from "../core/ports.ts";
import { redact } from "../core/redact.ts";
import { sendAnthropicMessages } from "./anthropic-messages.ts";
import { laneStanding, withCredential } from "./lane-standing.ts";
import { cannotAsk, factsOf, laneOf } from "./model-facts.ts";
import { loadO200k } from "./o200k.ts";
import { sendOllamaChat } from "./ollama-chat.ts";
import { sendOpenaiChat } from "./openai-chat.ts";
import { sendOpenaiResponses } from "./openai-responses.ts";
import { loadPriceBook, NO_PRICES } from "./prices.ts";
import { providerCount } from "./provider-count.ts";
import { recordedEvents, recordingEvents, type ScriptedProvider, scriptedProvider } from "./scripted.ts";
import { parseTranscript, type ScriptedTurn } from "./scripted-transcript.ts";
import { stallLimits } from "./stall-limits.ts";
import { type CountTokens, countedBound, inputBound } from "./tokens.ts";
import { recordingTransport, replayTransport, type Transport } from "./transport.ts";

/** What the room of the providers is built from. */
export interface ModelsOptions {
  readonly lanes: readonly Lane[];
  readonly spool: Spool;
  /** The data of a transcript file, not checked. Throws a `CcpError` when it cannot be read. Asked once for each path. */
  readonly readTranscript: (path: string) => Json;
  /** Values that no message may show, beside the keys of the lanes. */
  readonly secrets?: readonly string[];
}

type Call = Parameters<Models["send"]>[1];
type Wire = (lane: Lane, request: ModelRequest, transport: Transport) => AsyncIterable<ModelEvent>;

const WIRES: Readonly<Record<Exclude<Lane["wire"], "scripted">, Wire>> = {
  "anthropic-messages": sendAnthropicMessages,
  "openai-responses": sendOpenaiResponses,
  "openai-chat": sendOpenaiChat,
  "ollama-chat": sendOllamaChat,
};

/**
 * The models that can be asked through these lanes. Asynchronous because the price list is loaded where something may
 * cost money. A transcript is read when its facts are asked for: `facts` throws `CcpError("invalid_transcript")`, exit 2,
 * with everything that is wrong in it.
 */
export async function createModels(options: ModelsOptions): Promise<Models> {
  const { lanes, spool } = options;
  const mayCost = lanes.some((lane) => !lane.free && cannotAsk(lane) === null);
  const prices = mayCost ? await loadPriceBook() : NO_PRICES;
  const count = providerCount();
  let tokenizer: Promise<CountTokens> | null = null;
  const secrets = [...(options.secrets ?? []), ...lanes.flatMap(credentialsOf)];
  const scriptedOf = scriptedLibrary(options.readTranscript);

  function begin(request: ModelRequest, call: Call): AsyncIterable<ModelEvent> {
    const lane = withCredential(askable(request.model, lanes), call.credential ?? null);
    if (lane.wire !== "scripted") {
      return WIRES[lane.wire](lane, request, recordingTransport({ spool, ...call, ...stallLimits(lane) }));
    }
    const events = scriptedOf(lane, request.model).send(request, call.signal);
    return recordingEvents(events, (bytes) => spool.write(call.callId, bytes));
  }

  return {
    facts(ref) {
      const lane = askable(ref, lanes);
      if (lane.wire === "scripted") scriptedOf(lane, ref);
      return factsOf(lane, ref.model, prices);
    },

    standing(ref) {
      const lane = lanes.find(({ id }) => id === ref.provider);
      return lane === undefined ? null : laneStanding(lane);
    },

    async *send(request, call) {
      const events = orReason(() => begin(request, call));
      if (events instanceof CcpError) return yield refusedBefore(events);
      for await (const event of events) yield withoutSecrets(event, secrets);
    },

    async recover(ref, callId, credential = null) {
      const bytes = spool.read(callId);
      const found = lanes.find(({ id }) => id === ref.provider);
      const lane = found && { ...found, credentialName: credential ?? found.credentialName };
      if (bytes === null || lane === undefined) return { answer: null, text: "" };
      if (lane.wire === "scripted") return recovered(recordedEvents(bytes));
      return recovered(WIRES[lane.wire](lane, emptyRequest(ref), replayTransport(bytes)));
    },

    inputBound: (request) => inputBound(request),

    async tightInputBound(request, credential = null) {
      const lane = lanes.find(({ id }) => id === request.model.provider);
      const canCount = lane !== undefined && cannotAsk(lane) === null;
      const counted = canCount ? await count(withCredential(lane, credential), request) : null;
      if (counted !== null) return countedBound(request, counted);
      if (!isOpenai(request.model)) return inputBound(request);
      tokenizer ??= loadO200k();
      return inputBound(request, { exact: await tokenizer });
    },
  };
}

/**
 * One provider for each transcript, made when it is first asked for: it counts the attempts that are to fail. A lane of
 * the user's own names its transcript; for the built-in one it stands where others have a model.
 */
function scriptedLibrary(readTranscript: ModelsOptions["readTranscript"]) {
  const providers = new Map<string, ScriptedProvider>();
  return (lane: Lane, ref: ModelRef): ScriptedProvider => {
    const path = lane.baseUrl === "" ? ref.model : lane.baseUrl;
    const provider = providers.get(path) ?? scriptedProvider(turnsOf(path, readTranscript(path)));
    providers.set(path, provider);
    return provider;
  };
}

function turnsOf(path: string, json: Json): readonly ScriptedTurn[] {
  const parsed = parseTranscript(json);
  if (parsed.ok) return parsed.turns;
  const lines = parsed.problems.map((problem) => `${path}  ${problem}`);
  throw new CcpError("invalid_transcript", EXIT.usage, lines.join("\n"), {
    hint: "the format is described in docs/scripted-provider.md",
  });
}

function askable(ref: ModelRef, lanes: readonly Lane[]): Lane {
  const lane = laneOf(ref, lanes);
  const reason = cannotAsk(lane);
  if (reason !== null) throw reason;
  return lane;
}

function orReason<T>(find: () => T): T | CcpError {
  try {
    return find();
  } catch (error) {
    if (error instanceof CcpError) return error;
    throw error;
  }
}

function refusedBefore(reason: CcpError): ModelEvent {
  return {
    type: "failed",
    failure: {
      class: reason.exitCode === EXIT.credentials ? "auth" : "invalid",
      message: reason.message,
      httpStatus: null,
      retryAfterMs: null,
      mayBeBilled: false,
    },
    usage: null,
    providerCostNanos: null,
  };
}

function withoutSecrets(event: ModelEvent, secrets: readonly string[]): ModelEvent {
  if (event.type !== "failed") return event;
  return { ...event, failure: { ...event.failure, message: redact(event.failure.message, secrets) } };
}

async function recovered(events: AsyncIterable<ModelEvent> | Iterable<ModelEvent>): Promise<RecoveredCall> {
  let text = "";
  for await (const event of events) {
    if (event.type === "text") text += event.text;
    if (event.type === "answered") return { answer: event, text };
  }
  return { answer: null, text };
}

/** A replay asks nobody: what its reader needs to know is in the spool. */
function emptyRequest(model: ModelRef): ModelRequest {
  const asker = { role: "", stepId: "", conversation: 1, turn: 1 };
  return { model, system: "", messages: [], tools: [], maxTokens: 1, asker };
}

/** Whose tokenizer we have. */
function isOpenai({ provider }: ModelRef): boolean {
  return provider === "openai" || provider === "openai-chat";
}
