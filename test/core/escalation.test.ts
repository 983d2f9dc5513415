import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { failureWords } from "../../src/core/check-words.ts";
import { decide, isSlow, routeOnRung, type Trouble } from "../../src/core/escalation.ts";
import { type Means, NO_MEANS, SIGNALS, type Signal, TACTICS } from "../../src/core/escalation-terms.ts";
import type { Event, StepOutcome } from "../../src/core/event.ts";
import { applyEvent, foldRun } from "../../src/core/fold-run.ts";
import { lackOf } from "../../src/core/lack.ts";
import { FREE } from "../../src/core/money.ts";
import { type Action, nextActions } from "../../src/core/next.ts";
import type { Escalation, Pipeline } from "../../src/core/pipeline.ts";
import { type Run, stepState } from "../../src/core/run.ts";
import { EMPTY_BLOB, runCreated } from "../support/events.ts";
import { agent, pipelineOf, shell } from "../support/pipelines.ts";

const STRONGER = { rung: 1, model: "p/strong", lacks: null } as const;
const TROUBLE: Trouble = {
  occasion: "failed",
  signal: "same-failure",
  failure: "check-failed",
  what: "so",
  hasAttemptsLeft: false,
  climbsLeft: 2,
  mayDiagnose: true,
  tactics: [],
};
const ALL: Means = { stronger: STRONGER, canDiagnose: true, isSlow: false };

/** What each signal leads to as one way out after the other is closed. */
const TABLE: readonly (readonly [Signal, Trouble["occasion"], readonly string[]])[] = [
  // With attempts left: everything open, no stronger model, no diagnosis either, no tactic either; then without attempts.
  ["same-failure", "failed", ["stronger", "diagnose", "tactic", "retry", "fail"]],
  ["churn", "failed", ["stronger", "diagnose", "tactic", "retry", "fail"]],
  ["tool-loop", "failed", ["stronger", "diagnose", "tactic", "retry", "fail"]],
  ["slow", "failed", ["stronger", "diagnose", "tactic", "retry", "fail"]],
  ["no-change", "failed", ["tactic", "tactic", "tactic", "retry", "fail"]],
  ["failed-try", "failed", ["tactic", "tactic", "tactic", "retry", "fail"]],
  ["same-failure", "returned", ["stronger", "diagnose", "tactic", "retry", "retry"]],
  // Work that was finished is never thrown away for want of somebody stronger.
  ["low-confidence", "succeeded", ["stronger", "diagnose", "go-on", "go-on", "go-on"]],
  ["uncertain-plan", "succeeded", ["stronger", "diagnose", "go-on", "go-on", "go-on"]],
  ["succeeded", "succeeded", ["cheaper", "cheaper", "cheaper", "cheaper", "cheaper"]],
];

