import type { BlobRef, Event, EventOf } from "../core/event.ts";
import type { Results } from "../core/ports.ts";
import type { Context } from "./context.ts";
import { type RunLog, sha256 } from "./run-log.ts";

/** A document that a step or a run leaves, as a fact. It is there once the fact is; its file is a copy. */
export function artifact(name: string, blob: BlobRef, stepId: string | null): EventOf<"artifact.written"> {
  return { type: "artifact.written", name, blob, stepId };
}

/** Puts facts on record and copies the documents among them into the run's folder. */
export function recordWithFiles(context: Context, ...events: readonly Event[]): void {
  context.log.record(...events);
  for (const event of events) if (event.type === "artifact.written") copyOut(event, context.log, context.deps.results);
}

/** A crash may have come between a document's record and its file. */
export function mendFiles(log: RunLog, results: Results): void {
  for (const written of Object.values(log.run.artifacts)) copyOut(written, log, results);
}

function copyOut({ name, blob }: EventOf<"artifact.written">, log: RunLog, results: Results): void {
  const there = results.read(log.rid, name);
  if (there === null || sha256(there) !== blob.sha256) results.write(log.rid, name, log.read(blob));
}
