import type { ClientRequest, IncomingMessage } from "node:http";
import { hit } from "./hit.ts";

/** Every request to a model: before it is sent, once it is out, at the head, at each piece and at the end of its answer. */
export function installRequestPoints(): void {
  for (const module of [process.getBuiltinModule("node:http"), process.getBuiltinModule("node:https")]) {
    const request = module.request as (...given: unknown[]) => ClientRequest;
    module.request = ((...given: unknown[]) => {
      hit("send.before");
      return watched(request(...given));
    }) as typeof module.request;
  }
}

function watched(outgoing: ClientRequest): ClientRequest {
  outgoing.once("socket", (socket) => socket.once("connect", () => hit("send.connected")));
  outgoing.once("finish", () => hit("send.sent"));
  outgoing.prependOnceListener("response", (incoming: IncomingMessage) => {
    hit("send.head");
    watchBody(incoming);
  });
  return outgoing;
}

/** Before anyone has seen a piece. A listener would set the stream flowing, so its source is watched. */
function watchBody(incoming: IncomingMessage): void {
  const { push } = incoming;
  let pieces = 0;
  incoming.push = (piece: unknown, ...rest: unknown[]) => {
    pieces += 1;
    hit(piece === null ? "send.last-byte" : pieces === 1 ? "send.first-byte" : "send.mid");
    return push.call(incoming, piece, ...(rest as []));
  };
}
