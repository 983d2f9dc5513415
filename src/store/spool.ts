import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, unlinkSync, writeSync } from "node:fs";
import { join } from "node:path";
import { hasCode } from "../core/errors.ts";
import type { Spool } from "../core/ports.ts";
import { flushDirectory } from "./durable-directory.ts";
import { explained } from "./failures.ts";

/** Opens the spool beside a journal: one file a call, appended to as the answer streams in. */
export function openSpool(stateDir: string): Spool {
  const directory = join(stateDir, "spool");
  const files = new Map<string, number>();

  function file(callId: string): number {
    const known = files.get(callId);
    if (known !== undefined) return known;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const opened = openSync(pathOf(callId), "a", 0o600);
    files.set(callId, opened);
    return opened;
  }

  function pathOf(callId: string): string {
    return join(directory, callId.replaceAll(/[^A-Za-z0-9._-]/g, "_"));
  }

  return {
    write(callId, bytes) {
      explained(directory, () => {
        for (let at = 0; at < bytes.length; ) at += writeSync(file(callId), bytes, at);
      });
    },
    read(callId) {
      try {
        return readFileSync(pathOf(callId));
      } catch {
        return null;
      }
    },
    remove(callId) {
      const opened = files.get(callId);
      if (opened !== undefined) closeSync(opened);
      files.delete(callId);
      explained(pathOf(callId), () => {
        try {
          unlinkSync(pathOf(callId));
        } catch (error) {
          if (!hasCode(error, "ENOENT")) throw error;
        }
      });
    },
    flush() {
      if (existsSync(directory)) explained(directory, () => flushDirectory(directory));
    },
    list() {
      // Not there until something is kept.
      return existsSync(directory) ? explained(directory, () => readdirSync(directory)) : [];
    },
  };
}