describe("the decision", () => {
  test.each(TABLE)("%s of a step that has %s", (signal, occasion, expected) => {
    const trouble = { ...TROUBLE, signal, occasion, hasAttemptsLeft: true };
    const closed = { ...trouble, mayDiagnose: false, tactics: TACTICS };
    const actions = [
      decide(trouble, ALL),
      decide(trouble, { ...ALL, stronger: null }),
      decide({ ...trouble, mayDiagnose: false }, { ...ALL, stronger: null }),
      decide(closed, { ...ALL, stronger: null }),
      decide({ ...closed, hasAttemptsLeft: false }, { ...ALL, stronger: null }),
    ].map(({ action }) => action);
    expect(actions).toEqual(expected);
  });

  test("spent attempts lead to a stronger model, a diagnosis, the end, in this order", () => {
    const spent = { ...TROUBLE, signal: "attempts-spent" } as const;
    expect(decide(spent, ALL).action).toBe("stronger");
    expect(decide({ ...spent, climbsLeft: 0 }, ALL).action).toBe("diagnose");
    expect(decide({ ...spent, climbsLeft: 0, mayDiagnose: false }, ALL).action).toBe("fail");
  });

  test("nothing that was changed twice over leads to a stronger model, once the other tactics are used up", () => {
    const unchanged = { ...TROUBLE, signal: "no-change", hasAttemptsLeft: true } as const;
    expect(decide({ ...unchanged, tactics: TACTICS }, ALL).action).toBe("stronger");
    expect(decide({ ...unchanged, hasAttemptsLeft: false }, ALL).action).toBe("stronger");
  });

  test("a stronger model that does not fit is not taken: first the diagnosis, then a person is asked", () => {
    const means = { ...ALL, stronger: { ...STRONGER, lacks: { unit: "money", needed: 5 } } } as const;
    expect(decide(TROUBLE, means)).toMatchObject({ action: "diagnose", reason: expect.stringContaining("budget") });
    expect(decide({ ...TROUBLE, mayDiagnose: false }, means).action).toBe("ask");
    // More for the run is of no use where the user's own day is full, or nobody knows the price.
    for (const lacks of ["window", "unpriced"] as const) {
      const closed = { ...ALL, stronger: { ...STRONGER, lacks } };
      expect(decide({ ...TROUBLE, mayDiagnose: false }, closed).action).toBe("fail");
    }
    expect(decide({ ...TROUBLE, mayDiagnose: false, climbsLeft: 0 }, means).action).toBe("fail");
  });

  test("time that runs out beside money that does not turns a failed try into a signal", () => {
    const failed = { ...TROUBLE, signal: "failed-try", hasAttemptsLeft: true } as const;
    expect(decide(failed, ALL)).toMatchObject({ signal: "failed-try", action: "tactic" });
    expect(decide(failed, { ...ALL, isSlow: true })).toMatchObject({ signal: "slow", action: "stronger" });
    expect([isSlow(0.7, 0.1), isSlow(0.7, 0.5), isSlow(0.2, 0.1), isSlow(null, 0), isSlow(1, null)]).toEqual([
      true,
      false,
      false,
      false,
      false,
    ]);
  });

  test("each tactic comes once, the most fitting first, and its reason says what is done", () => {
    const taken: string[] = [];
    const stuck = { ...TROUBLE, signal: "churn", hasAttemptsLeft: true, mayDiagnose: false } as const;
    for (;;) {
      const { action, tactic, reason } = decide({ ...stuck, tactics: taken as never }, NO_MEANS);
      if (action !== "tactic" || !tactic) break;
      expect(reason).toMatch(/^so: .+ (change|earlier|tool|it)$/);
      taken.push(tactic);
    }
    expect(taken).toEqual(["narrower", "tests-first", "read-docs"]);
  });
});

const ESCALATION: Escalation = {
  models: ["p/strong", "p/stronger"],
  isDefault: false,
  limit: 2,
  diagnose: true,
  confidence: 0.5,
  uncertainty: 0.7,
};

/** The usual pipeline, its roles with what they may do where they are stuck. */
function escalated(change: Partial<Escalation> = {}): Pipeline {
  const until = { command: { kind: "text", text: "check" }, attempts: 3 } as const;
  const pipeline = pipelineOf([
    agent("plan", "planner", []),
    agent("build", "doer", ["plan"], { until }),
    shell("test", ["build"], { check: true, onFailure: { backTo: "build", attempts: 2 } }),
    agent("review", "reviewer", ["test"], { onFailure: { backTo: "build", attempts: 1 } }),
  ]);
  const escalation = { ...ESCALATION, ...change };
  const roles = Object.values(pipeline.roles).map((role) => [role.name, { ...role, escalation }] as const);
  return { ...pipeline, roles: Object.fromEntries(roles) };
}

/** A run of which a test says what comes. */
class Story {
  run = foldRun("r-a", []);
  readonly pipeline: Pipeline;
  #trees = 0;

  constructor(pipeline: Pipeline) {
    this.pipeline = pipeline;
    this.happen(runCreated("r-a"));
  }

  happen(...events: readonly Event[]): void {
    for (const event of events) this.run = applyEvent(this.run, { ...event, seq: this.run.seq + 1, at: this.run.seq });
  }

  next(): Action {
    const [action] = nextActions(this.pipeline, this.run);
    if (!action) throw new Error("nothing to do, and not ended");
    return action;
  }

  /** A try from its beginning to its end; `reds`: what its check says, and on which tree. */
  attempt(id: string, outcome: StepOutcome, reds: readonly (readonly [string, string])[] = []): void {
    this.happen(...this.eventsOf(id, outcome, reds));
  }

