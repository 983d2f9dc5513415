import { globMatcher } from "./glob-match.ts";
import { type ConditionTrace, QUOTAS, type RouteConditions, type RouteRequest, type Shares } from "./route-rules.ts";

/** One condition of a rule, read once. */
export type Condition = (request: RouteRequest) => ConditionTrace;

/** What a rule asks of a request. What it asks of its candidates (cost, capabilities) is no part of it. */
export function conditionsOf(when: RouteConditions): readonly Condition[] {
  const { tasks, roles, models, minContextTokens: least, maxContextTokens: most, hours, days } = when;
  return [
    ...(tasks ? [oneOf("task", tasks, ({ task }) => task)] : []),
    ...(roles ? [oneOf("role", roles, ({ role }) => role)] : []),
    ...(models ? [modelCondition(models)] : []),
    ...(least === undefined ? [] : [context("context_at_least", least, (tokens) => tokens >= least)]),
    ...(most === undefined ? [] : [context("context_at_most", most, (tokens) => tokens <= most)]),
    ...quotas("left_at_least", when.leftAtLeast, (left, share) => left >= share),
    ...quotas("left_at_most", when.leftAtMost, (left, share) => left <= share),
    ...(hours ? [hoursCondition(hours)] : []),
    ...(days ? [oneOf("days", days, ({ local }) => local.weekday)] : []),
  ];
}

/** `12,000`. */
export function tokensText(tokens: number): string {
  const digits = String(Math.ceil(tokens));
  return digits.replaceAll(/\B(?=(\d{3})+$)/g, ",");
}

/** `22:30`. */
export function clockText(minute: number): string {
  const two = (number: number) => String(number).padStart(2, "0");
  return `${two(Math.floor(minute / 60))}:${two(minute % 60)}`;
}

function oneOf(name: string, wanted: readonly string[], of: (request: RouteRequest) => string): Condition {
  const wants = wanted.join(", ");
  return (request) => {
    const is = of(request);
    return { name, wants, is, holds: wanted.includes(is) };
  };
}

function modelCondition(globs: readonly string[]): Condition {
  // Names have slashes that mean nothing to whoever writes `*opus*`.
  const matchers = globs.map((glob) => globMatcher(glob.replaceAll(/\*+/g, "**")));
  const wants = globs.join(", ");
  return ({ model }) => {
    const holds = model !== null && matchers.some((matches) => matches(model));
    return { name: "model", wants, is: model ?? "none", holds };
  };
}

function context(name: string, limit: number, holds: (tokens: number) => boolean): Condition {
  const wants = tokensText(limit);
  return ({ contextTokens }) => ({ name, wants, is: tokensText(contextTokens), holds: holds(contextTokens) });
}

function quotas(
  name: string,
  shares: Shares = {},
  holds: (left: number, share: number) => boolean,
): readonly Condition[] {
  return QUOTAS.flatMap((quota) => {
    const share = shares[quota];
    if (share === undefined) return [];
    const wants = percentText(share);
    return [
      ({ left }: RouteRequest) => ({
        name: `${name}.${quota}`,
        wants,
        is: percentText(left[quota]),
        holds: holds(left[quota], share),
      }),
    ];
  });
}

function hoursCondition({ from, to }: NonNullable<RouteConditions["hours"]>): Condition {
  const wants = `${clockText(from)}-${clockText(to)}`;
  return ({ local: { minute } }) => {
    const holds = from < to ? minute >= from && minute < to : minute >= from || minute < to;
    return { name: "hours", wants, is: clockText(minute), holds };
  };
}

/** A part of a per cent is no more than a part. */
function percentText(share: number): string {
  return `${Math.floor(share * 100)}%`;
}
