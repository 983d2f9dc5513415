import type { Json } from "../core/json.ts";
import type { ModelEvent, StopReason } from "../core/model.ts";
import type { Usage } from "../core/usage.ts";

/** What is worth showing while an answer arrives. */
export type Delta = Exclude<ModelEvent, { type: "answered" | "failed" }>;

/** Usage as a provider reported it. */
export type ReportedUsage = Omit<Usage, "source">;

/** One piece of the answer, as far as it has come. */
export interface DraftPart {
  readonly kind: "text" | "reasoning" | "tool_call";
  /** Of a tool call: its arguments. */
  text: string;
  opaque: Json;
  /** Of a tool call; empty until the provider says. */
  id: string;
  name: string;
}

/**
 * An answer while it arrives. Readers take payloads into it; it keeps the order in which the parts began. The key of a
 * part is the wire's own (an index, mostly).
 */
export class AnswerDraft {
  readonly #parts = new Map<string, DraftPart>();
  readonly #passedOver = new Set<string>();
  #characters = 0;
  /** As last reported; null: nothing yet. */
  usage: ReportedUsage | null = null;
  /** False while `usage` is a first guess that a later event would correct. */
  usageIsFinal = false;
  /** The provider's own figure. */
  costNanos: number | null = null;
  servedBy: string | null = null;
  /** It reasons, and what is seen of that may be a summary, or encrypted: nobody can tell how much is billed for it. */
  hidesReasoning = false;
  stop: StopReason | null = null;
  /** The wire's own end has come: the answer is whole. */
  ended = false;
  /** What the provider said went wrong, inside a response that began well; null: nothing. */
  error: unknown = null;

  get parts(): readonly DraftPart[] {
    return [...this.#parts.values()];
  }

  /** Characters received, of text, reasoning and tool calls. */
  get characters(): number {
    return this.#characters;
  }

  text(key: string, delta: string): readonly Delta[] {
    this.#append(this.#part(key, "text"), delta);
    return delta === "" ? [] : [{ type: "text", text: delta }];
  }

  reasoning(key: string, delta: string): readonly Delta[] {
    this.#append(this.#part(key, "reasoning"), delta);
    return delta === "" ? [] : [{ type: "reasoning", text: delta }];
  }

  /** Sets what goes back to the same model with its reasoning: a signature, encrypted content. */
  opaque(key: string, opaque: Json): void {
    this.#part(key, "reasoning").opaque = opaque;
  }

  /** Ids and names may come late, or again with every delta; arguments are appended. */
  toolCall(
    key: string,
    delta: { readonly id?: string; readonly name?: string; readonly arguments?: string },
  ): readonly Delta[] {
    const part = this.#part(key, "tool_call");
    const isNew = part.name === "" && Boolean(delta.name);
    if (part.id === "") part.id = delta.id ?? "";
    if (part.name === "") part.name = delta.name ?? "";
    if (isNew) this.#characters += part.name.length;
    this.#append(part, delta.arguments ?? "");
    return isNew ? [{ type: "tool_call", name: part.name }] : [];
  }

  /** A part that is not for us: what comes of it is no loss. */
  passOver(key: string): void {
    this.#passedOver.add(key);
  }

  isPassedOver(key: string): boolean {
    return this.#passedOver.has(key);
  }

  part(key: string): DraftPart | null {
    return this.#parts.get(key) ?? null;
  }

  #append(part: DraftPart, text: string): void {
    part.text += text;
    this.#characters += text.length;
  }

  #part(key: string, kind: DraftPart["kind"]): DraftPart {
    const known = this.#parts.get(key);
    if (known) return known;
    const part: DraftPart = { kind, text: "", opaque: null, id: "", name: "" };
    this.#parts.set(key, part);
    return part;
  }
}
