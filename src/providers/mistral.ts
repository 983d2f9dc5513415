import type { Lane } from "../core/lane.ts";
import type { Message } from "../core/model.ts";
import { checksum } from "./history.ts";

const ID = /^[a-zA-Z0-9]{9}$/;

/** True for Mistral's own API, which is stricter than others of its dialect. */
export function isMistral(lane: Pick<Lane, "baseUrl">): boolean {
  return /(^|\.)mistral\.ai$/.test(new URL(lane.baseUrl).hostname);
}

/** "Tool call id was call_1 but must be a-z, A-Z, 0-9, with a length of 9." */
export function mistralId(id: string): string {
  if (ID.test(id)) return id;
  const digits = (text: string) => checksum(text).padStart(7, "0");
  return `${digits(id).slice(-5)}${digits(`${id} again`).slice(-4)}`;
}

/** "Unexpected role 'user' after role 'tool'": the model says a word between them. */
export function withWordsBetween(messages: readonly Message[]): readonly Message[] {
  return messages.flatMap((message, index): readonly Message[] => {
    const isRefused = message.role === "user" && messages[index - 1]?.role === "tool";
    return isRefused ? [{ role: "assistant", parts: [{ kind: "text", text: "Done." }] }, message] : [message];
  });
}
