import type { Allowance } from "../core/allowance.ts";
import type { Lane } from "../core/lane.ts";
import { allowancesIn, laterBy } from "./allowances.ts";
import { watchedLines } from "./sse-lines.ts";
import type { Fetch, Transport } from "./transport.ts";

/** A response that is no answer: an error status, or an error or a web page where an answer should be. */
export interface Refusal {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

/** What an answer is: a stream of events, or one piece of JSON. */
type Wanted = "stream" | "json";

/** A lane's own fetch for one attempt, and what came of it whatever the SDK on top makes of it. */
export interface LaneFetch {
  readonly fetch: Fetch;
  refusal(): Refusal | null;
  /** What the provider says it will still take. */
  allowances(): readonly Allowance[];
  /** What the transport threw before there was a response, or a hole in the stream; null: nothing. */
  trouble(): unknown;
  /** An error that stood in the stream outside of its events, where the SDK does not see it; null: none. */
  said(): unknown;
  /** The stream said `[DONE]`, which the SDK keeps to itself. */
  isDone(): boolean;
}

/**
 * The version of Anthropic's wire that the pinned SDK speaks. Stated here because the SDK lets the process's
 * environment (`ANTHROPIC_CUSTOM_HEADERS`) override its own.
 */
export const ANTHROPIC_VERSION = "2026-10-21";

/** Error bodies are read no further. */
const LONGEST_ERROR_BYTES = 64 * 1024;

/**
 * Headers are built from nothing, never filtered: whatever an SDK adds of its own or takes from the environment stays
 * here, and the only credential that leaves is the lane's, to the lane's own host. Error statuses never reach the SDK
 * (one of them prints to standard output what it finds in them).
 */
export function laneFetch(lane: Lane, transport: Pick<Transport, "fetch">, wants: Wanted = "stream"): LaneFetch {
  let refusal: Refusal | null = null;
  let trouble: unknown = null;
  let heard: { readonly at: number; readonly allowances: readonly Allowance[] } | null = null;
  let said: unknown = null;
  let isDone = false;
  const watch = {
    onDone: () => {
      isDone = true;
    },
    onError: (error: unknown) => {
      said = error;
    },
    onHole: (error: unknown) => {
      trouble = error;
    },
  };

  async function send(url: URL, body: RequestInit["body"]): Promise<Response> {
    try {
      return await transport.fetch(url, { method: "POST", headers: laneHeaders(lane, wants), body: body ?? null });
    } catch (error) {
      trouble = error;
      throw error;
    }
  }

  return {
    refusal: () => refusal,
    trouble: () => trouble,
    allowances: () => (heard === null ? [] : laterBy(heard.allowances, Date.now() - heard.at)),
    said: () => said,
    isDone: () => isDone,
    async fetch(url, init) {
      const target = new URL(String(url));
      if (target.origin !== new URL(lane.baseUrl).origin)
        throw new Error(`not a host of lane ${lane.id}: ${target.host}`);
      const response = await send(target, init?.body);
      heard = { at: Date.now(), allowances: allowancesIn(response.headers, Date.now()) };
      if (!response.ok || isOfType(response, "text/html")) {
        refusal = { status: response.status, headers: response.headers, body: await readText(response) };
        throw new Error("refused");
      }
      if (lane.wire === "ollama-chat" || wants === "json") return response;
      if (!isOfType(response, "application/json")) return watchedLines(response, lane.wire, watch);
      const whole = await response.text();
      if (hasError(whole)) {
        refusal = { status: response.status, headers: response.headers, body: whole };
        throw new Error("refused");
      }
      return asEventStream(whole);
    },
  };
}

function laneHeaders(lane: Lane, wants: Wanted): Record<string, string> {
  const stream = lane.wire === "ollama-chat" ? "application/x-ndjson" : "text/event-stream";
  return {
    accept: wants === "json" ? "application/json" : stream,
    "content-type": "application/json",
    "user-agent": "ccp",
    ...(lane.wire === "anthropic-messages" ? { "anthropic-version": ANTHROPIC_VERSION } : {}),
    ...credentialHeader(lane),
  };
}

function credentialHeader({ auth, credential }: Lane): Record<string, string> {
  if (credential === null || auth === "none") return {};
  return auth === "x-api-key" ? { "x-api-key": credential } : { authorization: `Bearer ${credential}` };
}

function isOfType(response: Response, type: string): boolean {
  return (response.headers.get("content-type") ?? "").toLowerCase().startsWith(type);
}

async function readText(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  try {
    for await (const bytes of response.body ?? []) {
      text += decoder.decode(bytes, { stream: true });
      if (text.length >= LONGEST_ERROR_BYTES) break;
    }
  } catch {
    // The status says enough; a body that breaks off adds nothing.
  }
  return text;
}

function hasError(body: string): boolean {
  try {
    const { error, success } = JSON.parse(body);
    // Z.AI answers a wrong path so: {"code":500,"msg":"404 NOT_FOUND","success":false}
    return (error !== undefined && error !== null) || success === false;
  } catch {
    return true;
  }
}

/** A server that ignores `stream: true` answers in one piece: a stream of one event. */
function asEventStream(json: string): Response {
  const data = json.replaceAll(/[\r\n]+/g, " ");
  return new Response(`event: message\ndata: ${data}\n\n`, { headers: { "content-type": "text/event-stream" } });
}
