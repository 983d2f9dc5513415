import type { Event } from "../core/event.ts";
import type { Context } from "./context.ts";

/** Puts a document into the run's folder and returns the fact of it, to be recorded. Written again after a crash, it is the same. */
export function artifactWritten(context: Context, name: string, text: string, stepId: string | null): Event {
  context.deps.results.write(context.log.rid, name, new TextEncoder().encode(text));
  return { type: "artifact.written", name, blob: context.log.text(text), stepId };
}