  eventsOf(id: string, outcome: StepOutcome, reds: readonly (readonly [string, string])[]): readonly Event[] {
    const conversation = stepState(this.run, id).conversation + 1;
    const begun = { stepId: id, conversation, tree: this.tree, prompt: null, fingerprint: null };
    const checks = reds.map(([tree, said]) => red("until", id, tree, said));
    const tree = checks.length > 0 ? (reds.at(-1)?.[0] ?? this.tree) : this.tree;
    return [
      { type: "step.started", ...begun },
      ...checks,
      { type: "step.finished", stepId: id, conversation, outcome, tree },
    ];
  }

  get tree(): string {
    return this.run.tree ?? "t0";
  }

  newTree(): string {
    return `t${++this.#trees}`;
  }

  /** Decides as the engine does, and says what. */
  decide(means: Means = ALL): Extract<Event, { type: "escalation.decided" }> {
    const action = this.next();
    if (action.type !== "decide") throw new Error(`nothing is to be decided, but to ${action.type}`);
    const event = decisionOf(this.run, action, means);
    this.happen(event);
    return event;
  }
}

function decisionOf(
  run: Run,
  { step, trouble }: Extract<Action, { type: "decide" }>,
  means: Means,
): Extract<Event, { type: "escalation.decided" }> {
  const { conversation, escalation } = stepState(run, step.id);
  const decision = decide(trouble, means);
  const rung = { stronger: means.stronger?.rung, cheaper: 0 }[decision.action as string] ?? escalation.rung;
  const said = { stepId: step.id, role: step.role, conversation, rung, from: "", to: "", means };
  return { type: "escalation.decided", ...said, ...decision };
}

function red(purpose: "until" | "step", stepId: string, tree: string, signature: string): Event {
  const end = { exitCode: 1, endedBy: null, durationMs: 1, output: EMPTY_BLOB, stdout: EMPTY_BLOB };
  const command = { commandId: `${purpose} ${stepId}`, purpose, stepId, command: "check" } as const;
  return { type: "command.finished", ...command, end, tree, treeAfter: tree, signature };
}

const failed = (failure: Extract<StepOutcome, { status: "failed" }>["class"]): StepOutcome => ({
  status: "failed",
  class: failure,
  reason: "so",
  finish: null,
});
const done = (figures: { confidence?: number; uncertainty?: number } = {}): StepOutcome => ({
  status: "succeeded",
  output: EMPTY_BLOB,
  finish: null,
  ...figures,
});

function building(pipeline = escalated()): Story {
  const story = new Story(pipeline);
  story.happen({ type: "workspace.created", path: "/w", branch: "b", notices: [] });
  story.happen({ type: "workspace.prepared", tree: "t0", copied: [] });
  story.attempt("plan", done({ uncertainty: 0.1 }));
  return story;
}

