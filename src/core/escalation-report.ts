import { type EscalationAction, SIGNALS, type Signal } from "./escalation-terms.ts";
import type { CallRecord, EventOfRun } from "./store.ts";

/** What came of decisions of one kind. */
export interface EscalationLine {
  readonly signal: Signal;
  readonly action: EscalationAction;
  readonly times: number;
  /** Of them, those after which the step was tried again to the end of a try; of these, those after which it succeeded and was not sent back for the same reason. */
  readonly tried: number;
  readonly won: number;
  /** What was spent on them: the try after each, and diagnoses. Nano-dollars. */
  readonly addedNanos: number;
}

/** All decisions, and those that are meant to get a step unstuck, in sum. */
export interface EscalationReport {
  readonly lines: readonly EscalationLine[];
  readonly total: Omit<EscalationLine, "signal" | "action">;
}

/** The facts that a report is made from. */
export const ESCALATION_FACTS = ["escalation.decided", "step.finished"] as const;

type Fact = EventOfRun<(typeof ESCALATION_FACTS)[number]>;
type Decided = EventOfRun<"escalation.decided">;

/** Counts decisions by what led to them and what was done. `facts`: of whole runs, each run's in order. */
export function escalationReport(facts: readonly Fact[], calls: readonly CallRecord[]): EscalationReport {
  const steps = Map.groupBy(facts, ({ rid, stepId }) => `${rid} ${stepId}`);
  const callsOf = Map.groupBy(calls, ({ rid, stepId }) => `${rid} ${stepId}`);
  const outcomes = [...steps].flatMap(([step, ofStep]) => outcomesOf(ofStep, callsOf.get(step) ?? []));
  const kinds = Map.groupBy(outcomes, ({ decided }) => `${decided.signal} ${decided.action}`);
  const lines = [...kinds.values()].map((kind): EscalationLine => {
    const { signal, action } = (kind[0] as Outcome).decided;
    return { signal, action, ...sumOf(kind) };
  });
  const order = (line: EscalationLine) => SIGNALS.indexOf(line.signal);
  const sorted = lines.toSorted((a, b) => order(a) - order(b) || b.times - a.times);
  return { lines: sorted, total: sumOf(outcomes.filter(({ decided }) => isAttempt(decided.action))) };
}

/** True for what gives a step another try that is unlike the one before it. */
function isAttempt(action: EscalationAction): boolean {
  return action === "tactic" || action === "stronger" || action === "diagnose";
}

interface Outcome {
  readonly decided: Decided;
  /** Null: no try of the step has ended since. */
  readonly hasWon: boolean | null;
  readonly addedNanos: number;
}

function outcomesOf(facts: readonly Fact[], calls: readonly CallRecord[]): readonly Outcome[] {
  return facts.flatMap((fact, index): Outcome[] => {
    if (fact.type !== "escalation.decided") return [];
    if (!isAttempt(fact.action) && fact.action !== "retry") return [{ decided: fact, hasWon: null, addedNanos: 0 }];
    const end = facts.slice(index + 1).find((one) => one.type === "step.finished");
    const added = calls.filter((call) => {
      const isOfTry = call.conversation > fact.conversation && call.role === fact.role;
      return (isOfTry && call.conversation <= (end?.conversation ?? call.conversation)) || isDiagnosis(call, fact);
    });
    const addedNanos = added.reduce((sum, call) => sum + call.costNanos, 0);
    return [{ decided: fact, hasWon: end ? hasWon(end, facts.slice(facts.indexOf(end) + 1)) : null, addedNanos }];
  });
}

/** A question beside the talk that another role pays for. */
function isDiagnosis({ conversation, turn, role }: CallRecord, decided: Decided): boolean {
  return decided.action === "diagnose" && turn === 0 && role !== decided.role && conversation === decided.conversation;
}

/** A finish that is doubted, or that another step sends back for the same reason as before, was no success. */
function hasWon({ outcome, conversation }: EventOfRun<"step.finished">, after: readonly Fact[]): boolean {
  const about = after.find((fact) => fact.type === "escalation.decided" && fact.conversation === conversation);
  const isUndone = about?.type === "escalation.decided" && about.signal !== "succeeded";
  return outcome.status === "succeeded" && !isUndone;
}

function sumOf(outcomes: readonly Outcome[]): EscalationReport["total"] {
  return {
    times: outcomes.length,
    tried: outcomes.filter(({ hasWon }) => hasWon !== null).length,
    won: outcomes.filter(({ hasWon }) => hasWon === true).length,
    addedNanos: outcomes.reduce((sum, { addedNanos }) => sum + addedNanos, 0),
  };
}
