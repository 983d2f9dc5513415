import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import { hasCode, messageOf } from "../core/errors.ts";

/** What became of reading a file whose word counts: there is none, it cannot be taken at its word, or its text. */
export type PlainFile =
  | { readonly type: "missing" }
  | { readonly type: "refused"; readonly reason: string }
  | { readonly type: "read"; readonly text: string };

/** A policy of a thousand rules has a tenth of it. */
export const MOST_POLICY_BYTES = 32 * 1024;

/**
 * Reads a regular file of at most so many bytes. A symlink, a pipe or a device is refused, never waited for: what is
 * read is what whoever may write in this folder has put there.
 */
export function readPlainFile(path: string, mostBytes: number = MOST_POLICY_BYTES): PlainFile {
  try {
    const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const { size } = fstatSync(file);
      if (!fstatSync(file).isFile()) return { type: "refused", reason: "it is no regular file" };
      if (size > mostBytes) return { type: "refused", reason: `it is larger than ${mostBytes} bytes` };
      return decoded(readFileSync(file), mostBytes);
    } finally {
      closeSync(file);
    }
  } catch (thrown) {
    if (hasCode(thrown, "ENOENT", "ENOTDIR")) return { type: "missing" };
    if (hasCode(thrown, "ELOOP")) return { type: "refused", reason: "it is a symlink" };
    return { type: "refused", reason: `it cannot be read: ${messageOf(thrown)}` };
  }
}

/** The same for bytes that came from elsewhere. */
export function decoded(bytes: Uint8Array, mostBytes: number = MOST_POLICY_BYTES): PlainFile {
  if (bytes.length > mostBytes) return { type: "refused", reason: `it is larger than ${mostBytes} bytes` };
  try {
    return { type: "read", text: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    return { type: "refused", reason: "it is not UTF-8" };
  }
}
