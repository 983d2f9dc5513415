import type { Scope, Spend } from "../core/budget.ts";
import type { StoredEvent } from "../core/event.ts";
import { applyEvent } from "../core/fold-run.ts";
import { newRun, type Run, stepState } from "../core/run.ts";
import type { StepState } from "../core/step-state.ts";
import { NO_STEPS, stepEntries, withStepState } from "../core/step-table.ts";
import type { Usage } from "../core/usage.ts";

/** So many of the last events tell all that a screen shows of a run's past: some thirty events make a page. */
export const PAST_EVENTS = 1_000;

/** What is on record before a screen begins. */
export interface Past {
  /** As folded, up to the last of the events. */
  readonly run: Run;
  /** The last of the run's events, in order and without a gap; `PAST_EVENTS` of them, or all. */
  readonly events: readonly StoredEvent[];
}

/**
 * The run as it was before these events, at the instant of the first: what is counted is exact, what is not is as near
 * as can be told from them and from the run after them.
 */
export function runBefore({ run, events }: Past): Run {
  const [first] = events;
  if (first === undefined) return run;
  if (first.seq === 1) return newRun(run.rid);
  // The same events once more on top of the run: what they add to it is what they have added.
  const twice = events.reduce(applyEvent, { ...run, status: "running", lastAt: first.at } as Run);
  const scopes = Object.entries(run.spend) as [Scope, Spend][];
  const spend = scopes.map(([scope, once]) => [scope, less(once, twice.spend[scope] ?? once)] as const);
  const changes = firstChanges(events);
  const steps = stepEntries(run.steps).reduce((table, [id, once]) => {
    const status = statusBefore(id, once, changes.get(id));
    return withStepState(table, id, { ...stepBefore(once, stepState(twice, id), first), status });
  }, NO_STEPS);
  return {
    ...run,
    status: "running",
    end: null,
    seq: first.seq - 1,
    lastAt: first.at,
    activeMs: 2 * run.activeMs - twice.activeMs,
    spend: Object.fromEntries(spend),
    steps,
  };
}

/** `a` less what `b` has more than `a`. */
function less(a: Spend, b: Spend): Spend {
  return {
    settledNanos: 2 * a.settledNanos - b.settledNanos,
    heldNanos: 2 * a.heldNanos - b.heldNanos,
    settledTokens: 2 * a.settledTokens - b.settledTokens,
    heldTokens: 2 * a.heldTokens - b.heldTokens,
  };
}

/** For each step the first event that changes how it stands. */
function firstChanges(events: readonly StoredEvent[]): ReadonlyMap<string, StoredEvent> {
  const changes = new Map<string, StoredEvent>();
  for (const event of events.toReversed()) for (const id of changedBy(event)) changes.set(id, event);
  return changes;
}

function changedBy(event: StoredEvent): readonly string[] {
  switch (event.type) {
    case "steps.reset":
    case "judgements.voided":
    case "run.rewound":
      return event.steps;
    case "step.started":
    case "step.reused":
    case "step.interrupted":
    case "step.finished":
      return [event.stepId];
    default:
      return [];
  }
}

/** What is taken back had been done, but for the step that failed and what comes after it. */
function statusBefore(stepId: string, once: StepState, change: StoredEvent | undefined): StepState["status"] {
  if (change === undefined) return once.status;
  if (!("steps" in change) || ("from" in change && change.from === stepId)) return "pending";
  return once.startedAt === null || once.startedAt > change.at ? "pending" : "succeeded";
}

function stepBefore(once: StepState, twice: StepState, first: StoredEvent): StepState {
  const isBegunSince = once.conversationSeq >= first.seq;
  return {
    ...once,
    conversation: isBegunSince ? once.conversation - 1 : once.conversation,
    checkFailures: isBegunSince ? 0 : 2 * once.checkFailures - twice.checkFailures,
    usage: lessUsage(once.usage, twice.usage),
    calls: 2 * once.calls - twice.calls,
    lostCalls: 2 * once.lostCalls - twice.lostCalls,
    startedAt: once.startedAt !== null && once.startedAt >= first.at ? null : once.startedAt,
  };
}

function lessUsage(a: Usage, b: Usage): Usage {
  return {
    freshInput: 2 * a.freshInput - b.freshInput,
    cacheRead: 2 * a.cacheRead - b.cacheRead,
    cacheWrite: 2 * a.cacheWrite - b.cacheWrite,
    output: 2 * a.output - b.output,
    reasoning: 2 * a.reasoning - b.reasoning,
    source: a.source,
  };
}
