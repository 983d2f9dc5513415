import { closeSync, fsyncSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Makes a directory for its owner alone, and those above it that are missing. A new directory is on disk once the one above
 * it is flushed: without that a power cut takes all that was flushed into it along.
 */
export function makeDurableDirectory(path: string): void {
  const first = mkdirSync(path, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let made = path; made.length >= first.length; made = dirname(made)) flushDirectory(dirname(made));
}

/** Makes the names in a directory durable. */
export function flushDirectory(path: string): void {
  const directory = openSync(path, "r");
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
