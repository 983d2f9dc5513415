import type { CommandEnd } from "../core/event.ts";
import { headAndTail, plainText } from "./text.ts";

/** Bytes of what a command wrote that a model is shown at once. */
export const MOST_OUTPUT_BYTES = 30 * 1024;

/** `exit 3`, or that it had no exit code. */
export function exitOf(end: Pick<CommandEnd, "exitCode">): string {
  return end.exitCode === null ? "ended by a signal" : `exit ${end.exitCode}`;
}

/** Both streams, the shorter one whole where that leaves the longer one half of the room. */
export function outputOf(end: { readonly stdout: Uint8Array; readonly stderr: Uint8Array }): string {
  const stdout = plainText(new TextDecoder().decode(end.stdout)).trimEnd();
  const stderr = plainText(new TextDecoder().decode(end.stderr)).trimEnd();
  if (stdout === "" && stderr === "") return "(no output)";
  const half = MOST_OUTPUT_BYTES / 2;
  const room = (other: string) => MOST_OUTPUT_BYTES - Math.min(half, Buffer.byteLength(other));
  const parts = [headAndTail(stdout, room(stderr)), stderr && `stderr:\n${headAndTail(stderr, room(stdout))}`];
  return parts.filter((part) => part !== "").join("\n");
}
