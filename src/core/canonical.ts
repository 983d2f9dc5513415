import { inCanonicalOrder, withBeginningsBesideEnds } from "./canonical-order.ts";
import type { EventOf, StoredEvent } from "./event.ts";
import { isJsonObject, type Json } from "./json.ts";

/** A fact of a run without what a crash or the machine adds to it. `seq`: where the log has it. */
export interface CanonicalFact {
  readonly seq: number;
  readonly event: Json;
}

/** The first place in which two lists of facts are not the same. */
export interface Difference {
  readonly index: number;
  /** Where in the fact, as `end.exitCode`; empty: one list has no such fact. */
  readonly path: string;
  /** Undefined: there is none. */
  readonly a: Json | undefined;
  readonly b: Json | undefined;
}

/**
 * The facts of a run, such that the log of one that was killed and resumed, of one that was not, and of a replay are
 * equal.
 *
 * Accidents, and left out: numbers, instants and durations, names of run, folders and calls, which ccp wrote it; what a
 * resume adds and what the drive before it left open; which calls of an answer had begun when one of them ended; a call that a crash has lost, with its question; warnings, for a
 * lost call brings them earlier; what a person is advised to do; the order of steps that ran side by side.
 * What a call holds (`heldNanos`, `heldTokens`) is an accident too: it is what the machine had learned of a model's
 * tokens by then, and is given back.
 * Facts, and kept: what was asked (`request`, `maxTokens`, `shrunk`, the model as it was known), answered and paid. An
 * answer that was shortened, because a lost call has eaten of the budget, is the answer to another question.
 * Payloads are named by their hashes: what a command has printed is a fact, the time that it took included.
 */
export function canonicalEvents(events: readonly StoredEvent[]): readonly Json[] {
  return canonicalFacts(events).map(({ event }) => event);
}

/** The same, each with its place in the log. */
export function canonicalFacts(events: readonly StoredEvent[]): readonly CanonicalFact[] {
  const kept = withoutAccidents(events);
  const names = callNames(kept, events);
  const stand = placeholders(events);
  return inCanonicalOrder(withBeginningsBesideEnds(kept)).map((event) => ({
    seq: event.seq,
    event: replaced(bare(event, names), stand),
  }));
}

/** Null: they are the same. */
export function firstDifference(a: readonly Json[], b: readonly Json[]): Difference | null {
  const length = Math.max(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const difference = differenceWithin(a[index], b[index], []);
    if (difference) return { index, ...difference };
  }
  return null;
}

function differenceWithin(
  a: Json | undefined,
  b: Json | undefined,
  path: readonly string[],
): Omit<Difference, "index"> | null {
  if (isBranch(a) && isBranch(b) && Array.isArray(a) === Array.isArray(b)) {
    for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
      const found = differenceWithin(memberOf(a, key), memberOf(b, key), [...path, key]);
      if (found) return found;
    }
    return null;
  }
  return a === b ? null : { path: path.join("."), a, b };
}

function isBranch(value: Json | undefined): value is Exclude<Json, null | boolean | number | string> {
  return typeof value === "object" && value !== null;
}

function memberOf(value: object, key: string): Json | undefined {
  return (value as Readonly<Record<string, Json | undefined>>)[key];
}

// ── what is kept ─────────────────────────────────────────────────────────────────────────────────────────────────

function withoutAccidents(events: readonly StoredEvent[]): readonly StoredEvent[] {
  const lost = new Set(events.flatMap((event) => (isLostInACrash(event) ? [event.callId] : [])));
  const rules = [isNoAccident, isOfAQuestionThatWasKept(lost), isFirstBeginning(), isNews()];
  const kept = rules.reduce<readonly StoredEvent[]>((left, rule) => left.filter(rule), withoutStops(events));
  return latestIntents(withoutMakingAgain(kept));
}

function isLostInACrash(event: StoredEvent): event is StoredEvent & EventOf<"call.lost"> {
  return event.type === "call.lost" && event.failure === null;
}

function isNoAccident({ type }: StoredEvent): boolean {
  return ![
    "run.resumed",
    "run.imported",
    "budget.warned",
    "workspace.restored",
    "command.interrupted",
    "tool.interrupted",
    "step.interrupted",
  ].includes(type);
}

/** A run that stood still and was gone on with has not ended there, and its patch was not yet the one that it leaves. */
function withoutStops(events: readonly StoredEvent[]): readonly StoredEvent[] {
  const resumed = events.findLastIndex(({ type }) => type === "run.resumed");
  return events.filter((event, index) => {
    if (index > resumed) return true;
    if (event.type === "artifact.written" && event.stepId === null) return false;
    return event.type !== "run.ended";
  });
}

function isOfAQuestionThatWasKept(lost: ReadonlySet<string>): (event: StoredEvent) => boolean {
  return (event) => !("callId" in event) || !lost.has(event.callId);
}

/** A conversation that goes on after an interruption begins once more on record. */
function isFirstBeginning(): (event: StoredEvent) => boolean {
  const begun = new Set<string>();
  return (event) => event.type !== "step.started" || isNew(`${event.stepId} ${event.conversation}`, begun);
}

