import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalEvents, canonicalFacts, firstDifference } from "../../src/core/canonical.ts";
import type { BlobRef, CommandPurpose, Event, EventOf, StoredEvent } from "../../src/core/event.ts";
import type { ToolEffect } from "../../src/core/permission.ts";
import { NO_USAGE } from "../../src/core/usage.ts";

/** Where and as what a run was made: what two logs of the same run may differ in. */
interface Machine {
  readonly rid: string;
  readonly home: string;
  readonly startedAt: number;
}
const HERE: Machine = { rid: "r-aaaaaa", home: "/home/ann", startedAt: 1_000 };
const THERE: Machine = { rid: "r-bbbbbb", home: "/root", startedAt: 9_000_000 };

const blob = (name: string): BlobRef => ({ sha256: name, sizeBytes: name.length });

function created({ rid, home }: Machine): Event {
  return {
    type: "run.created",
    rid,
    ccpVersion: home,
    pipeline: blob("pipeline"),
    pipelineName: "p",
    task: blob("task"),
    title: "a task",
    inputs: {},
    base: { commit: "c0", tree: "t0", dirty: false, branch: "main" },
    repository: `${home}/repo`,
    resultsDir: `${home}/repo/results`,
    budgets: {},
    sandbox: { asked: "auto", active: "none" },
    parent: null,
  };
}

const workspace = ({ rid, home }: Machine): Event => ({
  type: "workspace.created",
  path: `${home}/worktrees/${rid}`,
  branch: `ccp/${rid}`,
  notices: [],
});
const prepared: Event = { type: "workspace.prepared", tree: "t0", copied: [] };
const begun = (stepId: string, conversation = 1, prompt: BlobRef | null = blob(`prompt of ${stepId}`)): Event => ({
  type: "step.started",
  stepId,
  conversation,
  tree: "t0",
  prompt,
  fingerprint: null,
});
const done = (stepId: string, conversation = 1): Event => ({
  type: "step.finished",
  stepId,
  conversation,
  outcome: { status: "succeeded", output: blob(`output of ${stepId}`), finish: null },
  tree: "t1",
});
const tool = (stepId: string, id: string, effect: ToolEffect): readonly Event[] => [
  { type: "tool.started", stepId, toolCallId: id, tool: "x", subject: "", effect, tree: "t0" },
  {
    type: "tool.finished",
    stepId,
    toolCallId: id,
    tool: "x",
    status: "ok",
    result: blob(`result of ${id}`),
    summary: "",
    durationMs: 7,
    treeAfter: "t1",
    finish: null,
  },
];
const command = (commandId: string, purpose: CommandPurpose, stepId: string | null): readonly Event[] => [
  { type: "command.started", commandId, purpose, stepId, command: "make", tree: "t0" },
  {
    type: "command.finished",
    commandId,
    purpose,
    stepId,
    command: "make",
    end: { exitCode: 0, endedBy: null, durationMs: 3, output: blob("out"), stdout: blob("out") },
    tree: "t0",
    treeAfter: "t0",
  },
];
const artifact = (name: string, sha256: string, stepId: string | null): Event => ({
  type: "artifact.written",
  name,
  blob: blob(sha256),
  stepId,
});
const ended = ({ rid, startedAt }: Machine, status: "succeeded" | "paused" | "failed" = "succeeded"): Event => ({
  type: "run.ended",
  status,
  exitCode: 0,
  reason: null,
  hint: `ccp resume ${rid} --budget +${startedAt}`,
});

