import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ModelFacts } from "../../src/core/model.ts";
import { CAPABILITIES } from "../../src/core/model.ts";
import { FREE, type Price } from "../../src/core/money.ts";
import {
  type Candidate,
  QUOTAS,
  type RouteConditions,
  type RouteRequest,
  type RouteRule,
  TASK_KINDS,
  WEEKDAYS,
} from "../../src/core/route-rules.ts";
import { routerOf } from "../../src/core/routing.ts";

const REQUEST: RouteRequest = {
  task: "build",
  role: "doer",
  model: "anthropic/claude-sonnet-5",
  contextTokens: 10_000,
  inputTokensBound: 20_000,
  outputTokens: 8_000,
  needs: ["tools"],
  left: { day: 0.5, week: 1, run: 0.9 },
  local: { weekday: "fri", minute: 23 * 60 },
  mustBePriced: true,
};

const price = (input: number, output: number): Price => ({
  ...FREE,
  input: input * 1e9,
  cacheRead: input * 1e9,
  cacheWrite: input * 1e9,
  output: output * 1e9,
});

const askable = (name: string, facts: Partial<ModelFacts> = {}): readonly [string, Candidate] => {
  const [provider = "", model = ""] = name.split("/");
  const known: ModelFacts = {
    ref: { provider, model },
    price: price(1, 5),
    contextWindow: 200_000,
    maxOutputTokens: 16_000,
    local: false,
    scripted: false,
    ...facts,
  };
  return [name, { kind: "askable", facts: known }];
};

const CANDIDATES = new Map<string, Candidate>([
  askable("a/one"),
  askable("a/two"),
  askable("a/dear", { price: price(15, 75) }),
  askable("a/unpriced", { price: null }),
  askable("a/small", { contextWindow: 12_000, maxOutputTokens: 8_000 }),
  askable("a/mute", { capabilities: { tools: false } }),
  askable("a/thinker", { capabilities: { tools: true, thinking: true, vision: false } }),
  ["a/keyless", { kind: "cannot-ask", passedOver: { why: "no-key", says: 'provider "a" has no key' } }],
]);

function rule(when: RouteConditions, ...use: string[]): RouteRule {
  return { name: `to ${use.join(", ")}`, source: { kind: "built-in" }, when, use };
}

function decide(rules: readonly RouteRule[], request: Partial<RouteRequest> = {}) {
  return routerOf(rules)({ ...REQUEST, ...request }, CANDIDATES);
}

describe("a condition", () => {
  test.each<[string, RouteConditions, Partial<RouteRequest>, boolean]>([
    ["nothing asked for", {}, {}, true],
    ["a task", { tasks: ["build"] }, {}, true],
    ["another task", { tasks: ["plan", "review"] }, {}, false],
    ["a role", { roles: ["doer"] }, {}, true],
    ["another role", { roles: ["planner"] }, {}, false],
    ["a glob over the model", { models: ["*sonnet*"] }, {}, true],
    ["a glob of a provider", { models: ["anthropic/*"] }, {}, true],
    ["a glob that goes over slashes", { models: ["openrouter/*"] }, { model: "openrouter/z-ai/glm-5" }, true],
    ["one of two globs", { models: ["openai/*", "*/claude-*"] }, {}, true],
    ["a glob that fits a part only", { models: ["claude-*"] }, {}, false],
    ["a glob, where no model is named", { models: ["*"] }, { model: null }, false],
    ["a context as long as it has to be", { minContextTokens: 10_000 }, {}, true],
    ["a context that is too short", { minContextTokens: 10_001 }, {}, false],
    ["a context as long as it may be", { maxContextTokens: 10_000 }, {}, true],
    ["a context that is too long", { maxContextTokens: 9_999 }, {}, false],
    ["enough left", { leftAtLeast: { day: 0.5, run: 0.5 } }, {}, true],
    ["too little left of one", { leftAtLeast: { day: 0.6, run: 0.5 } }, {}, false],
    ["little enough left", { leftAtMost: { day: 0.5 } }, {}, true],
    ["too much left", { leftAtMost: { day: 0.4 } }, {}, false],
    ["hours over midnight, before it", { hours: { from: 22 * 60, to: 6 * 60 } }, {}, true],
    ["hours over midnight, at their end", { hours: { from: 22 * 60, to: 23 * 60 } }, {}, false],
    [
      "hours over midnight, after it",
      { hours: { from: 22 * 60, to: 6 * 60 } },
      { local: { weekday: "sat", minute: 5 } },
      true,
    ],
    [
      "hours over midnight, by day",
      { hours: { from: 22 * 60, to: 6 * 60 } },
      { local: { weekday: "sat", minute: 720 } },
      false,
    ],
    ["hours to the end of the day", { hours: { from: 23 * 60, to: 24 * 60 } }, {}, true],
    ["a day", { days: ["fri", "sat"] }, {}, true],
    ["another day", { days: ["mon"] }, {}, false],
    ["two, of which one does not hold", { tasks: ["build"], days: ["mon"] }, {}, false],
  ])("%s", (_, when, request, holds) => {
    const decision = decide([rule(when, "a/one")], request);
    expect(decision.candidates).toEqual(holds ? ["a/one"] : []);
    expect(decision.trace[0]?.matches).toBe(holds);
  });

  test("says what it wants and what it found", () => {
    const { trace } = decide([rule({ tasks: ["plan"], minContextTokens: 12_345, leftAtMost: { day: 0.2 } }, "a/one")]);
    expect(trace[0]?.conditions).toEqual([
      { name: "task", wants: "plan", is: "build", holds: false },
      { name: "context_at_least", wants: "12,345", is: "10,000", holds: false },
      { name: "left_at_most.day", wants: "20%", is: "50%", holds: false },
    ]);
  });
});

