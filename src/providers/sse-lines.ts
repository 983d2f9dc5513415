import type { Wire } from "../core/lane.ts";

/** What was seen of a stream of events beneath the SDK that reads it. */
export interface LineWatch {
  /** The stream said `[DONE]`. */
  readonly onDone?: () => void;
  /** A line that is an error, in the form that some servers have for it, outside of any event. */
  readonly onError: (error: unknown) => void;
  /** The stream was ended at a line that is no part of an event: a `SyntaxError`. */
  readonly onHole: (error: unknown) => void;
}

/** Fields that a line of an event stream may begin with. SDKs pass over all others, and what stood in them is gone. */
const FIELDS = ["data", "event", "id", "retry"];
const LINE_END = /\r\n|\n|\r/g;
const encoder = new TextEncoder();
/** Characters. An event that repeats the longest answer has a tenth of it. */
export const LONGEST_LINE = 8 * 1024 * 1024;

/**
 * A stream of events, watched line by line on its way to the SDK. An SDK passes over what is no event (a line that lost
 * its `data:`, on Anthropic's wire also an event without a name), and the answer comes out with a hole in it. Here that
 * ends the stream. An empty line is added at its end: Anthropic's SDK drops a last event without.
 */
export function watchedLines(response: Response, wire: Wire, watch: LineWatch): Response {
  const decoder = new TextDecoder();
  let rest = "";
  let isNamed = false;

  function look(line: string): void {
    if (line === "") isNamed = false;
    if (line.trim() === "" || line.startsWith(":")) return;
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    if (field === "event") isNamed = true;
    if (!FIELDS.includes(field)) stray(line, watch);
    if (field !== "data") return;
    if (line.slice(5).trim() === "[DONE]") watch.onDone?.();
    else if (wire === "anthropic-messages" && !isNamed) throw new SyntaxError("an event without a name");
  }

  /** Where the first line begins that is no part of an event; null: there is none. */
  function lookAt(text: string, isLast: boolean): number | null {
    let start = 0;
    try {
      for (const end of text.matchAll(LINE_END)) {
        // A CR at the end may be the first half of a line's end.
        if (!isLast && end[0] === "\r" && end.index === text.length - 1) break;
        look(text.slice(start, end.index));
        start = end.index + end[0].length;
      }
      rest = text.slice(start);
      if (isLast) look(rest);
      if (rest.length > LONGEST_LINE) throw new SyntaxError("an event without an end");
      return null;
    } catch (error) {
      watch.onHole(error);
      return start;
    }
  }

  const eye = new TransformStream<Uint8Array, Uint8Array>({
    transform(bytes, controller) {
      const before = rest.length;
      const text = rest + decoder.decode(bytes, { stream: true });
      const hole = lookAt(text, false);
      if (hole === null) return controller.enqueue(bytes);
      controller.enqueue(encoder.encode(text.slice(before, Math.max(before, hole))));
      controller.terminate();
    },
    flush(controller) {
      if (lookAt(rest + decoder.decode(), true) === null) controller.enqueue(encoder.encode("\n\n"));
    },
  });
  return new Response(response.body?.pipeThrough(eye) ?? null, response);
}

/** llama.cpp's server writes `error: {…}`, others the bare JSON of an error. */
function stray(line: string, { onError }: LineWatch): never {
  const said = line.startsWith("error:") ? objectIn(line.slice("error:".length)) : null;
  const error = said ?? objectIn(line)?.error ?? null;
  if (error !== null) onError(error);
  throw new SyntaxError("a line that is no part of an event");
}

function objectIn(text: string): { readonly error?: unknown } | null {
  try {
    const value: unknown = JSON.parse(text);
    return value !== null && typeof value === "object" ? value : null;
  } catch {
    return null;
  }
}
