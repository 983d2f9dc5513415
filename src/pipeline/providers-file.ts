import type { Diagnostic } from "../core/diagnostic.ts";
import type { LaneModel, Limits, ProviderEntry, ProvidersFile } from "../core/lane.ts";
import { CAPABILITIES, type Capabilities, type Capability } from "../core/model.ts";
import {
  ANTHROPIC_CACHE_WRITE_FACTOR,
  ANTHROPIC_CACHE_WRITE_HOUR_FACTOR,
  type Price,
  usdToNanos,
} from "../core/money.ts";
import type { ValueSource, ValueSources } from "../core/value-source.ts";
import { builtInOf } from "../core/via.ts";
import { windowCeilingsOf } from "./budgets.ts";
import { sorted } from "./draft.ts";
import { PATTERN_WORDS, parseDuration, URL_PATTERN } from "./patterns.ts";
import { PROVIDERS_SCHEMA, type RawModel, type RawProvider, type RawProviders } from "./providers-schema.ts";
import { isBlank, readYaml } from "./read-yaml.ts";
import { rulesOf, wrongRules } from "./routing-rules.ts";
import { type Path, problem, type Source } from "./source.ts";
import { structureChecker } from "./structure.ts";

/** A `providers.yaml` as the rest of ccp wants it, or everything that is wrong with it. */
export type ProvidersCheck =
  | { readonly ok: true; readonly file: ProvidersFile }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

const checkStructure = structureChecker(PROVIDERS_SCHEMA);

/** Checks a `providers.yaml`. Says only that it is well-formed: whether it may be believed depends on whose file it is. */
export function checkProvidersFile(text: string, path: string): ProvidersCheck {
  if (isBlank(text)) return { ok: true, file: { path, providers: {}, trustedHosts: [] } };
  const yaml = readYaml(text, path);
  if (!yaml.ok) return { ok: false, diagnostics: yaml.diagnostics };
  const { faults, rest } = checkStructure(yaml.json, yaml.source);
  const raw = rest as RawProviders;
  const diagnostics = [
    ...yaml.diagnostics,
    ...faults.map((fault) => fault.diagnostic),
    ...wrongUrls(raw, yaml.source),
    ...doubleKeys(raw, yaml.source),
    ...wrongRules(raw.routing ?? [], yaml.source),
  ];
  if (diagnostics.length > 0) return { ok: false, diagnostics: sorted(path, diagnostics) };
  const providers = Object.entries(raw.providers ?? {}).map(([id, entry]) => {
    return [id, { ...entryOf(id, entry), sources: sourcesOf(id, entry, yaml.source) }] as const;
  });
  return {
    ok: true,
    file: {
      path,
      providers: Object.fromEntries(providers),
      trustedHosts: raw.trusted_hosts ?? [],
      ...(raw.routing === undefined ? {} : { routing: rulesOf(raw.routing, yaml.source) }),
    },
  };
}

/** A URL is never repeated in a message: there may be a password in it. */
function wrongUrls(raw: RawProviders, source: Source): readonly Diagnostic[] {
  return Object.entries(raw.providers ?? {}).flatMap(([id, { base_url: url }]) => {
    if (url === undefined || new RegExp(URL_PATTERN).test(url)) return [];
    return [problem(source.at(["providers", id, "base_url"]), `"base_url" must be ${PATTERN_WORDS[URL_PATTERN]}`)];
  });
}

function doubleKeys(raw: RawProviders, source: Source): readonly Diagnostic[] {
  return Object.entries(raw.providers ?? {}).flatMap(([id, { key_env: key, auth }]) => {
    if (key === undefined || typeof auth !== "object" || auth.env === undefined) return [];
    return [
      problem(source.at(["providers", id, "auth", "env"], "key"), 'the key is named twice, here and in "key_env"'),
    ];
  });
}

function entryOf(id: string, raw: RawProvider): ProviderEntry {
  return {
    ...(raw.via === undefined ? {} : { via: builtInOf(raw.via) }),
    ...(raw.wire === undefined ? {} : { wire: raw.wire }),
    ...(raw.base_url === undefined ? {} : { baseUrl: raw.base_url.replace(/\/+$/, "") }),
    ...authOf(raw),
    ...(raw.free === undefined ? {} : { free: raw.free }),
    ...(raw.context_tokens === undefined ? {} : { contextTokens: raw.context_tokens }),
    ...(raw.models === undefined && raw.model_map === undefined ? {} : { models: modelsOf(id, raw) }),
    ...(raw.quota === undefined ? {} : { quota: windowCeilingsOf(raw.quota) }),
    ...waitsOf(raw),
    ...(raw.limits === undefined ? {} : { limits: limitsOf(raw.limits) }),
  };
}

/** The short form of how a key is sent, or the full one. */
function authOf({ auth, key_env: key }: RawProvider): Pick<ProviderEntry, "auth" | "keyEnv" | "scopedEnv"> {
  const full = typeof auth === "object" ? auth : { header: auth };
  const { header, env = key, scoped_env: scopedEnv } = full as Exclude<typeof auth, string | undefined>;
  return {
    ...(env === undefined ? {} : { keyEnv: env }),
    ...(header === undefined ? {} : { auth: header }),
    ...(scopedEnv === undefined ? {} : { scopedEnv }),
  };
}

