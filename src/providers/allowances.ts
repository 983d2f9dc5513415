import type { Allowance, AllowanceUnit } from "../core/allowance.ts";

/** How a provider names what is left of something, and what its headers look like. */
interface HeaderNames {
  readonly unit: AllowanceUnit;
  readonly remaining: string;
  readonly limit: string;
  readonly reset: string;
}

const anthropic = (unit: AllowanceUnit, name: string): HeaderNames => {
  const of = (what: string) => `anthropic-ratelimit-${name}-${what}`;
  return { unit, remaining: of("remaining"), limit: of("limit"), reset: of("reset") };
};
const usual = (unit: AllowanceUnit): HeaderNames => {
  const of = (what: string) => `x-ratelimit-${what}-${unit}`;
  return { unit, remaining: of("remaining"), limit: of("limit"), reset: of("reset") };
};

/** docs.anthropic.com/en/api/rate-limits, platform.openai.com/docs/guides/rate-limits; others have OpenAI's. */
const HEADERS: readonly HeaderNames[] = [
  anthropic("requests", "requests"),
  anthropic("tokens", "tokens"),
  anthropic("input_tokens", "input-tokens"),
  anthropic("output_tokens", "output-tokens"),
  usual("requests"),
  usual("tokens"),
];

/** Names of the headers in which providers say what they will still take. */
export const ALLOWANCE_HEADERS: readonly string[] = HEADERS.flatMap(({ remaining, limit, reset }) => [
  remaining,
  limit,
  reset,
]);

/** What a response says of what is left. `now`: when it came. What is not said in full is not known. */
export function allowancesIn(headers: Headers, now: number): readonly Allowance[] {
  return HEADERS.flatMap(({ unit, ...names }) => {
    const remaining = countIn(headers.get(names.remaining));
    const resetMs = resetIn(headers.get(names.reset), now);
    if (remaining === null || resetMs === null) return [];
    return [{ unit, remaining, limit: countIn(headers.get(names.limit)), resetMs }];
  });
}

/** The same so much later: what is over by then is no more said. */
export function laterBy(allowances: readonly Allowance[], ms: number): readonly Allowance[] {
  return allowances.flatMap((one) => (one.resetMs <= ms ? [] : [{ ...one, resetMs: one.resetMs - Math.max(0, ms) }]));
}

function countIn(text: string | null): number | null {
  return text !== null && /^\s*\d{1,15}\s*$/.test(text) ? Number(text) : null;
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
/** Larger numbers are instants, not waits: seconds since 1970, and milliseconds. */
const FIRST_EPOCH_SECOND = 1e9;
const FIRST_EPOCH_MS = 1e12;

/** `2026-11-20T18:00:00Z`, `6m0s`, `7.66s`, `120ms`, `59` (seconds) or an instant in seconds or milliseconds. */
function resetIn(text: string | null, now: number): number | null {
  const said = text?.trim() ?? "";
  if (/^\d+(\.\d+)?$/.test(said)) return resetOfNumber(Number(said), now);
  if (/^(\d+(\.\d+)?(ms|[smhd]))+$/.test(said)) {
    const parts = [...said.matchAll(/(\d+(?:\.\d+)?)(ms|[smhd])/g)];
    return Math.ceil(parts.reduce((sum, [, number, unit]) => sum + Number(number) * (UNIT_MS[unit ?? ""] ?? 0), 0));
  }
  const at = /^\d{4}-\d{2}-\d{2}T/.test(said) ? Date.parse(said) : Number.NaN;
  return Number.isNaN(at) ? null : Math.max(0, at - now);
}

function resetOfNumber(number: number, now: number): number {
  if (number >= FIRST_EPOCH_MS) return Math.max(0, number - now);
  if (number >= FIRST_EPOCH_SECOND) return Math.max(0, number * 1000 - now);
  return Math.ceil(number * 1000);
}
