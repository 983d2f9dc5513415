/** Tokens of one call. Fresh, cache-read and cache-write input are disjoint; `reasoning` is part of `output`. */
export interface Usage {
  readonly freshInput: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
  /** Of `cacheWrite`, what was written for an hour and not for five minutes; missing: none. */
  readonly cacheWriteHour?: number;
  readonly output: number;
  readonly reasoning: number;
  /** `estimated` where the provider reported nothing usable. */
  readonly source: "provider" | "estimated";
}

/** The usage of no call. */
export const NO_USAGE: Usage = {
  freshInput: 0,
  cacheRead: 0,
  cacheWrite: 0,
  output: 0,
  reasoning: 0,
  source: "provider",
};

/** The sum; estimated once a part of it is. */
export function addUsage(a: Usage, b: Usage): Usage {
  const hour = (a.cacheWriteHour ?? 0) + (b.cacheWriteHour ?? 0);
  return {
    freshInput: a.freshInput + b.freshInput,
    cacheRead: a.cacheRead + b.cacheRead,
    cacheWrite: a.cacheWrite + b.cacheWrite,
    ...(hour > 0 ? { cacheWriteHour: hour } : {}),
    output: a.output + b.output,
    reasoning: a.reasoning + b.reasoning,
    source: a.source === "provider" && b.source === "provider" ? "provider" : "estimated",
  };
}

/** All tokens of a call, input and output: the unit of a token budget. */
export function totalTokens(usage: Usage): number {
  return usage.freshInput + usage.cacheRead + usage.cacheWrite + usage.output;
}

/** Input tokens, wherever they were read from. */
export function inputTokens(usage: Usage): number {
  return usage.freshInput + usage.cacheRead + usage.cacheWrite;
}