interface Asked {
  readonly n: number;
  readonly turn: number;
  readonly held?: number;
  readonly retryOf?: number;
  readonly conversation?: number;
}
const held = (nanos: number) => ({ heldNanos: nanos, heldTokens: nanos });
const callId = ({ rid }: Machine, stepId: string, n: number) => `${rid}.${stepId}.${n}`;
function asked(on: Machine, stepId: string, { n, turn, held: nanos = 5, retryOf, conversation = 1 }: Asked): Event {
  return {
    type: "call.reserved",
    callId: callId(on, stepId, n),
    stepId,
    role: "doer",
    conversation,
    turn,
    model: "p/m",
    request: `question ${turn}`,
    maxTokens: 10,
    shrunk: false,
    ...held(nanos),
    facts: blob("facts"),
    retryOf: retryOf === undefined ? null : callId(on, stepId, retryOf),
  };
}
function answered(on: Machine, stepId: string, n: number, text = `answer ${n}`): Event {
  return {
    type: "call.settled",
    callId: callId(on, stepId, n),
    stepId,
    role: "doer",
    model: "p/m",
    ...held(5),
    costNanos: 3,
    listedNanos: 3,
    usage: NO_USAGE,
    durationMs: on.startedAt,
    result: { type: "answered", parts: blob(text), stop: "end", servedBy: null, cut: false },
  };
}
function lost(on: Machine, stepId: string, n: number, isCrash: boolean): Event {
  const message = "the line was cut";
  return {
    type: "call.lost",
    callId: callId(on, stepId, n),
    stepId,
    role: "doer",
    model: "p/m",
    ...held(5),
    reason: isCrash ? "ccp stopped" : message,
    failure: isCrash ? null : { class: "network", message, httpStatus: null, retryAfterMs: null, mayBeBilled: true },
    partial: null,
  };
}

function stored(events: readonly Event[], { startedAt }: Machine): readonly StoredEvent[] {
  return events.map((event, index) => ({ ...event, seq: index + 1, at: startedAt + index }));
}
const canonical = (events: readonly Event[], on: Machine = HERE) => canonicalEvents(stored(events, on));

/** A whole run: a reader, a writer that asks twice and whose command is checked, a check of its own. */
function wholeRun(on: Machine): readonly Event[] {
  return [
    created(on),
    workspace(on),
    ...command("setup", "setup", null),
    prepared,
    ...command("baseline.test", "baseline", null),
    begun("plan"),
    asked(on, "plan", { n: 1, turn: 1 }),
    answered(on, "plan", 1),
    artifact("PLAN.md", "plan", "plan"),
    done("plan"),
    begun("build"),
    asked(on, "build", { n: 1, turn: 1 }),
    answered(on, "build", 1),
    ...tool("build", "call_1", "write"),
    ...tool("build", "call_2", "execute"),
    asked(on, "build", { n: 2, turn: 2 }),
    answered(on, "build", 2),
    ...command("until.build.1.1", "until", "build"),
    done("build"),
    begun("test", 1, null),
    ...command("step.test.1", "step", "test"),
    done("test"),
    artifact("Diff.patch", "patch", null),
    ended(on),
  ];
}

/** What the log of a run is that was killed when it had so many events, and resumed. */
function killedAfter(on: Machine, events: readonly Event[], count: number): readonly Event[] {
  const [before, after] = [events.slice(0, count), events.slice(count)];
  const isOfCall = (call: Event | undefined) => (event: Event) =>
    call?.type === "call.reserved" &&
    (event.type === "call.settled" || event.type === "call.lost") &&
    event.callId === call.callId;
  const openCall = before.findLast((event) => event.type === "call.reserved");
  const isLost = openCall !== undefined && !before.some(isOfCall(openCall));
  const step = before.findLast((event) => event.type === "step.started");
  const isOpen = step && !before.some((event) => event.type === "step.finished" && event.stepId === step.stepId);
  const begunWork = before.at(-1);
  const isWork = begunWork?.type === "tool.started" || begunWork?.type === "command.started";
  return [
    ...before,
    { type: "run.resumed", epoch: 2 },
    ...(isWork
      ? [{ type: "workspace.restored", tree: "t0", kept: "undone-2.patch" } as const, interrupted(begunWork)]
      : []),
    ...(isOpen ? [step] : []),
    ...(isLost ? lostAndAskedAgain(on, openCall) : []),
    ...(isWork ? [begunWork] : []),
    ...(isLost ? after.map((event) => renumbered(on, event, openCall.stepId)) : after),
  ];
}

