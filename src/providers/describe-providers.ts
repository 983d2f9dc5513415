import { NOTHING_SPENT, type Spend, usedNanos, usedTokens, WINDOWS, type Window } from "../core/budget.ts";
import { credentialsOf, type Lane, type LaneModel, type Limits, type Wire } from "../core/lane.ts";
import type { KnownAccount } from "../core/lane-health.ts";
import { CAPABILITIES, type Capabilities } from "../core/model.ts";
import { NANOS_PER_USD } from "../core/money.ts";
import { redactJson } from "../core/redact.ts";
import type { ValueSource } from "../core/value-source.ts";
import { describeHealth, type ProviderHealth } from "./describe-health.ts";
import { LIMIT_WORDS } from "./lane-draft.ts";
import { keyVariables } from "./model-facts.ts";
import { stallLimits } from "./stall-limits.ts";

/** A provider as it is in force here, for people to look at: no credential is in it. */
export interface ProviderDescription {
  readonly id: string;
  readonly wire: Wire;
  readonly baseUrl: string;
  /** The variables that its key may be in, the one that holds it first; empty: it needs none. */
  readonly keyVariables: readonly string[];
  readonly hasKey: boolean;
  /** Of several that are listed, how many are set; missing: one is enough. */
  readonly keys?: { readonly set: number; readonly listed: number };
  /** `local`: free, and on this machine. */
  readonly cost: "billed" | "free" | "local";
  /** Models that files name. */
  readonly models: readonly string[];
  readonly settings: readonly ProviderSetting[];
  /** What is used of each of its quotas, held and settled; empty: it has none. */
  readonly quotas: readonly QuotaUse[];
  readonly health: ProviderHealth;
}

/** What all calls to a provider have used of what the user lets it have. Null: no ceiling of that kind. */
export interface QuotaUse {
  readonly window: Window;
  readonly usedNanos: number;
  readonly maxCostNanos: number | null;
  readonly usedTokens: number;
  readonly maxTokens: number | null;
}

/** One value of a provider, in the words of a providers file. */
export interface ProviderSetting {
  /** The model that it is said of; null: the provider. */
  readonly model: string | null;
  /** `base_url`; of a model `price.input`, and `""` for that it is named at all. */
  readonly key: string;
  readonly value: string;
  /** Null: nobody said it, so it is the default. */
  readonly source: ValueSource | null;
}

/** The lanes that ask a server, described. Whatever looks like a key, or is one, is blotted out wherever it stands. */
export function describeProviders(
  lanes: readonly Lane[],
  known: readonly KnownAccount[] = [],
  now = 0,
  spent: SpentOf = () => NOTHING_SPENT,
): readonly ProviderDescription[] {
  const secrets = lanes.flatMap(credentialsOf);
  return redactJson(
    lanes
      .filter(({ wire }) => wire !== "scripted")
      .map((lane) => ({
        ...described(lane),
        quotas: quotasOf(lane, spent),
        health: describeHealth(lane, known, now),
      })),
    secrets,
  );
}

/** What the user's ledger has of a provider. */
type SpentOf = (account: string, window: Window) => Spend;

function quotasOf({ id, account = id, quota = {} }: Lane, spent: SpentOf): readonly QuotaUse[] {
  return WINDOWS.flatMap((window) => {
    const ceiling = quota[window];
    if (ceiling === undefined) return [];
    const spend = spent(account, window);
    const { maxCostNanos = null, maxTokens = null } = ceiling;
    return [{ window, usedNanos: usedNanos(spend), maxCostNanos, usedTokens: usedTokens(spend), maxTokens }];
  });
}

function described(lane: Lane): Omit<ProviderDescription, "health" | "quotas"> {
  const { id, wire, baseUrl, credential, free, local, models, keys } = lane;
  const cost = free ? (local ? "local" : "free") : "billed";
  return {
    id,
    wire,
    baseUrl,
    keyVariables: keyVariables(lane),
    hasKey: credential !== null,
    ...(keys ? { keys: { set: keys.filter((key) => key.credential !== null).length, listed: keys.length } } : {}),
    cost,
    models: Object.keys(models),
    settings: [
      ...settingsOf(lane).map(([key, value]) => ({ model: null, key, value, source: sourceOf(lane, key) })),
      ...Object.entries(models).flatMap(([model, said]) => settingsOfModel(lane, model, said)),
    ],
  };
}

