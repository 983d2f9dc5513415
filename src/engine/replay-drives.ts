import { EXIT } from "../core/errors.ts";
import type { EventOf, EventType, StoredEvent, TreeHash } from "../core/event.ts";
import type { StopWhy } from "../core/ports.ts";
import { FactNames } from "./replay-names.ts";

/** A fact that a replay has to come to. */
export interface ExpectedFact {
  readonly name: string;
  readonly event: StoredEvent;
  /** Index of the drive that it belongs to. */
  readonly drive: number;
  /** Null: of the run itself. */
  readonly stepId: string | null;
}

/** A part of a run that one process drove: what came from outside before it, and how it ended. */
export interface RecordedDrive {
  /** Facts that nobody who drives a run makes: its beginning, what it takes over, what a resume brings. */
  readonly opening: readonly StoredEvent[];
  /** The tree that a person had made of the files meanwhile; null: they were as they had been left. */
  readonly edited: TreeHash | null;
  /** Null: a crash ended it. */
  readonly end: EventOf<"run.ended"> | null;
  /** That end, with what came on record together with it. */
  readonly closing: readonly StoredEvent[];
}

/** A run as a row of drives, and all that they came to. */
export interface RecordedCourse {
  readonly drives: readonly RecordedDrive[];
  /** In order; each name once, where it came first. */
  readonly facts: readonly ExpectedFact[];
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

const FROM_OUTSIDE: readonly EventType[] = [
  "run.created",
  "run.resumed",
  "run.imported",
  "run.rewound",
  "run.applied",
  "run.discarded",
  "pipeline.changed",
  "budget.raised",
  "route.changed",
  "permission.decided",
  "step.reused",
];

/** Takes a log apart. */
export function recordedCourse(events: readonly StoredEvent[]): RecordedCourse {
  const names = new FactNames();
  const known = new Set<string>();
  const drives: Writable<RecordedDrive>[] = [];
  const facts: ExpectedFact[] = [];
  const inherited = beginningOf(events);
  let wasOutside = false;
  for (const [index, event] of events.entries()) {
    const name = names.of(event);
    const isOutside = index < inherited || isFromOutside(event);
    if (isOutside && !wasOutside) drives.push({ opening: [], edited: null, end: null, closing: [] });
    wasOutside = isOutside;
    const drive = drives.at(-1);
    if (!drive) throw new Error("a log begins with a run");
    if (isOutside) drive.opening = [...drive.opening, event];
    else if (event.type === "run.ended") drive.end = event;
    else if (name !== null && !known.has(name)) {
      known.add(name);
      facts.push({ name, event, drive: drives.length - 1, stepId: ("stepId" in event && event.stepId) || null });
    }
    if (event.type === "workspace.edited") drive.edited = event.tree;
    const isOfTheEnd = event.type === "run.ended" || (event.type === "artifact.written" && event.stepId === null);
    if (isOfTheEnd && !isOutside) drive.closing = [...drive.closing, event];
  }
  return { drives, facts };
}

/** Models that were changed while the run was driven are on record by whoever drove it. */
function isFromOutside(event: StoredEvent): boolean {
  const isTakenUp = event.type === "route.changed" && event.stepId !== undefined;
  return FROM_OUTSIDE.includes(event.type) && !isTakenUp;
}

/** A run that takes over what another has done begins with facts that are otherwise made by whoever drives. */
function beginningOf(events: readonly StoredEvent[]): number {
  const driven = events.findIndex(({ type }) => type === "workspace.created" || type === "run.resumed");
  return driven === -1 ? events.length : driven;
}

/** False: something was noted of a run that nobody drove. */
export function isResumed({ opening }: RecordedDrive): boolean {
  return opening.some(({ type }) => type === "run.resumed");
}

/** Why nobody drove a run on, in the terms of those who drive; null: it had come to its own end. */
export function standstillKind({ status, exitCode, hint, reason }: EventOf<"run.ended">): StopWhy | null {
  switch (status) {
    case "succeeded":
    case "failed":
      return null;
    case "paused":
      if (exitCode === EXIT.waiting) return hint?.endsWith("--allow") ? "consent" : "lost";
      return reason === STOPPED_AT_ONCE ? "aborted" : "paused";
    case "budget_reached":
      if (hint?.includes("--minutes")) return "time";
      return hint?.includes("--") ? "budget" : "window";
    case "provider_down":
      return "unavailable";
    case "blocked":
      return "unpriced";
  }
}

/** As `Halt` words it. */
const STOPPED_AT_ONCE = "stopped on request";
