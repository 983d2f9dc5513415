/** The wires that a model of the proof speaks, as `providers.yaml` names them. */
export const WIRES = ["anthropic-messages", "openai-responses", "openai-chat", "ollama-chat"] as const;
export type Wire = (typeof WIRES)[number];

/** A call as the model says it. */
export interface SaidCall {
  readonly tool: string;
  /** JSON text, or what the model takes for it. */
  readonly args: string;
  /** Missing: one that no other call has. */
  readonly id?: string;
}

/** What the model is about with an answer: a habit picks by it. */
export type Move = "look" | "change" | "check" | "finish";

/** One answer, in no wire's dialect. */
export interface Answer {
  readonly move: Move;
  readonly text?: string;
  readonly reasoning?: string;
  readonly calls: readonly SaidCall[];
  /** Default: as is right for what is in it. A word that no wire knows is sent as it is. */
  readonly stop?: "length" | "refusal" | "unknown";
}

/** What goes wrong on the way: instead of the answer, or in the middle of it. */
export type Trouble =
  | {
      readonly kind: "status";
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body: string;
    }
  /** Nothing more comes, and the connection stays: `at` says after what. */
  | { readonly kind: "silence"; readonly at: Place }
  | { readonly kind: "death"; readonly at: Place }
  /** The provider's own word, in the middle of the stream. */
  | { readonly kind: "error-event" }
  /** An event that is no JSON. */
  | { readonly kind: "garbage" }
  /** No trouble for a good reader: one byte at a time. */
  | { readonly kind: "drip" };

/** `start`: before any byte. `head`: after the status. `half`: in the middle of the content. `end`: all but the last event. */
export type Place = "start" | "head" | "half" | "end";

/** What a model does with one request. */
export interface Reaction {
  readonly answer: Answer;
  readonly trouble?: Trouble;
}

/** A call of a tool with good arguments. */
export function call(tool: string, args: unknown): SaidCall {
  return { tool, args: JSON.stringify(args) };
}
