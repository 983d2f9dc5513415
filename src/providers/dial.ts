import type { IncomingMessage } from "node:http";

/** Not imported: an import of either looks at all that it exports, and so loads the whole of `fetch` (30 ms). */
const [http, https] = [process.getBuiltinModule("node:http"), process.getBuiltinModule("node:https")];

/** How long a connection may take to come about. */
const CONNECT_TIMEOUT_MS = 10_000;

/** The connection never came about, so nothing was sent and nothing can be billed. */
export class NeverConnected extends Error {
  override readonly name = "NeverConnected";
}

/** What goes out, complete. */
export interface OutgoingRequest {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly signal: AbortSignal;
}

/**
 * Posts once, on a connection of its own, and resolves when the response's head is there. Redirects are answers like any
 * other. Rejects with `NeverConnected`, or with what broke the connection.
 *
 * Not the global `fetch`: that gives a provider at most 300 s for its first byte (a local model may read a long prompt
 * for ten minutes), adds headers of its own, and cannot say whether the request ever left.
 */
export function dial({ url, headers, body, signal }: OutgoingRequest): Promise<IncomingMessage> {
  const secure = url.protocol === "https:";
  return new Promise((resolve, reject) => {
    let connected = false;
    const outgoing = (secure ? https : http).request(url, { method: "POST", headers, signal, agent: false });
    const timer = setTimeout(() => outgoing.destroy(connectTimeout()), CONNECT_TIMEOUT_MS).unref();
    outgoing.once("socket", (socket) => {
      socket.once(secure ? "secureConnect" : "connect", () => {
        connected = true;
        clearTimeout(timer);
      });
    });
    outgoing.once("response", (incoming) => {
      // Whoever reads the body hears of its errors; an error before that must not end the process.
      incoming.on("error", () => {});
      resolve(incoming);
    });
    outgoing.on("error", (error) => {
      clearTimeout(timer);
      reject(connected ? error : new NeverConnected(error.message, { cause: error }));
    });
    outgoing.end(body);
  });
}

/** The system's word for what went wrong (`ECONNREFUSED`, `ENOTFOUND`, …), from anywhere in the chain of causes; null: none. */
export function errorCode(thrown: unknown): string | null {
  if (!(thrown instanceof Error)) return null;
  const { code, errors } = thrown as { code?: unknown; errors?: readonly unknown[] };
  if (typeof code === "string") return code;
  return errorCode(thrown.cause) ?? errorCode(errors?.[0]);
}

function connectTimeout(): Error {
  return Object.assign(new Error(`no connection within ${CONNECT_TIMEOUT_MS / 1000} s`), { code: "ETIMEDOUT" });
}
