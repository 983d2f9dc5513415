import type { Wire } from "../agent/answers.ts";

/** What a server does with one request. Everything that is `whole` has the wire's own end. */
export type Act =
  /** `open`: the connection stays after the end; `doneless`: without the chat wire's `[DONE]`. */
  | { readonly kind: "whole"; readonly open?: boolean; readonly doneless?: boolean; readonly pauseMs?: number }
  | { readonly kind: "status"; readonly status: number; readonly body: string; readonly headers?: Headers }
  /** Status 200, and no answer in it. */
  | { readonly kind: "body"; readonly type: string; readonly body: string }
  /** The connection is reset before anything was said. */
  | { readonly kind: "reset" }
  | { readonly kind: "silence"; readonly at: Place }
  | { readonly kind: "cut"; readonly at: Place; readonly how: "reset" | "fin" }
  /** The provider's own word in the stream; then it ends. */
  | { readonly kind: "error"; readonly at: Place }
  /** One frame in the middle comes to harm, and the stream goes on to its end as if nothing were. */
  | { readonly kind: "garbage"; readonly how: "json" | "prefix" }
  /** A sign of life every tenth of a second, for ever, and no content. */
  | { readonly kind: "heartbeats" };

type Headers = Readonly<Record<string, string>>;

/** `request`: no byte. `headers`: the status. `announced`: all that comes before content. `middle`: half of it. `end`: all but the wire's end. */
export type Place = "request" | "headers" | "announced" | "middle" | "end";

/** Frames before the first that has content. */
const ANNOUNCED: Readonly<Record<Wire, number>> = {
  "anthropic-messages": 2,
  "openai-responses": 2,
  "openai-chat": 1,
  "ollama-chat": 1,
};
/** Frames that end an answer: on the chat wire a finish reason, the usage and `[DONE]`. */
const ENDING: Readonly<Record<Wire, number>> = {
  "anthropic-messages": 1,
  "openai-responses": 1,
  "openai-chat": 3,
  "ollama-chat": 1,
};

/** How many frames come before a place. */
export function framesBefore(place: Place, wire: Wire, all: number): number {
  switch (place) {
    case "request":
    case "headers":
      return 0;
    case "announced":
      return ANNOUNCED[wire];
    case "middle":
      return Math.floor(all / 2);
    case "end":
      return all - ENDING[wire];
  }
}

/** A frame that came to harm on its way. */
export function harmed(frame: string, how: "json" | "prefix", wire: Wire): string {
  if (wire === "ollama-chat") return how === "json" ? `${frame.slice(0, -9)}\n` : frame.slice(4);
  return how === "json" ? `${frame.trimEnd().slice(0, -9)}\n\n` : frame.replace("data: ", "");
}

/** A sign of life that says nothing. */
export function heartbeat(wire: Wire): string {
  return wire === "ollama-chat" ? "\n" : ": still here\n\n";
}
