import type { Budget } from "../core/budget.ts";
import type { CommandEnd } from "../core/event.ts";
import { formatUsd } from "../core/money.ts";
import { totalTokens, type Usage } from "../core/usage.ts";

/** `0.4s`, `11s`, `1m02s`, `1h05m`. */
export function formatDuration(ms: number): string {
  const seconds = Math.floor(Math.max(0, ms) / 1000);
  if (seconds === 0) return `0.${Math.floor(Math.max(0, ms) / 100)}s`;
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m${two(seconds % 60)}s`;
  return `${Math.floor(minutes / 60)}h${two(minutes % 60)}m`;
}

/** A ceiling of time, which is round more often than not: `30m`, `2h`, `1m30s`. */
export function formatLimit(ms: number): string {
  return formatDuration(ms).replace(/m00s$/, "m").replace(/h00m$/, "h");
}

/** `610`, `12.4k`, `1.2M`. */
export function formatTokens(tokens: number): string {
  if (tokens < 1000) return String(tokens);
  if (tokens < 999_950) return `${(tokens / 1000).toFixed(1)}k`;
  return `${(tokens / 1_000_000).toFixed(1)}M`;
}

/** `4,096`: where the exact number counts. */
export function formatCount(count: number): string {
  return count.toLocaleString("en-US");
}

/** `12.4k in (9.8k cached), 610 out`. */
export function formatUsage(usage: Usage): string {
  const cached = usage.cacheRead > 0 ? ` (${formatTokens(usage.cacheRead)} cached)` : "";
  const guessed = usage.source === "estimated" ? " (estimated)" : "";
  return `${formatTokens(inputOf(usage))} in${cached}, ${formatTokens(usage.output)} out${guessed}`;
}

/** Input tokens, those of the cache counted. */
export function inputOf(usage: Usage): number {
  return totalTokens(usage) - usage.output;
}

/** `610 B`, `12.4 kB`, `1.2 MB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 999_950) return `${(bytes / 1000).toFixed(1)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}

/** `$2.00, 500.0k tokens, 30m`. */
export function formatBudget(budget: Budget | undefined): string {
  const parts = [
    budget?.maxCostNanos === undefined ? null : formatUsd(budget.maxCostNanos),
    budget?.maxTokens === undefined ? null : `${formatTokens(budget.maxTokens)} tokens`,
    budget?.maxDurationMs === undefined ? null : formatLimit(budget.maxDurationMs),
  ].filter((part) => part !== null);
  return parts.length > 0 ? parts.join(", ") : "no ceiling";
}

/** `$0.43 of $2.00`. */
export function formatCostOf(nanos: number, budget: Budget | undefined): string {
  return budget?.maxCostNanos === undefined
    ? formatUsd(nanos)
    : `${formatUsd(nanos)} of ${formatUsd(budget.maxCostNanos)}`;
}

/** `3m01s of 30m`. */
export function formatTimeOf(ms: number, budget: Budget | undefined): string {
  return budget?.maxDurationMs === undefined
    ? formatDuration(ms)
    : `${formatDuration(ms)} of ${formatLimit(budget.maxDurationMs)}`;
}

/** `passed`, `exit 1`, `timed out`: how a command ended, in the fewest words. */
export function formatEnd(end: Pick<CommandEnd, "exitCode" | "endedBy">): string {
  if (end.endedBy === "timeout") return "timed out";
  if (end.endedBy === "abort") return "stopped";
  if (end.endedBy === "output-limit") return "stopped, too much output";
  if (end.endedBy === "process-limit") return "stopped, too many processes";
  if (end.endedBy === "disk-limit") return "stopped, too little room on the disk";
  if (end.exitCode === null) return "ended by a signal";
  return end.exitCode === 0 ? "passed" : `exit ${end.exitCode}`;
}

/** `2nd`, `11th`. */
export function ordinal(n: number): string {
  const teen = n % 100 >= 11 && n % 100 <= 13;
  return `${n}${teen ? "th" : (["th", "st", "nd", "rd"][n % 10] ?? "th")}`;
}

function two(n: number): string {
  return String(n).padStart(2, "0");
}