/** A worktree that somebody removed is made and set up again; a crash may have come between its set-up and the word that it is ready. */
function withoutMakingAgain(events: readonly StoredEvent[]): readonly StoredEvent[] {
  const preparedAt = events.findIndex(({ type }) => type === "workspace.prepared");
  const end = preparedAt === -1 ? events.length : preparedAt;
  const setUpAt = events.findLastIndex(
    (event, index) => index < end && event.type === "command.started" && isSetUp(event),
  );
  return events.filter((event, index) => {
    if (event.type === "workspace.created") return index < end;
    return !isSetUp(event) || (setUpAt <= index && index < end);
  });
}

function isSetUp(event: StoredEvent): boolean {
  return "purpose" in event && event.purpose === "setup";
}

/** A document that is written again as it is says nothing. */
function isNews(): (event: StoredEvent) => boolean {
  const written = new Map<string, string>();
  return (event) => {
    if (event.type !== "artifact.written") return true;
    const was = written.get(event.name);
    written.set(event.name, event.blob.sha256);
    return was !== event.blob.sha256;
  };
}

/** What was begun again, because it was interrupted, was begun the last time. */
function latestIntents(events: readonly StoredEvent[]): readonly StoredEvent[] {
  const begun = new Set<string>();
  const isLatest = (event: StoredEvent) => {
    const work = workOf(event);
    if (work === null) return true;
    if (work.isBeginning) return isNew(work.name, begun);
    begun.delete(work.name);
    return true;
  };
  return events.toReversed().filter(isLatest).toReversed();
}

function workOf(event: StoredEvent): { readonly name: string; readonly isBeginning: boolean } | null {
  switch (event.type) {
    case "tool.started":
    case "tool.finished":
      return { name: `tool ${event.stepId} ${event.toolCallId}`, isBeginning: event.type === "tool.started" };
    case "command.started":
    case "command.finished":
      return { name: `command ${event.commandId}`, isBeginning: event.type === "command.started" };
    default:
      return null;
  }
}

/** True for the first of its name, which is then remembered. */
function isNew(name: string, known: Set<string>): boolean {
  if (known.has(name)) return false;
  known.add(name);
  return true;
}

// ── what a kept one is called ────────────────────────────────────────────────────────────────────────────────────

/** By call id: step, conversation, turn and attempt. A lost call that was dropped has the name of the one that it asked again. */
function callNames(kept: readonly StoredEvent[], all: readonly StoredEvent[]): ReadonlyMap<string, string | null> {
  const names = new Map<string, string | null>();
  const attempts = new Map<string, number>();
  for (const event of kept) {
    if (event.type !== "call.reserved") continue;
    const question = `${event.stepId} ${event.conversation}.${event.turn}`;
    const attempt = (attempts.get(question) ?? 0) + 1;
    attempts.set(question, attempt);
    names.set(event.callId, `${question}.${attempt}`);
  }
  for (const event of all) {
    if (event.type === "call.reserved" && !names.has(event.callId))
      names.set(event.callId, names.get(event.retryOf ?? "") ?? null);
  }
  return names;
}

type Bare = Readonly<Record<string, unknown>>;

/** A fact as plain data, less its accidents. */
function bare(event: StoredEvent, names: ReadonlyMap<string, string | null>): Json {
  const { seq: _, at: __, ...fact } = event;
  const named = "callId" in fact ? { ...fact, callId: names.get(fact.callId) ?? null } : fact;
  return JSON.parse(JSON.stringify(withoutMeasures(named as StoredEvent, names))) as Json;
}

function withoutMeasures(event: StoredEvent, names: ReadonlyMap<string, string | null>): Bare {
  switch (event.type) {
    case "run.created":
      return less(event, "ccpVersion");
    case "call.reserved": {
      const retryOf = event.retryOf === null ? null : (names.get(event.retryOf) ?? null);
      return { ...less(event, "heldNanos", "heldTokens"), retryOf };
    }
    case "call.settled":
    case "call.lost":
      return less(event, "heldNanos", "heldTokens", "durationMs");
    // What a call has seen of files follows from the tree, and what checks said of it is in its result.
    case "tool.finished":
      return less(event, "durationMs", "seen", "checked");
    case "run.ended":
      return less(event, "hint");
    case "command.finished":
      return { ...event, end: less(event.end, "durationMs") };
    default:
      return { ...event };
  }
}

function less(fact: object, ...keys: readonly string[]): Bare {
  return Object.fromEntries(Object.entries(fact).filter(([key]) => !keys.includes(key)));
}

/** What stands in the place of each name of the machine's, the longest first: one may lie in another. */
function placeholders(events: readonly StoredEvent[]): readonly (readonly [string, string])[] {
  const names = events.flatMap((event): (readonly [string, string])[] => {
    if (event.type === "run.created" || event.type === "run.imported") {
      const folders = [[event.resultsDir, "<results>"] as const, [event.repository, "<repository>"] as const];
      return event.type === "run.created" ? [...folders, [event.rid, "<rid>"]] : folders;
    }
    return event.type === "workspace.created"
      ? [
          [event.path, "<worktree>"],
          [event.branch, "<branch>"],
        ]
      : [];
  });
  return names.filter(([name]) => name.length > 1).toSorted(([a], [b]) => b.length - a.length);
}

function replaced(value: Json, names: readonly (readonly [string, string])[]): Json {
  if (typeof value === "string") return names.reduce((text, [name, stand]) => text.replaceAll(name, stand), value);
  if (Array.isArray(value)) return value.map((item: Json) => replaced(item, names));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, replaced(item, names)]));
}
