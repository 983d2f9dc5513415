import type { StopReason } from "../core/model.ts";
import type { AnswerDraft, Delta } from "./answer-draft.ts";

/** What is read of a line; any of it may be missing. */
export interface OllamaLine {
  readonly model?: string;
  readonly message?: {
    readonly content?: string;
    readonly thinking?: string;
    readonly tool_calls?: readonly {
      readonly id?: string;
      readonly function?: { readonly name?: string; readonly arguments?: unknown };
    }[];
  };
  readonly done?: boolean;
  readonly done_reason?: string;
  /** Includes what was cached; some versions leave it out when everything was. */
  readonly prompt_eval_count?: number;
  readonly prompt_eval_cached_count?: number;
  readonly eval_count?: number;
}

const STOPS: Readonly<Record<string, StopReason>> = { stop: "end", length: "length" };

/** Takes one line of Ollama's stream into the draft. */
export function readOllamaLine(draft: AnswerDraft, line: OllamaLine): readonly Delta[] {
  draft.servedBy = line.model ?? draft.servedBy;
  const { content = "", thinking = "", tool_calls: calls = [] } = line.message ?? {};
  const deltas = [
    ...(thinking === "" ? [] : draft.reasoning("thinking", thinking)),
    ...(content === "" ? [] : draft.text("text", content)),
    // A call comes whole, so each is a part of its own.
    ...calls.flatMap((call) =>
      draft.toolCall(`call ${draft.parts.length}`, {
        id: call.id ?? "",
        name: call.function?.name ?? "",
        arguments: argumentsOf(call.function?.arguments),
      }),
    ),
  ];
  if (line.done) finish(draft, line);
  return deltas;
}

function argumentsOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value ?? {});
}

function finish(draft: AnswerDraft, line: OllamaLine): void {
  draft.ended = true;
  draft.stop = STOPS[line.done_reason ?? ""] ?? "end";
  if (line.eval_count === undefined && line.prompt_eval_count === undefined) return;
  const cacheRead = line.prompt_eval_cached_count ?? 0;
  draft.usage = {
    freshInput: Math.max(0, (line.prompt_eval_count ?? 0) - cacheRead),
    cacheRead,
    cacheWrite: 0,
    output: line.eval_count ?? 0,
    reasoning: 0,
  };
  draft.usageIsFinal = true;
}