function interrupted(event: EventOf<"tool.started" | "command.started">): Event {
  if (event.type === "command.started") {
    const { commandId, purpose, stepId, command: text } = event;
    return { type: "command.interrupted", commandId, purpose, stepId, command: text };
  }
  const { stepId, toolCallId, tool: name, subject } = event;
  return { type: "tool.interrupted", stepId, toolCallId, tool: name, subject, outside: true };
}

function lostAndAskedAgain(on: Machine, call: EventOf<"call.reserved">): readonly Event[] {
  const n = Number(call.callId.split(".").at(-1));
  return [
    lost(on, call.stepId, n, true),
    { type: "budget.warned", scope: "run", percent: 75 },
    { ...call, callId: callId(on, call.stepId, n + 1), retryOf: call.callId, ...held(4) },
  ];
}

/** The calls of a step that has lost one count on by one. */
function renumbered(on: Machine, event: Event, stepId: string): Event {
  if (!("callId" in event) || event.stepId !== stepId) return event;
  return { ...event, callId: callId(on, stepId, Number(event.callId.split(".").at(-1)) + 1) };
}

describe("what a crash adds is no fact", () => {
  test("a run that is killed after any of its events, and again after any later one, has the facts of one that was not", () => {
    const whole = wholeRun(HERE);
    const facts = canonical(whole);
    // The last two come on record together.
    const last = whole.length - 2;
    const cut = fc.integer({ min: 2, max: last });
    fc.assert(
      fc.property(cut, fc.nat({ max: 12 }), (first, further) => {
        const once = killedAfter(HERE, whole, first);
        expect(firstDifference(canonical(once), facts)).toBeNull();
        const second = Math.min(once.length - 2, first + 1 + further);
        expect(firstDifference(canonical(killedAfter(HERE, once, second)), facts)).toBeNull();
      }),
      { numRuns: 300 },
    );
  });

  test("calls of one answer have the same facts, however many of them had begun when one ended", () => {
    const calls = ["a", "b", "c"].map((id) => tool("build", id, "read"));
    const [starts, ends] = [calls.map(([start]) => start as Event), calls.map(([, end]) => end as Event)];
    const around = (...between: readonly Event[]) =>
      canonical([created(HERE), begun("build"), ...between, done("build")]);
    const oneByOne = around(...calls.flat());
    expect(around(...starts, ...ends)).toEqual(oneByOne);
    const crash: Event = { type: "run.resumed", epoch: 2 };
    const stopped = starts
      .slice(1)
      .map((start): Event => ({ ...start, type: "tool.interrupted", outside: false }) as Event);
    const killed = [
      ...starts,
      ...ends.slice(0, 1),
      crash,
      ...stopped,
      begun("build"),
      ...starts.slice(1),
      ...ends.slice(1),
    ];
    expect(around(...killed)).toEqual(oneByOne);
  });

  test("a call that never ended stays where it began, and one that was refused has no beginning", () => {
    const [start, end] = tool("build", "a", "read") as readonly [Event, Event];
    const [open] = tool("build", "b", "read") as readonly [Event, Event];
    const events = [created(HERE), begun("build"), start, end, open, done("build"), begun("build", 2), end];
    const types = canonical(events).map((fact) => (fact as { type: string }).type);
    expect(types.slice(1)).toEqual(events.slice(1).map(({ type }) => type));
  });

  test("a run that was paused and gone on with has not ended there, nor left the patch of that moment", () => {
    const whole = wholeRun(HERE);
    const at = whole.findIndex((event) => event.type === "tool.finished") + 1;
    const stop: readonly Event[] = [
      { type: "step.interrupted", stepId: "build", conversation: 1, reason: "paused" },
      artifact("Diff.patch", "patch of half the work", null),
      ended(HERE, "paused"),
      { type: "run.resumed", epoch: 2 },
      begun("build"),
    ];
    expect(canonical([...whole.slice(0, at), ...stop, ...whole.slice(at)])).toEqual(canonical(whole));
    expect(canonical(whole.slice(0, at).concat(stop.slice(0, 3))).at(-1)).toMatchObject({ status: "paused" });
  });

  test("a worktree that was made again, with its set-up, is the one of the beginning", () => {
    const whole = wholeRun(HERE);
    const at = whole.findIndex((event) => event.type === "step.started");
    const again: readonly Event[] = [
      { type: "run.imported", repository: "/elsewhere", resultsDir: "/elsewhere/results" },
      { type: "run.resumed", epoch: 2 },
      { ...(workspace(HERE) as EventOf<"workspace.created">), path: "/elsewhere/worktrees/x" },
      ...command("setup", "setup", null),
    ];
    expect(canonical([...whole.slice(0, at), ...again, ...whole.slice(at)])).toEqual(canonical(whole));
  });

  test("a question that is asked again after two crashes is a retry of what was asked before them", () => {
    const failedOnce = [asked(HERE, "plan", { n: 1, turn: 1 }), lost(HERE, "plan", 1, false)];
    const crashed = [
      ...failedOnce,
      asked(HERE, "plan", { n: 2, turn: 1, retryOf: 1 }),
      lost(HERE, "plan", 2, true),
      asked(HERE, "plan", { n: 3, turn: 1, retryOf: 2 }),
      answered(HERE, "plan", 3, "yes"),
    ];
    const whole = [...failedOnce, asked(HERE, "plan", { n: 2, turn: 1, retryOf: 1 }), answered(HERE, "plan", 2, "yes")];
    expect(canonical(crashed)).toEqual(canonical(whole));
    expect(canonical(crashed)[2]).toMatchObject({ callId: "plan 1.1.2", retryOf: "plan 1.1.1" });
  });
});

