/** The middle of the values; of an even number the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low = 0, high = 0] = sorted.length % 2 === 1 ? [sorted[middle], sorted[middle]] : sorted.slice(middle - 1);
  return (low + high) / 2;
}

/** Of every figure the median over all rounds; there is at least one round. */
export function medians<T extends object>(rounds: readonly T[]): { readonly [K in keyof T]: number } {
  const keys = Object.keys(rounds[0] ?? {}) as (keyof T)[];
  const entries = keys.map((key) => [key, median(rounds.map((round) => Number(round[key])))] as const);
  return Object.fromEntries(entries) as { readonly [K in keyof T]: number };
}

/** The sum over the number of the values. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
