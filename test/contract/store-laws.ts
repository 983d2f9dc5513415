import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Budget, NOTHING_SPENT, type Scope } from "../../src/core/budget.ts";
import type { Event, EventOf } from "../../src/core/event.ts";
import { foldRun } from "../../src/core/fold-run.ts";
import { totalSpend } from "../../src/core/run.ts";
import type { CallRecord, Store } from "../../src/core/store.ts";
import { totalTokens } from "../../src/core/usage.ts";
import { callLost, callReserved, callSettled, runCreated, runEnded } from "../support/events.ts";

type Reserved = EventOf<"call.reserved">;

/** What somebody does to a run. `pick` chooses among the calls that are open, `amount` is money. */
const ACTION = fc.record({
  kind: fc.constantFrom(
    "reserve",
    "reserve",
    "settle",
    "fail",
    "lose",
    "raise",
    "end",
    "resume",
    "apply",
    "claim",
    "stale",
  ),
  amount: fc.nat(60),
  pick: fc.nat(5),
  step: fc.constantFrom("plan", "build", "review"),
});
type Action = typeof ACTION extends fc.Arbitrary<infer T> ? T : never;

const CEILINGS = fc.record({ run: fc.nat(200), doer: fc.nat(150), tokens: fc.option(fc.nat(900)) });

/** What holds of a store after anything that may be done to it. */
export function storeLaws(name: string, make: () => Store): void {
  describe(`${name} by law`, () => {
    test("ledger, calls, list and fold say the same, whatever happens", () => {
      const store = make();
      let runs = 0;
      fc.assert(
        fc.property(fc.array(ACTION, { maxLength: 30 }), CEILINGS, (actions, { run, doer, tokens }) => {
          const rid = `r-${runs++}`;
          const budgets: Partial<Record<Scope, Budget>> = {
            run: { maxCostNanos: run, ...(tokens === null ? {} : { maxTokens: tokens }) },
            "role:doer": { maxCostNanos: doer },
          };
          const player = new Player(store, rid, budgets);
          for (const action of actions) player.play(action);
          expectAgreement(store, rid);
          player.leave();
          expectAgreement(store, rid);
        }),
        { numRuns: 25 },
      );
      expect(store.damage()).toEqual([]);
    });
  });
}

/** Does to one run what it is told, and knows what should come of it. */
class Player {
  readonly #store: Store;
  readonly #rid: string;
  readonly #open: Reserved[] = [];
  #epoch = 1;
  #at = 1;
  #length = 1;