describe("what is a signal", () => {
  const signalAfter = (tell: (story: Story) => void): string => {
    const story = building();
    tell(story);
    const action = story.next();
    return action.type === "decide" ? action.trouble.signal : action.type;
  };

  test("a check that says the same twice, on whatever files", () => {
    const reds = [
      ["t1", "a"],
      ["t2", "a"],
    ] as const;
    expect(signalAfter((story) => story.attempt("build", failed("check-failed"), reds))).toBe("same-failure");
  });

  test("a check that says the same in one try after the other, where each try has it once", () => {
    const twice = (story: Story) => {
      story.attempt("build", failed("check-failed"), [["t1", "a"]]);
      expect(story.decide(NO_MEANS)).toMatchObject({ signal: "failed-try", action: "tactic", tactic: "tests-first" });
      story.attempt("build", failed("check-failed"), [["t2", "a"]]);
    };
    expect(signalAfter(twice)).toBe("same-failure");
  });

  test("files that change again and again, or back and forth, while it says another thing each time", () => {
    const moving = [
      ["t1", "a"],
      ["t2", "b"],
      ["t3", "c"],
    ] as const;
    const back = [
      ["t1", "a"],
      ["t2", "b"],
      ["t1", "c"],
    ] as const;
    const still = [
      ["t1", "a"],
      ["t1", "b"],
      ["t1", "c"],
    ] as const;
    expect(signalAfter((story) => story.attempt("build", failed("check-failed"), moving))).toBe("churn");
    expect(signalAfter((story) => story.attempt("build", failed("check-failed"), back))).toBe("churn");
    expect(signalAfter((story) => story.attempt("build", failed("check-failed"), still))).toBe("failed-try");
  });

  test("the same class of failure twice; nothing changed; a circle; attempts that are spent", () => {
    const twice = (story: Story) => {
      story.attempt("build", failed("incomplete"));
      story.decide(NO_MEANS);
      story.attempt("build", failed("incomplete"));
    };
    expect(signalAfter(twice)).toBe("same-failure");
    expect(signalAfter((story) => story.attempt("build", failed("no-change")))).toBe("no-change");
    expect(signalAfter((story) => story.attempt("build", failed("loop")))).toBe("tool-loop");
    const spent = (story: Story) => {
      story.attempt("build", failed("incomplete"));
      story.decide(NO_MEANS);
      story.attempt("build", failed("empty"));
    };
    expect(signalAfter(spent)).toBe("attempts-spent");
  });

  test("a doer without confidence, a planner that guesses; a doer's word on what is none of its figures is none", () => {
    expect(signalAfter((story) => story.attempt("build", done({ confidence: 0.4 })))).toBe("low-confidence");
    expect(signalAfter((story) => story.attempt("build", done({ confidence: 0.5 })))).toBe("perform");
    const story = new Story(escalated());
    story.happen({ type: "workspace.created", path: "/w", branch: "b", notices: [] });
    story.happen({ type: "workspace.prepared", tree: "t0", copied: [] });
    story.attempt("plan", done({ uncertainty: 0.8 }));
    expect(story.next()).toMatchObject({ type: "decide", trouble: { signal: "uncertain-plan" } });
  });

  test("what no other try can help is none", () => {
    for (const failure of ["blocked", "refusal", "invalid", "overflow"] as const) {
      expect(signalAfter((story) => story.attempt("build", failed(failure)))).toBe("end");
    }
  });

  test("the second way back for the same reason, not the first, nor one for another reason", () => {
    const back = (story: Story, said: string) => {
      const tree = story.newTree();
      story.attempt("build", done({ confidence: 1 }));
      story.happen({ type: "step.started", stepId: "test", conversation: 1, tree, prompt: null, fingerprint: null });
      story.happen(red("step", "test", tree, said));
      const outcome = failed("check-failed");
      story.happen({ type: "step.finished", stepId: "test", conversation: 1, outcome, tree });
      const steps = ["build", "test", "review"];
      story.happen({ type: "steps.reset", from: "test", to: "build", steps, feedback: EMPTY_BLOB });
    };
    const signalOf = (...said: readonly string[]) =>
      signalAfter((story) => {
        for (const one of said) back(story, one);
      });
    expect(signalOf("a")).toBe("perform");
    expect(signalOf("a", "b")).toBe("perform");
    expect(signalOf("a", "a")).toBe("same-failure");
  });
});

