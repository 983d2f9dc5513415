import type { Reservation } from "../core/budget.ts";
import { formatUsd } from "../core/money.ts";
import type { RuleTrace } from "../core/route-rules.ts";
import type { ValueSource } from "../core/value-source.ts";
import { visibleText } from "../core/visible-text.ts";
import type { PlannedCandidate, PlannedRoute } from "../wire/wire.ts";

/** Of a terminal that nobody has made wider. */
const WIDTH = 80;

/** What a route is decided from and who is asked, in lines of 80 columns. */
export function routeLines(route: PlannedRoute, placed: (source: ValueSource) => string): readonly string[] {
  const { stepId, role, task, request, isNamed, decision, candidates } = route;
  const input = `about ${count(request.contextTokens)} tokens, at most ${count(request.inputTokensBound)}`;
  const head = [`${stepId} · ${role} · ${task}`, `  first request: ${input}`];
  return [
    ...head,
    ...ruleLines(decision?.trace ?? null, isNamed, placed),
    ...(candidates.length === 0 ? ["  asks nobody: no model is named"] : ["  asks, in this order:"]),
    ...candidates.flatMap((candidate, index) => candidateLines(candidate, index + 1)),
  ].flatMap((line) => wrapped(visibleText(line).text));
}

function ruleLines(
  trace: readonly RuleTrace[] | null,
  isNamed: boolean,
  placed: (source: ValueSource) => string,
): readonly string[] {
  if (isNamed) return ["  a person has named its models: no rule counts"];
  if (trace === null) return ["  there are no rules: its own route holds"];
  const none = trace.some(({ matches }) => matches) ? [] : ["  no rule matches: its own route holds"];
  return [...trace.flatMap((rule) => traceLines(rule, placed)), ...none];
}

function traceLines(
  { rule, matches, isLater, conditions, candidates }: RuleTrace,
  placed: (source: ValueSource) => string,
): readonly string[] {
  const outcome = matches ? (isLater ? "matches, but comes later" : "matches") : "does not match";
  const passed = candidates.flatMap(({ model, passedOver }) => {
    return passedOver === null ? [] : [`    - ${model} is passed over: ${passedOver.says}`];
  });
  return [
    `  rule "${rule.name}" ${outcome} (${placed(rule.source)})`,
    ...conditions.map(
      ({ name, wants, is, holds }) => `    ${holds ? "+" : "-"} ${name}: ${is}${holds ? "" : `, not ${wants}`}`,
    ),
    ...passed,
  ];
}

function candidateLines(
  { model, obstacle, facts, worstNanos, reservation, standing }: PlannedCandidate,
  place: number,
): readonly string[] {
  if (facts === null) return [`    ${place}. ${model}`, `       cannot be asked: ${obstacle}`];
  const { price, contextWindow } = facts;
  const rates = price === null ? "price unknown" : `${formatUsd(price.input)} in, ${formatUsd(price.output)} out`;
  const window = contextWindow === null ? "window unknown" : `window ${count(contextWindow)}`;
  const lane = standing.why === null ? `lane ${standing.state}` : `lane ${standing.state} (${standing.why})`;
  const worst = worstNanos === null ? "" : `first call at most ${formatUsd(worstNanos)}: `;
  return [
    `    ${place}. ${model}`,
    `       can be asked; ${rates}; ${window}; ${lane}`,
    `       ${worst}${verdict(reservation)}`,
  ];
}

/** What the budget says. */
function verdict(reservation: Reservation | null): string {
  switch (reservation?.type) {
    case "fits":
      return reservation.shrunk
        ? `fits with an answer of ${count(reservation.maxTokens)} tokens at most`
        : "fits the budget";
    case "does-not-fit": {
      const amount = (units: number) => (reservation.unit === "money" ? formatUsd(units) : `${count(units)} tokens`);
      return `refused: it needs ${amount(reservation.needed)}, and ${amount(reservation.left)} is left`;
    }
    default:
      return "refused: without a price a budget in dollars cannot hold";
  }
}

/** A long line goes on below, indented as it began. */
function wrapped(line: string): readonly string[] {
  if (line.length <= WIDTH) return [line];
  const indent = `${/^\s*/.exec(line)?.[0] ?? ""}  `;
  const at = line.lastIndexOf(" ", WIDTH);
  if (at <= indent.length) return [line];
  return [line.slice(0, at), ...wrapped(indent + line.slice(at + 1))];
}

function count(tokens: number): string {
  return Math.ceil(tokens).toLocaleString("en-US");
}
