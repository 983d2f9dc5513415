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
  const record = runRecord(log.run, pipeline, log.events, log.run.created?.pipeline.sha256 ?? "");
  write(results, log.rid, "events.ndjson", log.events.map((event) => `${JSON.stringify(event)}\n`).join(""));
  write(results, log.rid, "run.json", `${JSON.stringify(record, null, 2)}\n`);
}

/** True when the folder has what the journal says it should: a crash may have come between the end and the files. */
export function hasRecords(log: RunLog, results: Results): boolean {
  const written = results.read(log.rid, "run.json");
  return written !== null && JSON.parse(new TextDecoder().decode(written)).status === log.run.status;
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
