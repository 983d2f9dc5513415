import type { Delta, Event, StoredEvent } from "../core/event.ts";
import type { Json } from "../core/json.ts";
import type { ModelFacts } from "../core/model.ts";
import type { Pipeline } from "../core/pipeline.ts";
import type { RunSummary } from "../core/ports.ts";
import { runRecord } from "../core/record.ts";
import type { Run } from "../core/run.ts";
import type { TranscriptEntry } from "../core/transcript.ts";
import { beginRun, type RunSpec } from "./begin-run.ts";
import type { Control, EngineDeps } from "./deps.ts";
import { drive, pinnedPipeline } from "./drive.ts";
import { noteFact } from "./note.ts";
import { type PingAnswer, ping } from "./ping.ts";
import { hasRecords, publishLatest, writeRecords } from "./records.ts";
import { type ResumeChanges, resumeRun } from "./resume-run.ts";
import { RunLog } from "./run-log.ts";
import { stepEntries } from "./step-entries.ts";

/** What is done with a run that hears and steers it meanwhile. */
export interface Listener {
  publish(event: StoredEvent, run: Run): void;
  tell(delta: Delta): void;
  readonly control: Control;
}

/** Runs, from outside. */
export interface Engine {
  /** Begins a run and drives it until it ends or stands still. */
  start(spec: RunSpec, listener: Listener): Promise<Run>;
  /** Takes a run that can go on and drives it. Throws before anything is written when it cannot. */
  resume(rid: string, changes: ResumeChanges, listener: Listener): Promise<Run>;
  /** Puts one fact on record of a run that nobody drives, after `work`. */
  note(rid: string, event: Event, work?: () => Promise<void>): Promise<void>;
  ping(model: ModelFacts): Promise<PingAnswer>;
  /** run.json. */
  record(rid: string): Json;
  /** What was said and done in a step. */
  stepEntries(rid: string, stepId: string): readonly TranscriptEntry[];
  /** The pipeline as it was when the run began. */
  pinnedPipeline(rid: string): Pipeline;
  /** Writes the files of an ended run that a crash kept from being written. */
  mendRecords(rid: string): void;
}

/** What an engine is put together from. */
export type EngineParts = Omit<EngineDeps, "publish" | "tell" | "control">;

/** Constructs nothing; each call of it works on one run. */
export function createEngine(parts: EngineParts): Engine {
  const read = (rid: string) => new RunLog(rid, 0, { ...parts, publish: () => undefined });
  const driveAs = async (rid: string, epoch: number, listener: Listener) => {
    try {
      return await drive(rid, epoch, depsOf(parts, listener));
    } finally {
      parts.store.release(rid);
    }
  };
  return {
    start(spec, listener) {
      const { rid, epoch } = beginRun(spec, depsOf(parts, listener));
      return driveAs(rid, epoch, listener);
    },
    async resume(rid, changes, listener) {
      return driveAs(rid, resumeRun(rid, changes, depsOf(parts, listener)), listener);
    },
    note: (rid, event, work) => noteFact(rid, event, parts, work),
    ping: (model) => ping(model, parts),
    record(rid) {
      const log = read(rid);
      return runRecord(log.run, pinnedPipeline(log), log.events, log.run.created?.pipeline.sha256 ?? "");
    },
    stepEntries: (rid, stepId) => stepEntries(read(rid), stepId),
    pinnedPipeline: (rid) => pinnedPipeline(read(rid)),
    mendRecords(rid) {
      const log = read(rid);
      if (log.run.end === null || hasRecords(log, parts.results)) return;
      writeRecords(log, pinnedPipeline(log), parts.results);
      if (isLatestFinished(rid, parts.store.runs())) publishLatest(log, parts.results);
    },
  };
}

/** Only such a run's artifacts are copied beside the runs' folders: a run that stands still has no result. */
function isLatestFinished(rid: string, runs: readonly RunSummary[]): boolean {
  const finished = runs.filter(({ status }) => status === "succeeded" || status === "failed");
  const latest = finished.reduce<RunSummary | null>((a, b) => (a && a.lastAt >= b.lastAt ? a : b), null);
  return latest?.rid === rid;
}

function depsOf(parts: EngineParts, listener: Listener): EngineDeps {
  return {
    ...parts,
    publish: (event, run) => listener.publish(event, run),
    tell: (delta) => listener.tell(delta),
    control: listener.control,
  };
}
