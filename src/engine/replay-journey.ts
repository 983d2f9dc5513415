import { CcpError, EXIT } from "../core/errors.ts";
import type { Event, StoredEvent } from "../core/event.ts";
import { blobsNamedIn } from "../core/exported-run.ts";
import { readRun } from "../core/read-run.ts";
import type { Run } from "../core/run.ts";
import type { EngineDeps } from "./deps.ts";
import { drive } from "./drive.ts";
import { Course, CutOff } from "./replay-course.ts";
import { followingDeps } from "./replay-deps.ts";
import { isResumed, type RecordedDrive, recordedCourse } from "./replay-drives.ts";
import type { Undertaking } from "./replay-world.ts";

/** How far a replay came; `failure`: why no further. */
export interface Followed {
  readonly run: Run;
  readonly events: readonly StoredEvent[];
  readonly failure: Error | null;
}

/** Drive after drive, as the run was driven. */
export async function follow(undertaking: Undertaking): Promise<Followed> {
  const { events, memory, made, signal } = undertaking;
  const course = new Course(recordedCourse(events), () => stop());
  const { deps, stop } = followingDeps(undertaking, course);
  const giveUp = () => course.giveUp(new CcpError("interrupted", EXIT.interrupted, "the replay was stopped"));
  signal.addEventListener("abort", giveUp, { once: true });
  try {
    let closing: readonly StoredEvent[] = [];
    for (let recorded = course.next(); recorded && !course.failure; recorded = course.next()) {
      const epoch = await open(recorded, closing, undertaking, course);
      if (epoch === null) continue;
      const isCutOff = !(await drivenOnce(made.rid, epoch, deps, course));
      // It has come to an end where the run went on.
      if (!isCutOff && course.isCut) break;
      closing = isCutOff ? recorded.closing : [];
    }
  } finally {
    signal.removeEventListener("abort", giveUp);
    course.close();
  }
  if (signal.aborted && course.failure) throw course.failure;
  return { run: readRun(made.rid, memory), events: memory.events(made.rid), failure: course.failure };
}

/** False: it was cut off, or given up. */
async function drivenOnce(rid: string, epoch: number, deps: EngineDeps, course: Course): Promise<boolean> {
  try {
    await drive(rid, epoch, deps);
    return true;
  } catch (thrown) {
    if (thrown instanceof CutOff || thrown === course.failure) return false;
    throw thrown;
  } finally {
    deps.store.release(rid);
  }
}

/**
 * Puts what came from outside on record, after the end of the drive before it where that was cut off here and had one;
 * null: nobody drove the run then.
 */
async function open(
  recorded: RecordedDrive,
  closing: readonly StoredEvent[],
  { parts, memory, made, run }: Undertaking,
  course: Course,
): Promise<number | null> {
  const isFirst = memory.events(made.rid).length === 0;
  const epoch = isFirst ? 1 : memory.claim(made.rid);
  const outside = [...closing, ...recorded.opening];
  const events = outside.flatMap((event) => asOwn(event, made.rid, epoch));
  for (const sha256 of blobsNamedIn(outside)) {
    memory.putBlob(parts.store.blob({ sha256, sizeBytes: 0 }));
  }
  const at = run.created?.at ?? 0;
  if (isFirst) memory.create(made.rid, events, at);
  else memory.append(made.rid, epoch, events, at);
  for (const event of recorded.opening) course.names.of(event);
  if (recorded.edited !== null && made.path !== "") {
    const workspace = parts.repository.openWorkspace(made.rid, made.path);
    await workspace.adopt(recorded.edited);
    await workspace.restore(recorded.edited);
  }
  if (isFirst || isResumed(recorded)) return epoch;
  memory.release(made.rid);
  return null;
}

/** A fact from outside, as one of the replay's own. */
function asOwn({ seq: _, at: __, ...event }: StoredEvent, rid: string, epoch: number): readonly Event[] {
  switch (event.type) {
    case "run.created":
      return [{ ...event, rid }];
    case "run.resumed":
      return [{ ...event, epoch }];
    case "run.imported":
      return [];
    default:
      return [event as Event];
  }
}