describe("what the machine adds is no fact", () => {
  test("the same run under another name, in another folder, at another time, by another ccp has the same facts", () => {
    expect(canonical(wholeRun(THERE), THERE)).toEqual(canonical(wholeRun(HERE)));
    expect(JSON.stringify(canonical(wholeRun(HERE)))).not.toMatch(/r-aaaaaa|\/home\/ann/);
  });

  test("what a call held counts for nothing, what was asked and paid for does", () => {
    const call = (held: number) => [asked(HERE, "plan", { n: 1, turn: 1, held }), answered(HERE, "plan", 1)];
    expect(canonical(call(5))).toEqual(canonical(call(500)));
    const [question, answer] = call(5);
    for (const changed of [{ request: "another" }, { maxTokens: 9 }, { shrunk: true }, { model: "p/other" }])
      expect(canonical([{ ...question, ...changed } as Event])).not.toEqual(canonical([question as Event]));
    for (const changed of [{ costNanos: 4 }, { listedNanos: null }, { usage: { ...NO_USAGE, output: 1 } }])
      expect(canonical([{ ...answer, ...changed } as Event])).not.toEqual(canonical([answer as Event]));
  });

  test.each([
    ["a call that failed and was asked again", [asked(HERE, "s", { n: 1, turn: 1 }), lost(HERE, "s", 1, false)], 2],
    ["what a person has changed", [{ type: "workspace.edited", tree: "t9" } as const], 1],
    ["a way back", [{ type: "steps.reset", from: "a", to: "b", steps: [], feedback: blob("f") } as const], 1],
    ["another plan", [{ type: "pipeline.changed", pipeline: blob("q"), pipelineName: "q", inputs: {} } as const], 1],
    ["more money", [{ type: "budget.raised", scope: "run", budget: {} } as const], 1],
    ["a tool that was never ended", tool("s", "c", "write").slice(0, 1), 1],
    ["the same document again", [artifact("A.md", "a", "s"), artifact("A.md", "a", "s")], 1],
    ["another one under its name", [artifact("A.md", "a", "s"), artifact("A.md", "b", "s")], 2],
  ] as const)("%s: so many facts", (_, events, count) => {
    expect(canonical(events)).toHaveLength(count);
  });
});

