import type { ProviderFailureClass } from "../core/failure.ts";
import type { Json } from "../core/json.ts";
import { CALL_PURPOSES, type CallPurpose, type StopReason } from "../core/model.ts";
import { choiceAt, complain, countAt, expectKeys, listAt, type Place, textAt, under } from "./json-place.ts";

/** One answer of the scripted provider, and when it is given. */
export interface ScriptedTurn {
  /** Null: any role. Role or step is set, or both. */
  readonly role: string | null;
  readonly step: string | null;
  /** Ordinal of the model call in its conversation, from 1. */
  readonly turn: number;
  /** Null: a turn of the conversation; else the question beside it that is answered, whose turn is 0. */
  readonly purpose: CallPurpose | null;
  /** Ordinal of the step's try, from 1; null: any. */
  readonly conversation: number | null;
  readonly say: string | null;
  readonly think: string | null;
  readonly calls: readonly ScriptedCall[];
  readonly usage: ScriptedUsage;
  /** Null: what follows from the calls. */
  readonly stop: StopReason | null;
  readonly delayMs: number;
  readonly fault: ScriptedFault | null;
}

/** A tool call that a turn makes. */
export interface ScriptedCall {
  readonly tool: string;
  /** JSON text, malformed if the transcript wants it so. */
  readonly rawArguments: string;
}

/** What a turn says that it has used, in tokens. */
export interface ScriptedUsage {
  readonly input: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
  readonly output: number;
}

/** How attempts fail before the turn is answered. */
export interface ScriptedFault {
  readonly class: ProviderFailureClass;
  readonly message: string;
  readonly status: number | null;
  readonly retryAfterMs: number | null;
  /** How many attempts of a turn fail; infinite for `always`. */
  readonly times: number;
}

/** The turns of a transcript, or everything that is wrong with it. */
export type ParsedTranscript =
  | { readonly ok: true; readonly turns: readonly ScriptedTurn[] }
  /** Everything that is wrong, each with its place: `turns[2].calls[0].tool: …`. */
  | { readonly ok: false; readonly problems: readonly string[] };

const TURN_KEYS = [
  "role",
  "step",
  "turn",
  "purpose",
  "conversation",
  "say",
  "think",
  "calls",
  "usage",
  "stop",
  "delay_ms",
  "fault",
];
const STOPS = ["end", "tool_calls", "length", "refusal"] as const satisfies readonly StopReason[];
const FAULTS = [
  "rate",
  "quota",
  "overloaded",
  "server",
  "timeout",
  "network",
  "overflow",
  "auth",
  "invalid",
  "refusal",
] as const satisfies readonly ProviderFailureClass[];

/** Checks a transcript that was read from YAML or JSON. An unknown key is an error: a slip would silently change a run. */
export function parseTranscript(json: Json): ParsedTranscript {
  const problems: string[] = [];
  const file: Place = { value: json, path: "", problems };
  expectKeys(file, ["turns"]);
  const turns = listAt(under(file, "turns")).map(readTurn);
  if (problems.length === 0 && turns.length === 0) complain(file, "turns: at least one is needed");
  return problems.length > 0 ? { ok: false, problems } : { ok: true, turns };
}

function readTurn(at: Place): ScriptedTurn {
  expectKeys(at, TURN_KEYS);
  const role = textAt(under(at, "role"));
  const step = textAt(under(at, "step"));
  if (under(at, "role").value === undefined && under(at, "step").value === undefined) {
    complain(at, "role or step is needed");
  }
  const purpose = choiceAt(under(at, "purpose"), CALL_PURPOSES);
  return {
    role,
    step,
    turn: purpose === null ? (needed(at, "turn", (place) => countAt(place, 1)) ?? 0) : 0,
    purpose,
    conversation: countAt(under(at, "conversation"), 1),
    say: textAt(under(at, "say")),
    think: textAt(under(at, "think")),
    calls: listAt(under(at, "calls")).map(readCall),
    usage: readUsage(under(at, "usage")),
    stop: choiceAt(under(at, "stop"), STOPS),
    delayMs: countAt(under(at, "delay_ms"), 0) ?? 0,
    fault: readFault(under(at, "fault")),
  };
}

function readCall(at: Place): ScriptedCall {
  expectKeys(at, ["tool", "args", "raw"]);
  const args = under(at, "args").value;
  const raw = textAt(under(at, "raw"));
  if (args !== undefined && raw !== null) complain(at, "args and raw exclude each other");
  return {
    tool: needed(at, "tool", textAt) ?? "",
    rawArguments: raw ?? JSON.stringify(args ?? {}),
  };
}

function readUsage(at: Place): ScriptedUsage {
  expectKeys(at, ["input", "cache_read", "cache_write", "output"]);
  const tokens = (key: string) => countAt(under(at, key), 0) ?? 0;
  return {
    input: tokens("input"),
    cacheRead: tokens("cache_read"),
    cacheWrite: tokens("cache_write"),
    output: tokens("output"),
  };
}

function readFault(at: Place): ScriptedFault | null {
  if (at.value === undefined) return null;
  expectKeys(at, ["class", "message", "status", "retry_after_ms", "times"]);
  const failure = needed(at, "class", (place) => choiceAt(place, FAULTS)) ?? "server";
  const times = under(at, "times");
  return {
    class: failure,
    message: textAt(under(at, "message")) ?? `scripted failure: ${failure}`,
    status: countAt(under(at, "status"), 100),
    retryAfterMs: countAt(under(at, "retry_after_ms"), 0),
    times: times.value === "always" ? Number.POSITIVE_INFINITY : (countAt(times, 1) ?? 1),
  };
}

function needed<T>(at: Place, key: string, read: (place: Place) => T | null): T | null {
  const place = under(at, key);
  if (place.value === undefined) complain(at, `${key} is needed`);
  return read(place);
}