  constructor(store: Store, rid: string, budgets: Partial<Record<Scope, Budget>>) {
    this.#store = store;
    this.#rid = rid;
    store.create(rid, [runCreated(rid, budgets)], this.#at);
  }

  play(action: Action): void {
    switch (action.kind) {
      case "reserve":
        this.#reserve(action);
        break;
      case "settle":
      case "fail":
      case "lose":
        this.#endCall(action);
        break;
      case "claim":
        this.#epoch = this.#store.claim(this.#rid);
        break;
      case "stale":
        this.#refused(() => this.#store.append(this.#rid, this.#epoch - 1, [runEnded()], this.#at));
        break;
      default:
        this.#append(factOf(action, this.#epoch));
    }
  }

  leave(): void {
    this.#append(runEnded());
    this.#store.release(this.#rid);
  }

  #reserve({ amount, step }: Action): void {
    const role = step === "build" ? "doer" : "planner";
    const call = callReserved(`${this.#rid}.${step}.${this.#length}`, amount, amount * 3, step, role);
    const before = this.#store.events(this.#rid).length;
    const result = this.#store.append(this.#rid, this.#epoch, [call], ++this.#at);
    expect(this.#store.events(this.#rid)).toHaveLength(before + (result.type === "appended" ? 1 : 0));
    if (result.type === "over-budget") {
      expectFull(this.#store, this.#rid, result.scope, call);
    } else {
      this.#length += 1;
      this.#open.push(call);
    }
  }

  #endCall({ kind, amount, pick }: Action): void {
    const [call] = this.#open.splice(pick % Math.max(1, this.#open.length), 1);
    if (!call) return;
    const end = kind === "lose" ? callLost(call) : settled(call, Math.min(amount, call.heldNanos), kind === "fail");
    this.#append(end);
    this.#refused(() => this.#store.append(this.#rid, this.#epoch, [end], this.#at));
  }

  #append(event: Event): void {
    const result = this.#store.append(this.#rid, this.#epoch, [event], ++this.#at);
    this.#length += 1;
    expect(result).toMatchObject({ type: "appended", events: [{ seq: this.#length, at: this.#at }] });
  }

  #refused(work: () => unknown): void {
    expect(work).toThrow();
    expect(this.#store.events(this.#rid)).toHaveLength(this.#length);
  }
}

function factOf({ kind, amount }: Action, epoch: number): Event {
  if (kind === "raise") return { type: "budget.raised", scope: "run", budget: { maxCostNanos: 200 + amount } };
  if (kind === "end") return runEnded(amount % 2 === 0 ? "paused" : "succeeded");
  return kind === "resume" ? { type: "run.resumed", epoch } : { type: "run.applied", tree: "t1" };
}

function settled(call: Reserved, costNanos: number, isFailure: boolean): Event {
  const event = callSettled(call, costNanos, Math.min(costNanos * 2, call.heldTokens));
  if (!isFailure) return event;
  const failure = {
    class: "rate",
    message: "slow down",
    httpStatus: 429,
    retryAfterMs: null,
    mayBeBilled: true,
  } as const;
  return { ...event, result: { type: "failed", failure, partial: null } };
}

/** A refusal is right only if the scope really has no room. */
function expectFull(store: Store, rid: string, scope: Scope, call: Reserved): void {
  const run = foldRun(rid, store.events(rid));
  const { settledNanos, heldNanos, settledTokens, heldTokens } = store.ledger(rid, scope);
  const { maxCostNanos = Number.POSITIVE_INFINITY, maxTokens = Number.POSITIVE_INFINITY } = run.budgets[scope] ?? {};
  const overMoney = settledNanos + heldNanos + call.heldNanos > maxCostNanos;
  expect(overMoney || settledTokens + heldTokens + call.heldTokens > maxTokens).toBe(true);
}

function expectAgreement(store: Store, rid: string): void {
  const run = foldRun(rid, store.events(rid));
  const calls = store.calls(rid);
  for (const scope of ["run", "role:doer", "role:planner", "step:plan", "step:build", "step:review"] as const) {
    expect(store.ledger(rid, scope)).toEqual(run.spend[scope] ?? NOTHING_SPENT);
    expect(spendOf(calls.filter((call) => isIn(scope, call)))).toEqual(run.spend[scope] ?? NOTHING_SPENT);
  }
  expect(calls.filter(({ state }) => state === "reserved").map(({ callId }) => callId)).toEqual(
    Object.keys(run.openCalls),
  );
  expect(store.calls(null).filter((call) => call.rid === rid)).toEqual(calls);
  const { settledNanos, heldNanos } = totalSpend(run);
  expect(store.runs({ prefix: rid }).find((listed) => listed.rid === rid)).toMatchObject({
    ...{ status: run.status, applied: run.applied, lastAt: run.lastAt, settledNanos, heldNanos },
  });
}

function isIn(scope: Scope, { role, stepId }: CallRecord): boolean {
  return ["run", `role:${role}`, `step:${stepId}`].includes(scope);
}

function spendOf(calls: readonly CallRecord[]) {
  const sum = (figure: (call: CallRecord) => number) => calls.reduce((all, call) => all + figure(call), 0);
  const held = (call: CallRecord, amount: number) => (call.state === "reserved" ? amount : 0);
  const tokens = (call: CallRecord) =>
    call.usage ? totalTokens(call.usage) : call.state === "lost" ? call.heldTokens : 0;
  return {
    settledNanos: sum(({ costNanos }) => costNanos),
    heldNanos: sum((call) => held(call, call.heldNanos)),
    settledTokens: sum(tokens),
    heldTokens: sum((call) => held(call, call.heldTokens)),
  };
}