describe("what follows", () => {
  test("a stronger model has all attempts anew; when it succeeds, what comes next is the cheaper one's", () => {
    const story = building();
    story.attempt("build", failed("loop"));
    expect(story.decide()).toMatchObject({ action: "stronger", rung: 1 });
    expect(stepState(story.run, "build")).toMatchObject({ failures: 0, escalation: { rung: 1, climbs: 1 } });
    story.attempt("build", failed("incomplete"));
    expect(story.decide()).toMatchObject({ signal: "failed-try", action: "tactic" });
    story.attempt("build", done({ confidence: 1 }));
    expect(story.decide()).toMatchObject({ signal: "succeeded", action: "cheaper", rung: 0 });
    expect(story.next()).toMatchObject({ type: "perform", step: { id: "test" } });
  });

  test("a diagnosis comes before the next try, and gives one more", () => {
    const story = building();
    story.attempt("build", failed("incomplete"));
    story.decide(NO_MEANS);
    story.attempt("build", failed("empty"));
    expect(story.decide({ ...NO_MEANS, canDiagnose: true }).action).toBe("diagnose");
    expect(story.next()).toMatchObject({ type: "diagnose", step: { id: "build" } });
    const advice = { advice: EMPTY_BLOB, model: "p/m", reason: null };
    story.happen({ type: "step.diagnosed", stepId: "build", conversation: 2, ...advice });
    expect(stepState(story.run, "build").escalation.advice).toEqual(EMPTY_BLOB);
    story.attempt("build", failed("empty"));
    expect(stepState(story.run, "build").escalation.advice).toBeNull();
    expect(story.decide({ ...NO_MEANS, canDiagnose: true }).action).toBe("fail");
    expect(story.next()).toMatchObject({ type: "end", status: "failed" });
  });

  test("who finished and is doubted goes on with the files as they are", () => {
    const story = building();
    story.attempt("build", done({ confidence: 0.1 }));
    expect(story.decide()).toMatchObject({ action: "stronger" });
    const state = stepState(story.run, "build");
    expect(state).toMatchObject({ status: "pending", startTree: "t0", outcome: { status: "succeeded" } });
    expect(story.next()).toMatchObject({ type: "perform", step: { id: "build" }, conversation: 2 });
    story.attempt("build", done({ confidence: 0.1 }));
    story.decide(NO_MEANS);
    expect(story.next()).toMatchObject({ type: "perform", step: { id: "test" } });
  });

  test("a person who is asked decides later: nothing is decided until then", () => {
    const story = building();
    story.attempt("build", failed("loop"));
    story.decide(NO_MEANS);
    story.attempt("build", failed("loop"));
    const tight = { ...NO_MEANS, stronger: { ...STRONGER, lacks: { unit: "tokens", needed: 9 } } } as const;
    expect(story.decide(tight).action).toBe("ask");
    expect(story.next().type).toBe("decide");
    expect(story.decide().action).toBe("stronger");
  });

  test("a role takes no more stronger models in a run than its limit, in whichever steps", () => {
    const story = building(escalated({ limit: 1 }));
    story.attempt("build", failed("loop"));
    expect(story.decide().action).toBe("stronger");
    story.attempt("build", failed("loop"));
    expect(story.decide({ ...ALL, stronger: { ...STRONGER, rung: 2 } }).action).toBe("diagnose");
  });

  test("a model that a person names comes first, and no other by default", () => {
    const role = { models: ["p/m"], escalation: { ...ESCALATION, isDefault: true } };
    expect(routeOnRung(role, undefined, 0)).toEqual(["p/m"]);
    expect(routeOnRung(role, undefined, 1)).toEqual(["p/strong", "p/m"]);
    expect(routeOnRung(role, ["q/x"], 1)).toEqual(["q/x"]);
    expect(routeOnRung({ ...role, escalation: ESCALATION }, ["q/x"], 2)).toEqual(["p/stronger", "q/x"]);
    const story = building();
    story.attempt("build", failed("loop"));
    story.decide();
    story.happen({ type: "route.changed", role: "doer", models: ["q/x"] });
    expect(stepState(story.run, "build").escalation.rung).toBe(0);
  });

  test("a plan that says nothing of it is tried again as before", () => {
    const plain = pipelineOf(escalated().steps);
    const story = building(plain);
    story.attempt("build", failed("loop"));
    expect(story.next()).toMatchObject({ type: "perform", step: { id: "build" } });
    story.attempt("build", failed("loop"));
    expect(story.next()).toMatchObject({ type: "end", status: "failed" });
  });
});

test("whatever comes, a run ends, and no step is tried more often than attempts, rungs and the one diagnosis allow", () => {
  const CLASSES = ["check-failed", "loop", "no-change", "incomplete", "rejected", "malformed"] as const;
  fc.assert(
    fc.property(fc.infiniteStream(fc.nat(9)), fc.integer({ min: 0, max: 3 }), (chance, limit) => {
      const roll = () => chance.next().value as number;
      const pipeline = escalated({ limit });
      const story = new Story(pipeline);
      let actions = 0;
      for (; story.run.status === "running" && actions < 400; actions++) {
        story.happen(...comesOf(story.next(), story, roll, CLASSES));
      }
      expect(["succeeded", "failed"]).toContain(story.run.status);
      for (const step of pipeline.steps) {
        const rounds = 1 + 3;
        const { conversation, escalation } = stepState(story.run, step.id);
        expect(escalation.climbs).toBeLessThanOrEqual(limit);
        expect(new Set(escalation.tactics).size).toBe(escalation.tactics.length);
        expect(conversation).toBeLessThanOrEqual(step.attempts * (rounds + limit) + 1 + (limit + 1) + rounds + 6);
      }
    }),
    { numRuns: 400 },
  );
});