describe("a candidate is passed over", () => {
  const why = (model: string, when: RouteConditions = {}, request: Partial<RouteRequest> = {}) =>
    decide([rule(when, model)], request).trace[0]?.candidates[0]?.passedOver?.why ?? null;

  test.each<[string, string, RouteConditions, Partial<RouteRequest>, string | null]>([
    ["that nobody knows", "b/none", {}, {}, "unknown"],
    ["without a key", "a/keyless", {}, {}, "no-key"],
    ["whose window the request fits", "a/small", {}, { contextTokens: 6_000 }, null],
    ["whose window is too small", "a/small", {}, { contextTokens: 6_001 }, "window"],
    ["that cannot call tools", "a/mute", {}, {}, "capability"],
    ["that nobody knows to call tools", "a/one", { needs: ["tools"] }, {}, null],
    ["that nobody knows to think", "a/one", { needs: ["thinking"] }, {}, "capability"],
    ["that thinks", "a/thinker", { needs: ["tools", "thinking"] }, {}, null],
    ["that sees nothing", "a/thinker", { needs: ["vision"] }, {}, "capability"],
    ["without a price, under a ceiling in dollars", "a/unpriced", {}, {}, "unpriced"],
    ["without a price, under a ceiling in tokens", "a/unpriced", {}, { mustBePriced: false }, null],
    [
      "without a price, where the rule has a ceiling",
      "a/unpriced",
      { maxCostNanos: 1e9 },
      { mustBePriced: false },
      "unpriced",
    ],
    ["as dear as it may be", "a/one", { maxCostNanos: 60_000_000 }, {}, null],
    ["that is too dear", "a/one", { maxCostNanos: 59_999_999 }, {}, "cost"],
  ])("%s", (_, model, when, request, expected) => {
    expect(why(model, when, request)).toBe(expected);
  });

  test("and the next is asked", () => {
    const { candidates } = decide([rule({ maxCostNanos: 0.1e9 }, "a/dear", "a/two", "a/keyless", "a/one")]);
    expect(candidates).toEqual(["a/two", "a/one"]);
  });

  test("and where none is left the next rule is looked at", () => {
    const { rule: first, trace } = decide([rule({}, "a/keyless", "b/none"), rule({}, "a/one"), rule({}, "a/two")]);
    expect(first?.use).toEqual(["a/one"]);
    expect(trace.map(({ matches, isLater }) => [matches, isLater])).toEqual([
      [false, false],
      [true, false],
      [true, true],
    ]);
  });
});

test("where no rule matches nobody is named", () => {
  expect(decide([])).toEqual({ rule: null, candidates: [], trace: [] });
  expect(decide([rule({ tasks: ["plan"] }, "a/one")])).toMatchObject({ rule: null, candidates: [] });
});

