import type { Delta, Event, StoredEvent } from "../core/event.ts";
import { blobsNamedIn } from "../core/exported-run.ts";
import type { Json } from "../core/json.ts";
import type { ModelFacts } from "../core/model.ts";
import type { Pipeline } from "../core/pipeline.ts";
import type { Peers, Policies } from "../core/ports.ts";
import { readRun } from "../core/read-run.ts";
import { runRecord } from "../core/record.ts";
import type { ReusePlan } from "../core/reuse.ts";
import { openQuestion, type Run } from "../core/run.ts";
import type { LeftRequest, RunSummary } from "../core/store.ts";
import type { TranscriptEntry } from "../core/transcript.ts";
import { mendFiles } from "./artifact.ts";
import { beginRun, type RunSpec } from "./begin-run.ts";
import { type Collected, collectGarbage } from "./collect-garbage.ts";
import type { Control, EngineDeps } from "./deps.ts";
import { drive, pinnedPipeline, pinnedPlan } from "./drive.ts";
import { type ExportedFile, exportRun } from "./export-run.ts";
import { type Inheritance, inheritance } from "./fork-run.ts";
import { importRun } from "./import-run.ts";
import { noteFact } from "./note.ts";
import { type PingAnswer, ping } from "./ping.ts";
import { livePolicy } from "./policy-watch.ts";
import { hasRecords, publishLatest, writeRecords } from "./records.ts";
import { type Rerouted, reroute } from "./reroute.ts";
import { type ResumeChanges, resumeRun } from "./resume-run.ts";
import { type Plan, reusePlan } from "./reuse.ts";
import { rewindRun } from "./rewind.ts";
import { RunLog } from "./run-log.ts";
import { stepEntries } from "./step-entries.ts";
import { takeOver } from "./take-over.ts";

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
  /** Makes another process that holds the run let go of it. Throws `CcpError("owned")` when it does not. */
  takeOver(rid: string): Promise<void>;
  /** What of a run would be reused on this plan (null: its own), what done again, and why. Writes nothing. */
  reusePlan(rid: string, plan: Plan | null): ReusePlan;
  /** Takes a run that nobody drives back to before a step. It goes on when it is resumed. */
  rewind(rid: string, stepId: string): ReusePlan;
  /** What a new run would take over of a run: `from` this step on (null: the first that has not succeeded) it is done anew. */
  inheritance(rid: string, plan: Plan, from: string | null): Inheritance;
  /** Has other models asked for a role from the run's next call on, whoever drives it. Throws before anything is changed. */
  reroute(rid: string, request: LeftRequest): Promise<Rerouted>;
  /** Puts one fact on record of a run that nobody drives, after `work`. */
  note(rid: string, event: Event, work?: () => Promise<void>): Promise<void>;
  ping(model: ModelFacts): Promise<PingAnswer>;
  /** run.json. */
  record(rid: string): Json;
  /** What was said and done in a step. */
  stepEntries(rid: string, stepId: string): readonly TranscriptEntry[];
  /** The pipeline that the run follows, whatever has become of its file. */
  pinnedPipeline(rid: string): Pipeline;
  /** The same, with the values of its inputs. */
  pinnedPlan(rid: string): Plan;
  /** The call that waits for a person's consent, in full; null: none does. */
  question(rid: string): OpenQuestion | null;
  /** Removes what final runs older than this have left, and what no run claims. */
  collectGarbage(how: { readonly olderThanMs: number; readonly dryRun: boolean }): Promise<Collected>;
  /** The run as one file. */
  exportRun(rid: string, ccpVersion: string): Promise<ExportedFile>;
  /** Takes a run in from such a file. */
  importRun(bytes: Uint8Array): Promise<Run>;
  /** Writes the files of an ended run that a crash kept from being written. */
  mendRecords(rid: string): void;
}

/** A call that a person is asked about. */
export interface OpenQuestion {
  readonly stepId: string;
  readonly tool: string;
  readonly reason: string;
  /** The whole command, or all arguments. Hostile text. */
  readonly call: string;
}

