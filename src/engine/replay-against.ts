import { CcpError, EXIT } from "../core/errors.ts";
import type { Event, EventOf, EventType, StoredEvent, TreeHash } from "../core/event.ts";
import { blobsNamedIn } from "../core/exported-run.ts";
import { NO_POLICY, type PolicyInForce } from "../core/policy.ts";
import { readRun } from "../core/read-run.ts";
import type { Run } from "../core/run.ts";
import type { Store } from "../core/store.ts";
import { beginRun } from "./begin-run.ts";
import type { EngineDeps } from "./deps.ts";
import { drive } from "./drive.ts";
import { standingPolicy } from "./policy-watch.ts";
import { recordedRun } from "./replay.ts";
import { recordedAnswers } from "./replay-answers.ts";
import { type ArtifactComparison, compareArtifacts } from "./replay-compare.ts";
import { routesIn } from "./replay-deps.ts";
import { isResumed, type RecordedCourse, recordedCourse } from "./replay-drives.ts";
import { type RecordedPayloads, recordedFacts, recordedPayloads } from "./replay-models.ts";
import { answeringExecutor, answeringModels, meansOfOld, Unanswered } from "./replay-old-answers.ts";
import { recordedRouter } from "./replay-router.ts";
import { recordedServers } from "./replay-servers.ts";
import { AnswersSoFar, type DifferentQuestion } from "./replay-so-far.ts";
import {
  memoryResults,
  NO_HEALTH,
  NO_SPOOL,
  passingRepository,
  type ReplayParts,
  replayLedger,
  standingChance,
} from "./replay-world.ts";
import type { Plan } from "./reuse.ts";

/** What another plan comes to with the answers of a run. */
export interface AgainstReplay {
  readonly rid: string;
  readonly pipelineName: string;
  readonly status: Run["status"];
  /** `running`: it came to a question without an answer. */
  readonly replayedStatus: Run["status"];
  readonly tree: { readonly was: TreeHash | null; readonly is: TreeHash | null };
  readonly artifacts: readonly ArtifactComparison[];
  readonly questions: { readonly asked: number; readonly different: number; readonly first: DifferentQuestion | null };
  /** Commands, those of agents among them. `onOtherFiles`: their outcome is of other files than they would find now. */
  readonly commands: { readonly run: number; readonly onOtherFiles: number; readonly first: string | null };
  /** What has no answer on record; null: everything had one. */
  readonly missing: string | null;
  /** What was done to the run from outside and is not done here, for people. */
  readonly leftOut: readonly string[];
}

/**
 * Goes through another plan with the answers of a run, from its beginning: a question is answered by what was answered
 * in its place, whatever it is now. Stops where nothing is on record. Throws for a run that cannot be replayed.
 */
export async function replayAgainst(
  rid: string,
  plan: Plan,
  parts: ReplayParts,
  signal: AbortSignal,
): Promise<AgainstReplay> {
  const { run, events } = recordedRun(rid, parts.store);
  const memory = parts.openMemory();
  const made = { rid: parts.chance.rid(), path: "" };
  const course = recordedCourse(events);
  const so = new AnswersSoFar();
  try {
    const deps = world({ run, events, plan, parts, memory, made, signal }, so);
    const copy = (sha256: string) => void memory.putBlob(parts.store.blob({ sha256, sizeBytes: 0 }));
    const payloads = recordedPayloads(parts.store);
    const missing = await goThrough({ run, plan, course, deps, payloads, copy, rid: made.rid });
    if (signal.aborted) throw new CcpError("interrupted", EXIT.interrupted, "the replay was stopped");
    const replayed = readRun(made.rid, memory);
    return {
      rid,
      pipelineName: plan.pipeline.name,
      status: run.status,
      replayedStatus: replayed.status,
      tree: { was: run.tree, is: replayed.tree },
      artifacts: compareArtifacts(run, replayed),
      questions: so.questions,
      commands: so.commands,
      missing,
      leftOut: leftOut(events),
    };
  } finally {
    memory.close();
    await parts.repository.removeWorkspace(made.rid, made.path);
  }
}

interface Surroundings {
  readonly run: Run;
  readonly events: readonly StoredEvent[];
  readonly plan: Plan;
  readonly parts: ReplayParts;
  readonly memory: Store;
  readonly made: { readonly rid: string; path: string };
  readonly signal: AbortSignal;
}

