import type { CacheMiss } from "./cache-misses.ts";
import type { Utterance } from "./conversation.ts";
import type { CommandEnd } from "./event.ts";
import type { CallPurpose, ModelFailure } from "./model.ts";
import type { Usage } from "./usage.ts";

/** One thing that happened in a step, payload in hand. `at`: milliseconds since 1970. */
export type TranscriptEntry = { readonly at: number } & (
  | { readonly kind: "prompt"; readonly system: string; readonly text: string }
  | { readonly kind: "utterance"; readonly utterance: Utterance }
  | {
      readonly kind: "call";
      readonly model: string;
      readonly usage: Usage;
      readonly costNanos: number;
      readonly durationMs: number;
      /** Null: it was answered. */
      readonly failure: ModelFailure | null;
      /** What had arrived before it failed; empty where nothing had, or where it was answered. */
      readonly text: string;
      /** Missing: the next turn of the conversation. */
      readonly purpose?: CallPurpose;
      /** What it has paid in full although the provider's cache could have had it; missing: nothing. */
      readonly missed?: CacheMiss;
    }
  /** What the model was sent from here on is smaller, in estimated tokens. */
  | { readonly kind: "shortened"; readonly before: number; readonly after: number }
  | {
      readonly kind: "lost";
      readonly model: string;
      readonly heldNanos: number;
      readonly reason: string;
      /** A part of the answer had come; missing: none, or nobody knows. */
      readonly brokeOff?: boolean;
      /** What had arrived of the answer; may be empty. */
      readonly text: string;
    }
  | {
      readonly kind: "command";
      readonly command: string;
      readonly end: Pick<CommandEnd, "exitCode" | "endedBy" | "durationMs">;
      readonly output: string;
    }
  /** What a reviewer's model has said of the tries so far; the next one is shown it. */
  | { readonly kind: "advice"; readonly model: string; readonly text: string }
  /** Anything else worth a line: a try that begins, an outcome. */
  | { readonly kind: "note"; readonly text: string }
);