function limitsOf(raw: NonNullable<RawProvider["limits"]>): Limits {
  const { concurrency, requests_per_minute: requestsPerMinute, tokens_per_minute: tokensPerMinute } = raw;
  return {
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(requestsPerMinute === undefined ? {} : { requestsPerMinute }),
    ...(tokensPerMinute === undefined ? {} : { tokensPerMinute }),
  };
}

function waitsOf({ first_event_timeout: first, silence_timeout: silence }: RawProvider): Pick<ProviderEntry, "waits"> {
  const [firstEventMs, silenceMs] = [parseDuration(first ?? ""), parseDuration(silence ?? "")];
  const waits = { ...(firstEventMs === null ? {} : { firstEventMs }), ...(silenceMs === null ? {} : { silenceMs }) };
  return Object.keys(waits).length === 0 ? {} : { waits };
}

function modelsOf(id: string, raw: RawProvider): Readonly<Record<string, LaneModel>> {
  const said = saidModels(id, raw);
  const mapped = Object.entries(raw.model_map ?? {}).map(([ours, theirs]) => {
    return [ours, { ...(Object.hasOwn(said, ours) ? said[ours] : {}), theirs }] as const;
  });
  return { ...said, ...Object.fromEntries(mapped) };
}

function saidModels(id: string, { models = [], wire, via }: RawProvider): Readonly<Record<string, LaneModel>> {
  if (Array.isArray(models)) return Object.fromEntries(models.map((model) => [model, {}]));
  const writesCostMore = (wire ?? via ?? id).startsWith("anthropic");
  return Object.fromEntries(Object.entries(models).map(([model, raw]) => [model, modelOf(raw, writesCostMore)]));
}

function modelOf(raw: RawModel, writesCostMore: boolean): LaneModel {
  return {
    ...(raw.price === undefined ? {} : { price: priceOf(raw.price, writesCostMore) }),
    ...(raw.context_window === undefined ? {} : { contextWindow: raw.context_window }),
    ...(raw.max_output_tokens === undefined ? {} : { maxOutputTokens: raw.max_output_tokens }),
    ...(raw.edits === undefined ? {} : { edits: raw.edits }),
    ...(raw.default_for === undefined ? {} : { defaultFor: raw.default_for }),
    ...(raw.text_calls === undefined ? {} : { textCalls: raw.text_calls }),
    ...(raw.capabilities === undefined ? {} : { capabilities: capabilitiesOf(raw.capabilities) }),
  };
}

/** A list is whole: what is not in it, the model cannot do. */
function capabilitiesOf(said: readonly Capability[]): Capabilities {
  return Object.fromEntries(CAPABILITIES.map((capability) => [capability, said.includes(capability)]));
}

function priceOf(raw: NonNullable<RawModel["price"]>, writesCostMore: boolean): Price {
  return {
    input: usdToNanos(raw.input),
    output: usdToNanos(raw.output),
    cacheRead: usdToNanos(raw.cache_read ?? raw.input),
    cacheWrite: usdToNanos(raw.cache_write ?? raw.input * (writesCostMore ? ANTHROPIC_CACHE_WRITE_FACTOR : 1)),
    // Whoever says what writing costs has said it for however long.
    ...(writesCostMore && raw.cache_write === undefined
      ? { cacheWriteHour: usdToNanos(raw.input * ANTHROPIC_CACHE_WRITE_HOUR_FACTOR) }
      : {}),
    tiers: [],
  };
}

/** Where each value stands, by its words: `models.NAME.price.input`. */
function sourcesOf(id: string, { models = {}, ...plain }: RawProvider, source: Source): ValueSources {
  const sourceAt = (path: Path): ValueSource => {
    const { file, line, column } = source.at(["providers", id, ...path], "key");
    return { kind: "file", path: file, line: line ?? 1, column: column ?? 1 };
  };
  const inList = Array.isArray(models) ? models.map((name, index) => ["models", name, index] as const) : [];
  const inMap = Array.isArray(models) ? [] : pathsIn(models).map((path) => ["models", ...path]);
  const sources = Object.fromEntries([
    ["", sourceAt([])],
    ...[...pathsIn(plain), ...inMap].map((path) => [path.join("."), sourceAt(path)] as const),
    ...inList.map(([key, name, index]) => [`${key}.${name}`, sourceAt([key, index])] as const),
  ]);
  return typeof plain.auth === "object" ? withShortNames(sources) : sources;
}

/** What the full form of `auth` says goes by the words of the short one. */
function withShortNames({ auth: _, ...sources }: ValueSources): ValueSources {
  const { "auth.header": header, "auth.env": env } = sources;
  return { ...sources, ...(header ? { auth: header } : {}), ...(env ? { key_env: env } : {}) };
}

/** Of everything in it, the inner after the outer. */
function pathsIn(value: object): readonly (readonly string[])[] {
  return Object.entries(value).flatMap(([key, inner]) => [
    [key],
    ...(typeof inner === "object" ? pathsIn(inner).map((path) => [key, ...path]) : []),
  ]);
}
