import { EXIT } from "../core/errors.ts";
import type { StoredEvent } from "../core/event.ts";
import type { Pipeline } from "../core/pipeline.ts";
import type { EngineDeps } from "./deps.ts";
import type { Course } from "./replay-course.ts";
import { followingAgent, followingExecutor, followingModels, followingPolicy, meansThen } from "./replay-follow.ts";
import { type RecordedPayloads, recordedFacts, recordedPayloads } from "./replay-models.ts";
import { asked, done } from "./replay-names.ts";
import { recordedRouter } from "./replay-router.ts";
import { recordedServers } from "./replay-servers.ts";
import {
  askingStore,
  memoryResults,
  NO_HEALTH,
  NO_SPOOL,
  passingRepository,
  replayLedger,
  standingChance,
  type Undertaking,
} from "./replay-world.ts";

/** What the replay is driven with. `stop`: does what had stopped the run. */
export function followingDeps({ run, events, parts, memory, made }: Undertaking, course: Course) {
  const { store, repository, tools, agent } = parts;
  const payloads = recordedPayloads(store);
  const following = { course, payloads };
  const ledger = replayLedger();
  const chance = standingChance(parts.chance, run.created?.at ?? 0);
  const halted = new AbortController();
  const exitCode = run.end?.exitCode === EXIT.terminated ? EXIT.terminated : EXIT.interrupted;
  const prepared = events.find((event) => event.type === "workspace.prepared");
  const deps: EngineDeps = {
    store: askingStore(memory, () => course.mayRecord()),
    userLedger: ledger,
    health: NO_HEALTH,
    spool: NO_SPOOL,
    repository: passingRepository(repository, prepared?.copied ?? null),
    results: memoryResults(),
    models: followingModels(following, recordedFacts(events, routesIn(events, payloads), payloads)),
    tools,
    servers: recordedServers(events, payloads),
    executor: followingExecutor(following, tools),
    agent: followingAgent(following, agent, ledger),
    weighed: (stepId) => meansThen(course, stepId),
    chance,
    publish(event) {
      if (event.type === "workspace.created") made.path = event.path;
      course.reached(event);
    },
    tell: () => undefined,
    secrets: [],
    variables: {},
    policy: followingPolicy(following, halted.signal),
    sandbox: () => run.sandbox,
    router: recordedRouter(events),
    requests: (stepId) => dueRequests(course.due(stepId)?.event),
    control: {
      signal: halted.signal,
      pauseRequested: () => course.standstill()?.kind === "paused",
      exitCode: () => exitCode,
      attends({ stepId, toolCallId }) {
        const name = course.names.tool(stepId, toolCallId);
        return course.find(asked(name)) !== undefined && !course.isOfThisDrive(done(name));
      },
    },
  };
  const stop = () => {
    const kind = course.standstill()?.kind;
    if (kind === "aborted") halted.abort();
    if (kind === "time") chance.expire();
  };
  return { deps, stop };
}

/** A word that was taken up at this point of the run. */
function dueRequests(event: StoredEvent | undefined): ReturnType<NonNullable<EngineDeps["requests"]>> {
  if (event?.type !== "route.changed" || event.request === undefined) return [];
  return [{ id: event.request, role: event.role, models: event.models }];
}

/** The routes of every plan that the run has followed. */
export function routesIn(events: readonly StoredEvent[], payloads: RecordedPayloads): readonly (readonly string[])[] {
  return events.flatMap((event): (readonly string[])[] => {
    if (event.type === "route.changed") return [event.models];
    if (event.type === "route.decided") return event.candidates.length > 0 ? [event.candidates] : [];
    if (event.type !== "run.created" && event.type !== "pipeline.changed") return [];
    return Object.values(payloads.json<Pipeline>(event.pipeline).roles).map(({ models }) => models);
  });
}
