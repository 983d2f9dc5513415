import type { Event, EventOf, StoredEvent } from "./event.ts";
import type { Pipeline } from "./pipeline.ts";

/** The first line of an exported run. */
export interface ExportHead {
  readonly format: "ccp-run";
  readonly v: 1;
  readonly rid: string;
  readonly ccpVersion: string;
  /** Milliseconds since 1970. */
  readonly exportedAt: number;
  /** The commit that whoever imports it must have. */
  readonly base: string;
}

/** A whole run, to be carried elsewhere: its log, every payload that the log names, and the trees that it refers to. */
export interface ExportedRun {
  readonly head: ExportHead;
  readonly events: readonly StoredEvent[];
  /** In the order in which the log names them. */
  readonly blobs: readonly Uint8Array[];
  /** A git pack; null: the trees are gone (the run was discarded), so it can be read and not be gone on with. */
  readonly pack: Uint8Array | null;
}

/** sha256 of every payload that these events name, each once, in order. */
export function blobsNamedIn(events: readonly Event[]): readonly string[] {
  const text = JSON.stringify(events);
  return [...new Set([...text.matchAll(/"sha256":"([0-9a-f]{64})"/g)].map((match) => match[1] ?? ""))];
}

/** Every tree that these events name, each once. */
export function treesNamedIn(events: readonly StoredEvent[]): readonly string[] {
  const text = JSON.stringify(events);
  const named = text.matchAll(/"(?:tree|treeAfter|startTree)":"([0-9a-f]{40,64})"/g);
  return [...new Set([...named].map((match) => match[1] ?? ""))];
}

/** As a pipeline file has them. */
const STEP_ID = /^[a-z][a-z0-9-]*$/;
/** As a pipeline file names documents; ccp's own are among these. */
const DOCUMENT = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

/**
 * What in a log names a place that no run of ccp's would name; null: nothing. Names of steps and documents become paths,
 * and a branch is named in commands that people are told to type. `pipelines`: all that the log names.
 */
export function misplaced(
  { head, events }: Pick<ExportedRun, "head" | "events">,
  pipelines: readonly Pipeline[],
): string | null {
  const steps = pipelines.flatMap((pipeline) => pipeline.steps);
  const names = [
    ...steps.map(({ id }) => (STEP_ID.test(id) ? null : `step ${JSON.stringify(id)}`)),
    ...steps.map(({ artifact }) => documentFault(artifact)),
    ...events.map((event) => placeFault(event, head)),
  ];
  return names.find((fault) => fault !== null) ?? null;
}

function placeFault(event: StoredEvent, { rid, base }: ExportHead): string | null {
  switch (event.type) {
    case "run.created":
      return event.base.commit === base ? null : "another base";
    case "run.ended":
      return endFault(event, rid);
    case "workspace.created":
      return event.branch === `ccp/${rid}` ? null : `branch ${JSON.stringify(event.branch)}`;
    case "workspace.restored":
      return documentFault(event.kept);
    case "artifact.written":
      return documentFault(event.name);
    default:
      return "stepId" in event && event.stepId !== null && !STEP_ID.test(event.stepId)
        ? `step ${JSON.stringify(event.stepId)}`
        : null;
  }
}

const ENDS: readonly string[] = ["succeeded", "failed", "paused", "budget_reached", "provider_down", "blocked"];

/** What a run says to type next is shown as a command: nobody else's is taken over. */
function endFault({ status, hint }: EventOf<"run.ended">, rid: string): string | null {
  if (!ENDS.includes(status)) return `status ${JSON.stringify(status)}`;
  const isOurs = hint === null || /^ccp (resume|apply) (r-[a-z0-9]+)( --[\w .+=/:-]*)?$/.exec(hint)?.[2] === rid;
  return isOurs ? null : `hint ${JSON.stringify(hint)}`;
}

function documentFault(name: string | null): string | null {
  return name === null || DOCUMENT.test(name) ? null : `document ${JSON.stringify(name)}`;
}
