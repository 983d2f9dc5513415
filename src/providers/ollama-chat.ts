import type { Lane } from "../core/lane.ts";
import type { ModelEvent, ModelRequest } from "../core/model.ts";
import { attempt } from "./attempt.ts";
import { wholeLines } from "./ndjson.ts";
import { type OllamaLine, readOllamaLine } from "./ollama-reader.ts";
import { type OllamaBody, ollamaRequest } from "./ollama-request.ts";
import { truncationIn } from "./ollama-truncation.ts";
import type { Fetch, Transport } from "./transport.ts";

/** One attempt on Ollama's native chat wire. */
export function sendOllamaChat(lane: Lane, request: ModelRequest, transport: Transport): AsyncIterable<ModelEvent> {
  const body = ollamaRequest(lane, request);
  return attempt<OllamaLine>({
    lane,
    request,
    transport,
    endIsLast: true,
    read: (draft, line) => {
      const deltas = readOllamaLine(draft, line);
      const truncation = truncationIn(line, lane, request);
      if (truncation !== null) draft.error = { message: truncation };
      return deltas;
    },
    send: async ({ fetch }) => lines(lane, body, fetch),
  });
}

async function* lines(lane: Lane, body: OllamaBody, fetch: Fetch): AsyncGenerator<OllamaLine> {
  const { Ollama } = await import("ollama");
  let said: unknown = null;
  let hole: unknown = null;
  const client = new Ollama({
    host: lane.baseUrl,
    fetch: async (url, init) =>
      wholeLines(await fetch(url, init), {
        onError: (error) => {
          said = error;
        },
        onHole: (error) => {
          hole = error;
        },
      }),
  });
  try {
    yield* await client.chat(body);
  } catch (error) {
    throw said === null ? (hole ?? error) : new SaidError(said);
  }
}

/** The provider's own word, in the middle of a stream, that it cannot go on. Shaped as the other SDKs throw it. */
class SaidError extends Error {
  readonly error: unknown;

  constructor(error: unknown) {
    super("the provider reported an error");
    this.error = error;
  }
}