function world({ run, events, plan, parts, memory, made, signal }: Surroundings, so: AnswersSoFar): EngineDeps {
  const { store, repository, tools, agent } = parts;
  const payloads = recordedPayloads(store);
  const answers = recordedAnswers(events);
  const routes = [...routesIn(events, payloads), ...Object.values(plan.pipeline.roles).map(({ models }) => models)];
  const answering = { answers, payloads, so };
  return {
    store: memory,
    userLedger: replayLedger(),
    health: NO_HEALTH,
    spool: NO_SPOOL,
    repository: passingRepository(repository, null),
    results: memoryResults(),
    models: answeringModels(answering, recordedFacts(events, routes, payloads)),
    tools,
    servers: recordedServers(events, payloads),
    executor: answeringExecutor(answering, tools),
    agent,
    weighed: (stepId) => meansOfOld(answering, plan.pipeline, stepId),
    chance: { ...standingChance(parts.chance, run.created?.at ?? 0), rid: () => made.rid },
    publish(event) {
      if (event.type === "workspace.created") made.path = event.path;
      so.saw(event);
    },
    tell: () => undefined,
    secrets: [],
    variables: {},
    policy: standingPolicy(run.created?.policy ? payloads.json<PolicyInForce>(run.created.policy.rules) : NO_POLICY),
    sandbox: () => run.created?.sandbox.active ?? "none",
    router: recordedRouter(events),
    requests: () => [],
    control: {
      signal,
      pauseRequested: () => signal.aborted,
      exitCode: () => EXIT.interrupted,
      attends: ({ stepId, toolCallId }) =>
        events.some((event) => {
          return event.type === "permission.asked" && event.stepId === stepId && event.toolCallId === toolCallId;
        }),
    },
  };
}

interface Journey {
  readonly run: Run;
  readonly plan: Plan;
  readonly course: RecordedCourse;
  readonly deps: EngineDeps;
  readonly payloads: RecordedPayloads;
  /** Brings a payload of the run into the replay's journal. */
  copy(sha256: string): void;
  readonly rid: string;
}

/** What has no answer; null: it came to an end. Where the run stood still and was gone on with, it is gone on with here. */
async function goThrough(journey: Journey): Promise<string | null> {
  const { course, deps, rid } = journey;
  let epoch = begin(journey);
  for (let at = 0; at !== -1; ) {
    try {
      const { status } = await drive(rid, epoch, deps);
      at = deps.control.signal.aborted ? -1 : resumeAfter(status, at, course);
    } catch (thrown) {
      if (thrown instanceof Unanswered) return thrown.message;
      throw thrown;
    } finally {
      deps.store.release(rid);
    }
    if (at === -1) break;
    epoch = deps.store.claim(rid);
    const changes = course.drives[at]?.opening.filter(isChange) ?? [];
    deps.store.append(rid, epoch, [{ type: "run.resumed", epoch }, ...changes.map(plain)], deps.chance.now());
  }
  return null;
}

/** The same task and base, and what the run had taken over of another. */
function begin({ run, plan, course, deps, payloads, copy }: Journey): number {
  const { created } = run;
  if (!created) throw new Error(`run ${run.rid} has no beginning`);
  const inherited = course.drives[0]?.opening.slice(1) ?? [];
  for (const sha256 of blobsNamedIn(inherited)) copy(sha256);
  const { base, resultsDir, ccpVersion, parent } = created;
  const task = payloads.text(created.task);
  return beginRun({ ...plan, task, base, resultsDir, ccpVersion, parent, inherited: inherited.map(plain) }, deps).epoch;
}

/** Index of the drive with which a run went on that stood still like this; -1: there is none. */
function resumeAfter(status: Run["status"], after: number, { drives }: RecordedCourse): number {
  if (status === "succeeded") return -1;
  return drives.findIndex((drive, index) => {
    if (index <= after || !isResumed(drive)) return false;
    return drives.slice(0, index).findLast(({ end }) => end !== null)?.end?.status === status;
  });
}

type Change = EventOf<"budget.raised" | "route.changed" | "permission.decided">;

function isChange(event: StoredEvent): event is StoredEvent & Change {
  return ["budget.raised", "route.changed", "permission.decided"].includes(event.type);
}

function plain({ seq: _, at: __, ...event }: StoredEvent): Event {
  return event as Event;
}

/** Each once. */
function leftOut(events: readonly StoredEvent[]): readonly string[] {
  const words = events
    .slice(events.findIndex(({ type }) => type === "workspace.created") + 1)
    .map(({ type }) => OF_THEN[type]);
  return [...new Set(words)].filter((word) => word !== undefined);
}

const OF_THEN: Readonly<Partial<Record<EventType, string>>> = {
  "workspace.edited": "what a person changed in the worktree",
  "run.rewound": "that it was taken back to an earlier step",
  "pipeline.changed": "that it was gone on with on another plan",
};
