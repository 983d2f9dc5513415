import type { Pipeline } from "../core/pipeline.ts";
import type { Results } from "../core/ports.ts";
import { runRecord } from "../core/record.ts";
import { stepState } from "../core/run.ts";
import type { RunLog } from "./run-log.ts";

/** The artifacts of which a copy is kept beside the runs' folders. */
export const LATEST = ["PLAN.md", "Diff.patch", "REVIEW.md"] as const;

/** What the run's folder says of the run: run.json, events.ndjson and the output of each step. Made from the journal, at any time, alike. */
export function writeRecords(log: RunLog, pipeline: Pipeline, results: Results): void {
  for (const step of pipeline.steps) writeOutput(log, step.id, results);
  const events = log.eventsAfter(0);
  const record = runRecord(log.run, pipeline, events, log.run.pipeline?.sha256 ?? "");
  write(results, log.rid, "events.ndjson", events.map((event) => `${JSON.stringify(event)}\n`).join(""));
  write(results, log.rid, "run.json", `${JSON.stringify(record, null, 2)}\n`);
}

/**
 * True when the folder has what the journal says it should: a crash may have come between the end and the files, and
 * what lies there may be of an earlier end of the same kind. run.json is the last that is written.
 */
export function hasRecords(log: RunLog, results: Results): boolean {
  const written = results.read(log.rid, "run.json");
  if (written === null) return false;
  const { status, active_ms } = JSON.parse(new TextDecoder().decode(written));
  return status === log.run.status && active_ms === log.run.activeMs;
}

/** The copies beside the run's folder are those of the latest finished run; what it did not make is not left over from another. */
export function publishLatest(log: RunLog, results: Results): void {
  for (const name of LATEST) {
    const bytes = name in log.run.artifacts ? results.read(log.rid, name) : null;
    results.publish(log.rid, name, bytes);
  }
}

/** All that a command wrote, or what an agent said of its work. */
function writeOutput(log: RunLog, stepId: string, results: Results): void {
  const { outcome } = stepState(log.run, stepId);
  const command = log.run.commands.findLast((record) => record.stepId === stepId && record.purpose === "step");
  const ref = command?.end.output ?? (outcome?.status === "succeeded" ? outcome.output : null);
  if (ref) write(results, log.rid, `steps/${stepId}.txt`, log.readText(ref));
}

function write(results: Results, rid: string, name: string, text: string): void {
  results.write(rid, name, new TextEncoder().encode(text));
}