/** What an engine is put together from. */
export type EngineParts = Omit<EngineDeps, "publish" | "tell" | "control" | "policy" | "weighed"> & {
  readonly peers: Peers;
  /** The policies that hold for work that starts from a commit. */
  readonly policies: (commit: string) => Promise<Policies>;
};

/** Constructs nothing; each call of it works on one run. */
export function createEngine(parts: EngineParts): Engine {
  const read = (rid: string) => new RunLog(rid, 0, { ...parts, publish: () => undefined });
  const driveAs = async (rid: string, epoch: number, deps: EngineDeps) => {
    try {
      return await drive(rid, epoch, deps);
    } finally {
      parts.store.release(rid);
    }
  };
  return {
    async start(spec, listener) {
      const deps = await depsOf(parts, listener, spec.base.commit);
      const { rid, epoch } = beginRun(spec, deps);
      return driveAs(rid, epoch, deps);
    },
    async resume(rid, changes, listener) {
      const deps = await depsOf(parts, listener, readRun(rid, parts.store).created?.base.commit ?? "");
      return driveAs(rid, resumeRun(rid, changes, deps), deps);
    },
    takeOver: (rid) => takeOver(rid, parts),
    reusePlan(rid, plan) {
      const log = read(rid);
      return reusePlan(log.run, { ...(plan ?? pinnedPlan(log)), from: null, sameRun: true });
    },
    rewind: (rid, stepId) => rewindRun(rid, stepId, parts),
    inheritance(rid, plan, from) {
      const log = read(rid);
      const inherited = inheritance(log.run, pinnedPipeline(log), { ...plan, from });
      // Kept anew with the new run: nobody's sweep takes them meanwhile.
      for (const sha256 of blobsNamedIn(inherited.events)) log.bytes(log.read({ sha256, sizeBytes: 0 }));
      return inherited;
    },
    reroute: (rid, request) => reroute(rid, request, parts),
    note: (rid, event, work) => noteFact(rid, event, parts, work),
    ping: (model) => ping({ model, credential: null }, { ...parts, maxCostNanos: null }),
    record(rid) {
      const log = read(rid);
      return runRecord(log.run, pinnedPipeline(log), log.eventsAfter(0), log.run.pipeline?.sha256 ?? "");
    },
    stepEntries: (rid, stepId) => stepEntries(read(rid), stepId),
    pinnedPipeline: (rid) => pinnedPipeline(read(rid)),
    pinnedPlan: (rid) => pinnedPlan(read(rid)),
    question(rid) {
      const log = read(rid);
      const open = openQuestion(log.run);
      return open && { stepId: open.stepId, tool: open.tool, reason: open.reason, call: log.readText(open.call) };
    },
    collectGarbage: (how) => collectGarbage(parts, how),
    exportRun: (rid, ccpVersion) => exportRun(rid, { ccpVersion, now: parts.chance.now() }, parts),
    importRun: (bytes) => importRun(bytes, parts),
    mendRecords(rid) {
      const log = read(rid);
      if (log.run.end === null || hasRecords(log, parts.results)) return;
      mendFiles(log, parts.results);
      if (isLatestFinished(rid, parts.store.runs())) publishLatest(log, parts.results);
      writeRecords(log, pinnedPipeline(log), parts.results);
    },
  };
}

/** Only such a run's artifacts are copied beside the runs' folders: a run that stands still has no result. */
function isLatestFinished(rid: string, runs: readonly RunSummary[]): boolean {
  const finished = runs.filter(({ status }) => status === "succeeded" || status === "failed");
  const latest = finished.reduce<RunSummary | null>((a, b) => (a && a.lastAt >= b.lastAt ? a : b), null);
  return latest?.rid === rid;
}

async function depsOf(parts: EngineParts, listener: Listener, commit: string): Promise<EngineDeps> {
  return {
    ...parts,
    policy: livePolicy(await parts.policies(commit)),
    publish: (event, run) => listener.publish(event, run),
    tell: (delta) => listener.tell(delta),
    control: listener.control,
  };
}