describe("steps that run side by side", () => {
  const conversation = (on: Machine, stepId: string) => [
    begun(stepId),
    asked(on, stepId, { n: 1, turn: 1 }),
    answered(on, stepId, 1),
    ...tool(stepId, "c", "read"),
    done(stepId),
  ];

  /** Any way of putting the conversations together in which each keeps its order. */
  const interleaved = (parts: readonly (readonly Event[])[]) =>
    fc.infiniteStream(fc.nat({ max: parts.length - 1 })).map((choices) => {
      const rest = parts.map((part) => [...part]);
      const merged: Event[] = [];
      for (const choice of choices) {
        const waiting = rest.filter((part) => part.length > 0);
        if (waiting.length === 0) break;
        merged.push(...(waiting[choice % waiting.length]?.splice(0, 1) ?? []));
      }
      return merged;
    });

  test("come on record in any order, and are the same facts in the same order", () => {
    const readers = ["c", "a", "b"].map((stepId) => conversation(HERE, stepId));
    const writer = [begun("w"), ...tool("w", "c", "write"), done("w")];
    const after = conversation(HERE, "d");
    const facts = canonical([created(HERE), ...readers.flat(), ...writer, ...after]);
    fc.assert(
      fc.property(interleaved(readers), (merged) => {
        expect(canonical([created(HERE), ...merged, ...writer, ...after])).toEqual(facts);
      }),
      { numRuns: 100 },
    );
  });

  test("stay on their side of what changes files, and of what happens to the run itself", () => {
    const order = (events: readonly Event[]) =>
      canonicalFacts(stored(events, HERE)).flatMap(({ event }) => {
        const { type, stepId } = event as { type: string; stepId?: string };
        return type === "step.started" ? [stepId] : type === "steps.reset" ? ["-"] : [];
      });
    const writer = (stepId: string) => [begun(stepId), ...tool(stepId, "c", "write"), done(stepId)];
    const reset: Event = { type: "steps.reset", from: "a", to: "b", steps: [], feedback: blob("f") };
    expect(order([...conversation(HERE, "z"), ...writer("y"), ...conversation(HERE, "x")])).toEqual(["z", "y", "x"]);
    expect(order([...conversation(HERE, "z"), reset, ...conversation(HERE, "x")])).toEqual(["z", "-", "x"]);
    expect(order([...conversation(HERE, "z"), ...conversation(HERE, "x")])).toEqual(["x", "z"]);
  });

  test("a conversation that is split by a fact of the run keeps both halves in their places", () => {
    const [start, question, ...rest] = conversation(HERE, "a");
    const raised: Event = { type: "budget.raised", scope: "run", budget: {} };
    const facts = canonical([start as Event, question as Event, raised, ...rest]) as readonly { type: string }[];
    expect(facts.map(({ type }) => type).slice(0, 4)).toEqual([
      "step.started",
      "call.reserved",
      "budget.raised",
      "call.settled",
    ]);
  });
});

describe("the first difference", () => {
  const facts = canonical(wholeRun(HERE));

  test("is none between the same facts", () => {
    expect(firstDifference(facts, canonical(wholeRun(THERE), THERE))).toBeNull();
  });

  test("is named by its place in the list and in the fact", () => {
    const other = wholeRun(HERE).map((event) =>
      event.type === "command.finished" && event.purpose === "until"
        ? { ...event, end: { ...event.end, exitCode: 1 } }
        : event,
    );
    const index = facts.findIndex((fact) => JSON.stringify(fact).includes('"purpose":"until"')) + 1;
    expect(firstDifference(facts, canonical(other))).toEqual({ index, path: "end.exitCode", a: 0, b: 1 });
  });

  test("is what one list has and the other has not", () => {
    expect(firstDifference(facts, facts.slice(0, 3))).toEqual({ index: 3, path: "", a: facts[3], b: undefined });
    expect(firstDifference([], facts)).toMatchObject({ index: 0, path: "", a: undefined });
    expect(firstDifference([{ a: [1, 2] }], [{ a: [1] }])).toEqual({ index: 0, path: "a.1", a: 2, b: undefined });
    expect(firstDifference([{ a: [] }], [{ a: {} }])).toMatchObject({ path: "a" });
    expect(firstDifference([{ a: null }], [{}])).toMatchObject({ path: "a", a: null, b: undefined });
  });
});
