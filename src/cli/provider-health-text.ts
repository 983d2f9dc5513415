import { localTime } from "../core/local-time.ts";
import { formatUsd } from "../core/money.ts";
import { plural } from "../core/words.ts";
import type { CredentialHealth, ProviderDescription, QuotaUse } from "../wire/wire.ts";

type Standing = Pick<CredentialHealth, "state" | "untilAt">;

/** The breaker of a whole provider in a few words: of several keys the best, for that one is used. */
export function breakerText({ health }: ProviderDescription, now: number): string {
  const [best] = health.credentials.toSorted((a, b) => rank(a) - rank(b));
  if (!best) return "closed";
  const text = standingText(best, now);
  const resting = best.models.filter(({ state }) => state !== "closed").length;
  return best.state === "closed" && resting > 0 ? `closed, ${plural(resting, "model")} not` : text;
}

/** `closed`, `resting until 12:03:10`, `half-open`. */
function standingText({ state, untilAt }: Standing, now: number): string {
  return state === "open" ? `resting until ${localTime(untilAt ?? now, now)}` : state;
}

function rank({ state, untilAt }: Standing): number {
  if (state === "closed") return 0;
  return state === "half-open" ? 1 : (untilAt ?? 1);
}

/** Rows of provider, key and what is used of its limits; of providers that have some. */
export function limitRows(providers: readonly ProviderDescription[]): readonly (readonly string[])[] {
  return providers.flatMap(({ id, health, quotas }) => [
    ...health.credentials.flatMap((one) => {
      const used = usedText(one, health.limits);
      return used === "" ? [] : [[one.name === null ? id : `${id} ${one.name}`, used]];
    }),
    ...quotas.map((quota) => [id, quotaText(quota)]),
  ]);
}

function quotaText({ window, ...quota }: QuotaUse): string {
  const { usedNanos, maxCostNanos, usedTokens, maxTokens } = quota;
  const money = maxCostNanos === null ? [] : [`${formatUsd(usedNanos)} of ${formatUsd(maxCostNanos)}`];
  const tokens =
    maxTokens === null ? [] : [`${usedTokens.toLocaleString("en-US")} of ${maxTokens.toLocaleString("en-US")} tokens`];
  return `${[...money, ...tokens].join(", ")} this ${window}`;
}

function usedText({ used }: CredentialHealth, limits: ProviderDescription["health"]["limits"]): string {
  const of = (count: number, limit: number | undefined, noun: string) =>
    limit === undefined ? [] : [`${count.toLocaleString("en-US")} of ${limit.toLocaleString("en-US")} ${noun}`];
  return [
    ...of(used.calls, limits.concurrency, "calls at once"),
    ...of(used.requests, limits.requestsPerMinute, "requests"),
    ...of(used.tokens, limits.tokensPerMinute, "tokens"),
  ].join(", ");
}

/** Rows of key, model, breaker and what is left, for the detail of one provider. */
export function healthRows({ health }: ProviderDescription, now: number): readonly (readonly string[])[] {
  return health.credentials.flatMap((one) => {
    const key = one.name ?? "";
    const whole = [key, "all models", standingText(one, now), remark(one.why, "")];
    const names = new Set([...one.models.map(({ model }) => model), ...one.said.map(({ model }) => model)]);
    const single = [...names].toSorted().map((name) => {
      const standing = one.models.find(({ model }) => model === name);
      const left = one.said.filter(({ model }) => model === name).map((said) => saidText(said, now));
      return [
        key,
        name,
        standing ? standingText(standing, now) : "closed",
        remark(standing?.why ?? null, left.join(", ")),
      ];
    });
    return [whole, ...single];
  });
}

function saidText({ unit, remaining, untilAt }: CredentialHealth["said"][number], now: number): string {
  return `${remaining.toLocaleString("en-US")} ${unit.replace("_", " ")} left until ${localTime(untilAt, now)}`;
}

function remark(why: string | null, left: string): string {
  return [why === null ? "" : `after ${why}`, left].filter((text) => text !== "").join("; ") || "-";
}
