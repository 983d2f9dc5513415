import type { ModelFacts } from "./model.ts";
import { formatUsd, worstCost } from "./money.ts";
import { type Condition, conditionsOf, tokensText } from "./route-conditions.ts";
import type {
  Candidate,
  CandidateTrace,
  PassedOver,
  RouteConditions,
  RouteDecision,
  RouteRequest,
  RouteRule,
  RuleTrace,
} from "./route-rules.ts";

/** Rules that were read once. `candidates`: all models that the rules name, by name. */
export type DecideRoute = (request: RouteRequest, candidates: ReadonlyMap<string, Candidate>) => RouteDecision;

/**
 * Reads rules into the function that decides by them: the first whose conditions all hold, and of which a candidate is
 * left, says who is asked. What it is given is all that it looks at.
 */
export function routerOf(rules: readonly RouteRule[]): DecideRoute {
  const read = rules.map((rule) => ({ rule, conditions: conditionsOf(rule.when) }));
  return (request, known) => {
    const trace = read.map(({ rule, conditions }) => traceOf(rule, conditions, request, known));
    const first = trace.find(({ matches }) => matches);
    return {
      rule: first?.rule ?? null,
      candidates: first === undefined ? [] : leftOf(first.candidates),
      trace: trace.map((one) => (one.matches && one !== first ? { ...one, isLater: true } : one)),
    };
  };
}

/** The worst case of a first call to a model, in nano-dollars; null: its price is unknown. */
export function worstOf({ price, maxOutputTokens }: ModelFacts, request: RouteRequest): number | null {
  if (price === null) return null;
  return worstCost(price, request.inputTokensBound, Math.min(maxOutputTokens, request.outputTokens));
}

function leftOf(candidates: readonly CandidateTrace[]): readonly string[] {
  return candidates.flatMap(({ model, passedOver }) => (passedOver === null ? [model] : []));
}

function traceOf(
  rule: RouteRule,
  conditions: readonly Condition[],
  request: RouteRequest,
  known: ReadonlyMap<string, Candidate>,
): RuleTrace {
  const held = conditions.map((condition) => condition(request));
  const candidates = rule.use.map((model) => {
    return { model, passedOver: passedOver(known.get(model), rule.when, request) };
  });
  const matches = held.every(({ holds }) => holds) && candidates.some((one) => one.passedOver === null);
  return { rule, matches, isLater: false, conditions: held, candidates };
}

/** Why a model is not asked, though the rule names it; null: it may be. */
function passedOver(candidate: Candidate | undefined, when: RouteConditions, request: RouteRequest): PassedOver | null {
  if (candidate === undefined) return { why: "unknown", says: "it is not known here" };
  if (candidate.kind === "cannot-ask") return candidate.passedOver;
  const { facts } = candidate;
  return tooSmall(facts, request) ?? incapable(facts, when, request) ?? tooDear(facts, when, request);
}

/** As `planContext` reckons: an answer that may fill all of the window leaves the question half of it. */
function tooSmall({ contextWindow, maxOutputTokens }: ModelFacts, request: RouteRequest): PassedOver | null {
  if (contextWindow === null) return null;
  const room = Math.max(contextWindow - Math.min(maxOutputTokens, request.outputTokens), contextWindow / 2);
  if (request.contextTokens <= room) return null;
  const [window, needed] = [tokensText(contextWindow), tokensText(request.contextTokens)];
  return { why: "window", says: `its window of ${window} tokens does not hold ${needed} and an answer` };
}

/** Nobody is refused for tools on a suspicion: each step needs them, and most models that nobody knows have them. */
function incapable(
  { capabilities = {} }: ModelFacts,
  { needs = [] }: RouteConditions,
  request: RouteRequest,
): PassedOver | null {
  const lacking = [...request.needs, ...needs].find((need) => capabilities[need] === false);
  if (lacking !== undefined) return { why: "capability", says: `it has no ${lacking}` };
  const unknown = needs.find((need) => need !== "tools" && capabilities[need] === undefined);
  return unknown === undefined ? null : { why: "capability", says: `whether it has ${unknown} is unknown` };
}

function tooDear(facts: ModelFacts, { maxCostNanos }: RouteConditions, request: RouteRequest): PassedOver | null {
  const cost = worstOf(facts, request);
  if (cost === null) {
    const isNeeded = request.mustBePriced || maxCostNanos !== undefined;
    return isNeeded ? { why: "unpriced", says: "its price is unknown" } : null;
  }
  if (maxCostNanos === undefined || cost <= maxCostNanos) return null;
  return { why: "cost", says: `its first call may cost ${formatUsd(cost)}, more than ${formatUsd(maxCostNanos)}` };
}
