import type { IncomingMessage } from "node:http";
import type { Spool } from "../core/ports.ts";
import { ALLOWANCE_HEADERS } from "./allowances.ts";
import { dial, NeverConnected } from "./dial.ts";
import { type Stall, type StallLimits, StallWatch } from "./stall-watch.ts";

/** The shape of `fetch` that the SDKs take. */
export type Fetch = (url: string | URL | Request, init?: RequestInit) => Promise<Response>;

/** What reading an answer needs to know of its request. Kept with the answer, so that it can be read again without it. */
export interface Asked {
  readonly maxTokens: number;
  /** Conversation and turn: makes ids of tool calls unique where a provider gives none. */
  readonly conversation: number;
  readonly turn: number;
  /** Ids of tool calls that the conversation has already used. */
  readonly takenIds: readonly string[];
  /** The most and the least that the request's tokens can be: for a provider that reports none, or too few to be true. */
  readonly inputEstimate: number;
  readonly inputFloor: number;
  /** Names of the tools, where the model may write calls as text; missing: its text is text. */
  readonly textCalls?: readonly string[];
}

/** One call's way to its provider and back. */
export interface Transport {
  /** Posts once; follows no redirect. */
  readonly fetch: Fetch;
  /** Aborted when the caller stops the call or the provider stalls. */
  readonly signal: AbortSignal;
  /** Why the provider counts as stalled; null while it does not. */
  stall(): Stall | null;
  /** An event of the answer was read. `hasContent`: it brought a piece of it. */
  progress(hasContent: boolean): void;
  /** The answer is whole, and only a report may follow. */
  ended(): void;
  /** Keeps what the answer's reader needs to know, and returns what holds: a replay remembers its own. */
  asked(asked: Asked): Asked;
  /** The call is over: ends the connection and the timers. */
  close(): void;
}

/** What `recordingTransport` needs of a call. */
export interface RecordingOptions extends StallLimits {
  readonly spool: Spool;
  readonly callId: string;
  /** The caller's: stops the call. */
  readonly signal: AbortSignal;
  /** The most that the request's tokens can be, where more is known of it than the quick bound. */
  readonly inputTokensHeld?: number | undefined;
}

/** What a spool keeps before the body: one line of JSON. Request headers are never in it. */
interface SpoolHead extends ResponseHead {
  readonly asked: Asked | null;
}

interface ResponseHead {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** Headers of a response that mean something to us. Others (cookies among them) are neither kept nor passed on. */
const KEPT_HEADERS = [
  "content-type",
  "retry-after",
  "retry-after-ms",
  "x-should-retry",
  "location",
  "request-id",
  "x-request-id",
  ...ALLOWANCE_HEADERS,
];

/** The network, with every byte of the response spooled before anyone parses it. */
export function recordingTransport(options: RecordingOptions): Transport {
  const { spool, callId } = options;
  const stalled = new AbortController();
  const closed = new AbortController();
  const watch = new StallWatch(options, () => stalled.abort());
  const signal = AbortSignal.any([options.signal, stalled.signal]);
  const connection = AbortSignal.any([signal, closed.signal]);
  let asked: Asked | null = null;

  return {
    signal,
    stall: () => watch.stall,
    progress: (hasContent) => watch.sawEvent(hasContent),
    ended: () => watch.sawEnd(),
    asked: (given) => {
      const most = Math.min(given.inputEstimate, options.inputTokensHeld ?? Number.POSITIVE_INFINITY);
      asked = { ...given, inputEstimate: most };
      return asked;
    },
    close: () => {
      watch.stop();
      closed.abort();
    },
    async fetch(url, init) {
      watch.start();
      const incoming = await post(url, init, connection);
      const head = headOf(incoming);
      spool.write(callId, spoolHead({ ...head, asked }));
      const keep = (bytes: Uint8Array) => {
        watch.sawBytes();
        spool.write(callId, bytes);
      };
      return responseOf(head, bodyOf(incoming, keep));
    },
  };
}

/** The same way for a question that costs nothing and leaves nothing: it is not spooled. */
export function unrecordedFetch(signal: AbortSignal): Fetch {
  return async (url, init) => {
    const incoming = await post(url, init, signal);
    return responseOf(
      headOf(incoming),
      bodyOf(incoming, () => {}),
    );
  };
}

/**
 * A spooled response, served again without a network. Bytes that do not begin with a whole head are a response that never came.
 */
export function replayTransport(bytes: Uint8Array): Transport {
  const { head, body } = splitSpool(bytes);
  return {
    signal: new AbortController().signal,
    stall: () => null,
    progress: () => {},
    ended: () => {},
    // A spool of an earlier version does not know the least that was asked: then nothing is too little.
    asked: (given) => (head?.asked ? { ...head.asked, inputFloor: head.asked.inputFloor ?? 0 } : given),
    close: () => {},
    async fetch() {
      if (!head) throw new NeverConnected("no response was kept");
      return responseOf(head, new Blob([body]).stream());
    },
  };
}

/** The first line of a spool. */
export function spoolHead(head: SpoolHead): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(head)}\n`);
}

function splitSpool(bytes: Uint8Array): { readonly head: SpoolHead | null; readonly body: Uint8Array<ArrayBuffer> } {
  const end = bytes.indexOf(0x0a);
  if (end < 0) return { head: null, body: new Uint8Array() };
  return { head: parseHead(bytes.subarray(0, end)), body: new Uint8Array(bytes.subarray(end + 1)) };
}

/** Null for bytes that are no head: power was lost before they were on disk. */
function parseHead(line: Uint8Array): SpoolHead | null {
  try {
    return JSON.parse(new TextDecoder().decode(line));
  } catch {
    return null;
  }
}

function post(url: Parameters<Fetch>[0], init: RequestInit | undefined, signal: AbortSignal): Promise<IncomingMessage> {
  return dial({
    url: new URL(String(url)),
    headers: Object.fromEntries(new Headers(init?.headers)),
    body: String(init?.body ?? ""),
    signal,
  });
}

function headOf(incoming: IncomingMessage): ResponseHead {
  return { status: incoming.statusCode ?? 0, headers: keptHeaders(incoming) };
}

function responseOf(head: ResponseHead, body: ReadableStream<Uint8Array>): Response {
  // The class takes no body with these statuses, and no status outside 200–599.
  const bodyless = [204, 205, 304].includes(head.status);
  const status = head.status >= 200 && head.status <= 599 ? head.status : 502;
  return new Response(bodyless ? null : body, { status, headers: head.headers });
}

function keptHeaders(incoming: IncomingMessage): Readonly<Record<string, string>> {
  const kept = KEPT_HEADERS.map((name) => [name, incoming.headers[name]] as const);
  return Object.fromEntries(kept.filter((entry): entry is [string, string] => typeof entry[1] === "string"));
}

/** The bytes of a response, each chunk handed to `keep` before it is passed on. */
function bodyOf(incoming: IncomingMessage, keep: (bytes: Uint8Array) => void): ReadableStream<Uint8Array> {
  const chunks: AsyncIterator<Uint8Array> = incoming[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const next = await chunks.next();
      if (next.done) return controller.close();
      keep(next.value);
      controller.enqueue(next.value);
    },
    cancel() {
      incoming.destroy();
    },
  });
}
