import type { Allowance } from "./allowance.ts";
import type { WindowCeilings } from "./budget.ts";
import type { FailureClass } from "./failure.ts";
import type { Json, JsonSchema } from "./json.ts";
import type { Price } from "./money.ts";
import type { Usage } from "./usage.ts";

/** A candidate of a route. Written `provider/model`; the model may contain further slashes. */
export interface ModelRef {
  readonly provider: string;
  readonly model: string;
}

/** Parses `anthropic/claude-sonnet-5`; null when there is no provider or no model in it. */
export function parseModelRef(text: string): ModelRef | null {
  const slash = text.indexOf("/");
  if (slash <= 0 || slash === text.length - 1) return null;
  return { provider: text.slice(0, slash), model: text.slice(slash + 1) };
}

/** The inverse of `parseModelRef`. */
export function formatModelRef(ref: ModelRef): string {
  return `${ref.provider}/${ref.model}`;
}

/** One piece of an assistant's message, in no provider's dialect. */
export type Part =
  | { readonly kind: "text"; readonly text: string }
  /** `opaque` (signatures, encrypted content) goes back only to the lane and model named in `source`. */
  | { readonly kind: "reasoning"; readonly text: string; readonly opaque: Json; readonly source: string }
  /** `rawArguments` is the JSON text as the model wrote it; it may be malformed. */
  | { readonly kind: "tool_call"; readonly id: string; readonly name: string; readonly rawArguments: string };

/** A call that the model wants made, arguments unread. */
export type ToolCall = Extract<Part, { kind: "tool_call" }>;

/** One message of a conversation, in no provider's dialect. */
export type Message =
  | { readonly role: "user"; readonly text: string }
  | { readonly role: "assistant"; readonly parts: readonly Part[] }
  | {
      readonly role: "tool";
      readonly toolCallId: string;
      readonly name: string;
      readonly text: string;
      readonly isError: boolean;
    };

/** What a model is told about a tool. */
export interface ToolSpec {
  readonly name: string;
  readonly description: string;
  readonly parameters: JsonSchema;
}

/** Who asks: never sent to a real provider. The scripted provider finds its turn by it. */
export interface Asker {
  readonly role: string;
  readonly stepId: string;
  /** Ordinal of the step's conversation, from 1: each failed try and each way back starts a new one. */
  readonly conversation: number;
  /** Ordinal of the model call in its conversation, from 1. A call that was lost is asked again under its number. 0: no turn, see `purpose`. */
  readonly turn: number;
  /** Missing: the next turn of its conversation. */
  readonly purpose?: CallPurpose;
}

/** What a call is for that is no turn of its conversation. `compact`: a summary, where it has become too long. `diagnose`: a reviewer is asked why a step fails. */
export const CALL_PURPOSES = ["compact", "diagnose"] as const;
/** One of `CALL_PURPOSES`. */
export type CallPurpose = (typeof CALL_PURPOSES)[number];

/** One model request, complete: what is sent is a function of this value and the lane. */
export interface ModelRequest {
  readonly model: ModelRef;
  readonly system: string;
  readonly messages: readonly Message[];
  readonly tools: readonly ToolSpec[];
  /** Ceiling of the answer, reasoning included. */
  readonly maxTokens: number;
  readonly asker: Asker;
}

/** Why a model stopped. `length`: cut at `maxTokens`, so no tool call of the answer may run. */
export type StopReason = "end" | "tool_calls" | "length" | "refusal";

/** Why an attempt gave no answer. */
export interface ModelFailure {
  readonly class: FailureClass;
  /** Safe to show: credentials are never in it. */
  readonly message: string;
  readonly httpStatus: number | null;
  /** Milliseconds the provider asked us to wait, from any of its headers; null when it did not say. */
  readonly retryAfterMs: number | null;
  /** False only when the provider certainly billed nothing (refused before it began). */
  readonly mayBeBilled: boolean;
  /** The provider's own word on whether to ask it again (`x-should-retry`); missing: it has none. */
  readonly shouldRetry?: boolean;
  /** True: a part of the answer had come. What is asked again is asked in full, and never joined to that part. */
  readonly brokeOff?: boolean;
}

/** What comes out of one attempt: deltas, then exactly one `answered` or `failed`. */
export type ModelEvent =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "reasoning"; readonly text: string }
  /** A tool call has begun to arrive. */
  | { readonly type: "tool_call"; readonly name: string }
  | {
      readonly type: "answered";
      readonly parts: readonly Part[];
      readonly stop: StopReason;
      readonly usage: Usage;
      /** The provider's own figure for the call, in nano-dollars; wins over the price list. */
      readonly providerCostNanos: number | null;
      /** The model id that the provider says answered. */
      readonly servedBy: string | null;
      /** True: ccp ended the stream, for it was outgrowing `maxTokens`. `stop` is `length` then. */
      readonly cut: boolean;
      /** What the provider says it will still take; missing: it says nothing of it. */
      readonly allowances?: readonly Allowance[];
    }
  /** `usage` is what the provider had reported by then; null when nothing. */
  | {
      readonly type: "failed";
      readonly failure: ModelFailure;
      readonly usage: Usage | null;
      readonly providerCostNanos: number | null;
      readonly allowances?: readonly Allowance[];
    };

/** What ccp knows of a model before it is asked. */
export interface ModelFacts {
  readonly ref: ModelRef;
  /** Null: unknown, so the call is refused unless the budget is in tokens. */
  readonly price: Price | null;
  /** Tokens; null when unknown. */
  readonly contextWindow: number | null;
  /** Default ceiling of one answer, in tokens. */
  readonly maxOutputTokens: number;
  /** On this machine: long prefill, no bill. */
  readonly local: boolean;
  /** Answers come from a transcript, not from a model. */
  readonly scripted: boolean;
  /** The form in which it changes files best; missing: `edit`. */
  readonly edits?: EditForm;
  /** Missing: nobody knows. */
  readonly capabilities?: Capabilities;
  /** What the user lets its provider have, over all runs; missing: as much as the other ceilings leave. */
  readonly quota?: WindowCeilings;
  /** The provider that this is booked on, where it is another; missing: its own. */
  readonly account?: string;
}

/** What a model may be able to do: call tools, reason before it answers, see pictures. */
export const CAPABILITIES = ["tools", "thinking", "vision"] as const;
/** One of `CAPABILITIES`. */
export type Capability = (typeof CAPABILITIES)[number];
/** What a model can and what it cannot; missing: nobody knows. */
export type Capabilities = Readonly<Partial<Record<Capability, boolean>>>;

/** Forms of an edit: single places by their old text, a patch over several files, or whole files. */
export const EDIT_FORMS = ["edit", "apply_patch", "write"] as const;
/** One of `EDIT_FORMS`; also the name of the tool that takes it. */
export type EditForm = (typeof EDIT_FORMS)[number];