/** One action, and whatever comes of it. */
function comesOf(
  action: Action,
  story: Story,
  roll: () => number,
  classes: readonly Extract<StepOutcome, { status: "failed" }>["class"][],
): readonly Event[] {
  const { tree } = story;
  switch (action.type) {
    case "create-workspace":
      return [{ type: "workspace.created", path: "/w", branch: "b", notices: [] }];
    case "prepare-workspace":
      return [{ type: "workspace.prepared", tree, copied: [] }];
    case "restore-tree":
      return [{ type: "workspace.restored", tree, kept: null }];
    case "check-base":
    case "check-final": {
      const [purpose, stepId] =
        action.type === "check-base" ? (["baseline", null] as const) : (["final", action.stepId] as const);
      const commandId = action.type === "check-base" ? action.checkId : "f";
      const end = {
        exitCode: roll() < 5 ? 0 : 1,
        endedBy: null,
        durationMs: 1,
        output: EMPTY_BLOB,
        stdout: EMPTY_BLOB,
      };
      return [
        {
          type: "command.finished",
          commandId,
          purpose,
          stepId,
          command: "check",
          end,
          tree,
          treeAfter: tree,
        },
      ];
    }
    case "judge-again":
      return [{ type: "judgements.voided", tree, steps: action.steps }];
    case "go-back": {
      const { from, to, steps } = action;
      return [{ type: "steps.reset", from: from.id, to, steps, feedback: EMPTY_BLOB }];
    }
    case "end":
      return [
        {
          type: "run.ended",
          status: action.status,
          exitCode: action.exitCode,
          reason: null,
          hint: null,
        },
      ];
    case "decide": {
      const { topRung } = stepState(story.run, action.step.id).escalation;
      const stronger = topRung < 2 && roll() < 8 ? { rung: topRung + 1, model: "p/s", lacks: null } : null;
      return [decisionOf(story.run, action, { stronger, canDiagnose: roll() < 8, isSlow: roll() < 2 })];
    }
    case "diagnose": {
      const { conversation } = stepState(story.run, action.step.id);
      const advice = { advice: null, model: null, reason: "so" };
      return [{ type: "step.diagnosed", stepId: action.step.id, conversation, ...advice }];
    }
    case "perform": {
      const { step } = action;
      const isGood = roll() < 4;
      const outcome = isGood
        ? done({ confidence: roll() / 9, uncertainty: roll() / 9 })
        : failed(step.kind === "shell" ? "check-failed" : (classes[roll() % classes.length] ?? "loop"));
      const reds = Array.from({ length: roll() % 4 }, () => [`t${roll() % 3}`, `s${roll() % 3}`] as const);
      return story.eventsOf(step.id, outcome, step.kind === "agent" ? reds : []);
    }
  }
}

test("every signal is in the table", () => {
  const inTable = new Set<Signal>([...TABLE.map(([signal]) => signal), "attempts-spent"]);
  expect([...inTable].toSorted()).toEqual([...SIGNALS].toSorted());
});

test.each([
  ["1 failed in 0.53s", "1 failed in 12.01s", true],
  ["not ok 3\n  duration_ms: 12.5", "not ok 3\n  duration_ms: 99", true],
  ["2026-11-20T18:00:01.123Z boom", "2026-11-21T09:10:11Z boom", true],
  ["at /tmp/abc/x.py:3", "at /tmp/def/x.py:3", true],
  ["\u001b[31mred\u001b[39m", "red", true],
  ["object at 0x7f3a", "object at 0x11", true],
  ["3 failed", "2 failed", false],
  ["expected 4, got 0", "expected 4, got 1", false],
])("%j and %j are the same failure: %s", (a, b, same) => {
  expect(failureWords(a) === failureWords(b)).toBe(same);
});

test("a call fits where every ceiling has room for it; the user's own is another matter than the run's", () => {
  const prospect = { price: FREE, inputTokens: 1_000, outputTokens: 100 };
  const none = { nanos: null, tokens: null };
  expect(lackOf(prospect, none, none)).toBeNull();
  expect(lackOf(prospect, { nanos: null, tokens: 1_099 }, none)).toEqual({ unit: "tokens", needed: 1_100 });
  expect(lackOf(prospect, none, { nanos: null, tokens: 5 })).toBe("window");
  expect(lackOf({ ...prospect, price: null }, { nanos: 5, tokens: null }, none)).toBe("unpriced");
});