/** An own key only: a model may be called `constructor`. */
function sourceOf({ sources = {} }: Lane, key: string): ValueSource | null {
  return Object.hasOwn(sources, key) ? (sources[key] ?? null) : null;
}

type Setting = readonly [key: string, value: string];

function settingsOf(lane: Lane): readonly Setting[] {
  const { firstEventTimeoutMs, idleTimeoutMs } = stallLimits(lane);
  const variables = keyVariables(lane);
  return [
    ...(lane.via === undefined ? [] : [["via", lane.via] as const]),
    ["wire", lane.wire],
    ["base_url", lane.baseUrl],
    ...(variables.length === 0 ? [] : [["key_env", variables.join(lane.keys ? ", " : " or ")] as const]),
    ["auth", lane.auth],
    ["free", String(lane.free)],
    ...(lane.wire === "ollama-chat" ? [["context_tokens", String(lane.contextTokens)] as const] : []),
    ["first_event_timeout", duration(firstEventTimeoutMs)],
    ["silence_timeout", duration(idleTimeoutMs)],
    ...limitsOf(lane),
    ...quotaOf(lane),
  ];
}

function quotaOf({ quota = {} }: Lane): readonly Setting[] {
  return WINDOWS.flatMap((window) => {
    const { maxCostNanos, maxTokens } = quota[window] ?? {};
    const [money, tokens] = [usd(maxCostNanos), maxTokens?.toString()];
    return [
      ...(money === undefined ? [] : [[`quota.${window}.usd`, money] as const]),
      ...(tokens === undefined ? [] : [[`quota.${window}.tokens`, tokens] as const]),
    ];
  });
}

function limitsOf({ limits = {} }: Lane): readonly Setting[] {
  return Object.entries(LIMIT_WORDS).flatMap(([limit, words]) => {
    const value = limits[limit as keyof Limits];
    return value === undefined ? [] : [[words, String(value)] as const];
  });
}

function settingsOfModel(lane: Lane, model: string, said: LaneModel): readonly ProviderSetting[] {
  const { price, contextWindow, maxOutputTokens, edits, textCalls, capabilities, theirs, defaultFor } = said;
  const settings: readonly (readonly [key: string, value: string | undefined])[] = [
    ["", model],
    ["model_map", theirs],
    ["price.input", usd(price?.input)],
    ["price.output", usd(price?.output)],
    ["price.cache_read", usd(price?.cacheRead)],
    ["price.cache_write", usd(price?.cacheWrite)],
    ["context_window", contextWindow?.toString()],
    ["max_output_tokens", maxOutputTokens?.toString()],
    ["edits", edits],
    ["text_calls", textCalls?.toString()],
    ["default_for", defaultFor?.join(", ")],
    ["capabilities", capabilities && listed(capabilities)],
  ];
  return settings.flatMap(([key, value]) => {
    return value === undefined ? [] : [{ model, key, value, source: modelSource(lane, model, key) }];
  });
}

/** A model that only `model_map` names is named there. */
function modelSource(lane: Lane, model: string, key: string): ValueSource | null {
  const mapped = `model_map.${model}`;
  if (key === "model_map") return sourceOf(lane, mapped);
  const said = sourceOf(lane, key === "" ? `models.${model}` : `models.${model}.${key}`);
  return said ?? (key === "" ? sourceOf(lane, mapped) : null);
}

function listed(capabilities: Capabilities): string {
  return CAPABILITIES.filter((one) => capabilities[one]).join(", ") || "none";
}

function usd(nanos: number | undefined): string | undefined {
  return nanos === undefined ? undefined : String(nanos / NANOS_PER_USD);
}

/** Whole minutes where it is some, as one would write it. */
function duration(ms: number): string {
  return ms % 60_000 === 0 ? `${ms / 60_000}m` : `${ms / 1000}s`;
}