describe("whatever the rules and the request", () => {
  const some = <T>(values: readonly T[]) => fc.uniqueArray(fc.constantFrom(...values), { minLength: 1 });
  const share = fc.integer({ min: 0, max: 100 }).map((percent) => percent / 100);
  const shares = fc.record({ day: share, week: share, run: share }, { requiredKeys: [] });
  const minute = fc.integer({ min: 0, max: 1439 });
  const conditions = fc.record(
    {
      tasks: some(TASK_KINDS),
      roles: some(["planner", "doer", "reviewer"] as const),
      models: some(["*", "a/*", "*sonnet*", "x"]),
      minContextTokens: fc.nat(20_000),
      maxContextTokens: fc.nat(20_000),
      leftAtLeast: shares,
      leftAtMost: shares,
      hours: fc.record({ from: minute, to: minute }),
      days: some(WEEKDAYS),
      maxCostNanos: fc.nat(2_000_000_000),
      needs: some(CAPABILITIES),
    },
    { requiredKeys: [] },
  );
  const rules = fc.array(
    fc.tuple(conditions, some([...CANDIDATES.keys(), "b/none"])).map(([when, use]) => rule(when, ...use)),
    { maxLength: 6 },
  );
  const request = fc.record({
    task: fc.constantFrom(...TASK_KINDS),
    role: fc.constantFrom("planner", "doer", "reviewer"),
    model: fc.constantFrom(null, "a/one", "anthropic/claude-sonnet-5"),
    contextTokens: fc.nat(20_000),
    inputTokensBound: fc.nat(40_000),
    outputTokens: fc.nat(20_000),
    needs: fc.constant(["tools"] as const),
    left: fc.record({ day: share, week: share, run: share }),
    local: fc.record({ weekday: fc.constantFrom(...WEEKDAYS), minute }),
    mustBePriced: fc.boolean(),
  }) as fc.Arbitrary<RouteRequest>;

  test("the same is decided from the same", () => {
    fc.assert(
      fc.property(rules, request, (all, asked) => {
        expect(routerOf(all)(asked, CANDIDATES)).toEqual(
          routerOf(structuredClone(all))(structuredClone(asked), new Map(CANDIDATES)),
        );
      }),
    );
  });

  test("the first that matches counts: no rule after it changes anything", () => {
    fc.assert(
      fc.property(rules, request, (all, asked) => {
        const { rule: first, candidates, trace } = routerOf(all)(asked, CANDIDATES);
        const at = trace.findIndex(({ matches }) => matches);
        expect(first).toBe(at === -1 ? null : all[at]);
        expect(routerOf(all.slice(0, at + 1))(asked, CANDIDATES).candidates).toEqual(candidates);
        expect(trace.map((one) => one.rule)).toEqual(all);
      }),
    );
  });

  test("who is asked is named by that rule, in its order, and each who is not has a reason", () => {
    fc.assert(
      fc.property(rules, request, (all, asked) => {
        const { rule: first, candidates, trace } = routerOf(all)(asked, CANDIDATES);
        expect(candidates).toEqual((first?.use ?? []).filter((model) => candidates.includes(model)));
        for (const { candidates: traced, matches } of trace) {
          for (const { model, passedOver } of traced) {
            const facts = CANDIDATES.get(model);
            if (facts?.kind !== "askable") expect(passedOver).not.toBeNull();
          }
          if (matches) expect(traced.some(({ passedOver }) => passedOver === null)).toBe(true);
        }
        expect(candidates.length > 0).toBe(first !== null);
      }),
    );
  });

  test("more left of every ceiling never breaks a rule that only wants enough", () => {
    fc.assert(
      fc.property(shares, request, (leftAtLeast, asked) => {
        const [one] = routerOf([rule({ leftAtLeast }, "a/one")])(asked, CANDIDATES).trace;
        const more = { ...asked, left: Object.fromEntries(QUOTAS.map((quota) => [quota, 1])) as RouteRequest["left"] };
        const [other] = routerOf([rule({ leftAtLeast }, "a/one")])(more, CANDIDATES).trace;
        expect(other?.conditions.every(({ holds }) => holds)).toBe(true);
        if (one?.matches) expect(other?.matches).toBe(true);
      }),
    );
  });
});
