import type { Diagnostic } from "../core/diagnostic.ts";
import type { ProviderEntry, ProvidersFile } from "../core/lane.ts";
import type { Price, Rates } from "../core/money.ts";
import { hostOf, isLoopback, isSameOrigin, isTrusted, parseBaseUrl } from "./host.ts";
import { type LaneDraft, toLane, type Wrong, withEntry } from "./lane-draft.ts";
import type { PriceBook } from "./prices.ts";

/** What a project's file is judged against. */
export interface ProjectTrust {
  /** Built-in lanes as the user's environment and file have them. */
  readonly drafts: ReadonlyMap<string, LaneDraft>;
  /** Where the user would write a consent. */
  readonly userPath: string;
  readonly trustedHosts: readonly string[];
  readonly prices: PriceBook;
}

/**
 * What a project's file asks for and may not have. It comes with the repository, so it cannot send the user's keys
 * or the repository's content to a new host, choose keys, or make a paid model look cheaper than it is.
 */
export function projectRefusals(project: ProvidersFile | null, trust: ProjectTrust): readonly Diagnostic[] {
  if (project === null) return [];
  const refuse = (message: string, hint: string | null): Diagnostic => {
    return { file: project.path, line: null, column: null, message, hint };
  };
  const consents =
    project.trustedHosts.length === 0
      ? []
      : [refuse("a project cannot give consents (trusted_hosts)", `move trusted_hosts to ${trust.userPath}`)];
  const refusals = Object.entries(project.providers).flatMap(([id, entry]) =>
    [
      ...hostRefusals(entry, trust.drafts.get(id) ?? null, trust),
      ...keyRefusals(entry, trust.drafts.get(id) ?? null, trust),
      ...moneyRefusals(id, entry, trust),
    ].map(([message, hint]) => refuse(`provider "${id}": ${message}`, hint)),
  );
  return [...consents, ...refusals];
}

function hostRefusals(entry: ProviderEntry, known: LaneDraft | null, trust: ProjectTrust): readonly Wrong[] {
  const baseUrl = entry.baseUrl === undefined ? null : parseBaseUrl(entry.baseUrl);
  if (baseUrl === null || isTrusted(baseUrl, trust.trustedHosts)) return [];
  if (known !== null && (known.pinnedBy !== null || isSameOrigin(baseUrl, known.baseUrl))) return [];
  const key = known === null ? [entry.keyEnv ?? []].flat().join(", ") || null : (known.keys[0]?.name ?? null);
  if (key === null && isLoopback(baseUrl)) return [];
  const host = (hostOf(baseUrl) ?? baseUrl).replace(/:443$/, "");
  const what =
    key === null
      ? `base_url would send this repository's content to ${host}`
      : `base_url points the key ${key} at ${host}`;
  return [[`${what}, which you have not allowed`, consentHint(host, trust)]];
}

function keyRefusals(entry: ProviderEntry, known: LaneDraft | null, trust: ProjectTrust): readonly Wrong[] {
  if (known === null) return [];
  const hint = `say it in ${trust.userPath}, or define a provider of another name`;
  return [
    ...when(entry.keyEnv !== undefined, "a project cannot choose which key is used (key_env)", hint),
    ...when(entry.auth !== undefined, "a project cannot choose how a key is sent (auth)", hint),
    // An answer that is given up too early is paid for and asked for again.
    ...when(
      entry.waits !== undefined,
      "a project cannot choose how long it is waited for (first_event_timeout, silence_timeout)",
      hint,
    ),
  ];
}

function moneyRefusals(id: string, entry: ProviderEntry, trust: ProjectTrust): readonly Wrong[] {
  const hint = `if it is so, say it in ${trust.userPath}`;
  const prices = costsNothingAnyway(id, entry, trust) ? [] : Object.entries(entry.models ?? {});
  return [
    ...when(entry.free === true, "a project cannot declare a provider free", hint),
    ...prices.flatMap(([model, { price }]) => {
      const why = price === undefined ? null : priceRefusal(price, listedPrice(id, model, entry, trust));
      return when(why !== null, `model "${model}": ${why}`, hint);
    }),
  ];
}

function priceRefusal(price: Price, listed: Price | null): string | null {
  if (listed !== null) return isLowerSomewhere(price, listed) ? "the price is below the known one" : null;
  return price.input <= 0 || price.output <= 0 ? "a project cannot declare a model free" : null;
}

function when(isWrong: boolean, message: string, hint: string): readonly Wrong[] {
  return isWrong ? [[message, hint]] : [];
}

/** Declared free by the user, or on this machine and without a key: a price can only make it dearer. */
function costsNothingAnyway(id: string, entry: ProviderEntry, trust: ProjectTrust): boolean {
  const known = trust.drafts.get(id);
  if (known?.free === true) return true;
  const baseUrl = entry.baseUrl ?? known?.baseUrl ?? "";
  return isLoopback(baseUrl) && (known === undefined ? entry.keyEnv === undefined : known.keys.length === 0);
}

/** The price that holds without the project's word: the user's, else the catalogue's. */
function listedPrice(id: string, model: string, entry: ProviderEntry, trust: ProjectTrust): Price | null {
  const known = trust.drafts.get(id);
  const lane = toLane(withEntry(id, { ...entry, models: {} }, known ?? null, false), {});
  return known?.models[model]?.price ?? trust.prices.priceOf(lane, model);
}

/** True when any rate is below the known one, at any size of prompt. */
function isLowerSomewhere(price: Price, listed: Price): boolean {
  const sizes = [0, ...[...price.tiers, ...listed.tiers].map((tier) => tier.aboveTokens + 1)];
  const rates = ["input", "cacheRead", "cacheWrite", "output"] as const satisfies readonly (keyof Rates)[];
  return sizes.some((size) => rates.some((rate) => ratesAt(price, size)[rate] < ratesAt(listed, size)[rate]));
}

function ratesAt(price: Price, inputTokens: number): Rates {
  const tiers = price.tiers.filter((tier) => inputTokens > tier.aboveTokens);
  return tiers.reduce((best, tier) => (tier.aboveTokens >= best.aboveTokens ? tier : best), {
    ...price,
    aboveTokens: -1,
  });
}

function consentHint(host: string, trust: ProjectTrust): string {
  return `if you trust it, add it to trusted_hosts in ${trust.userPath}:  trusted_hosts: ["${host}"]`;
}
