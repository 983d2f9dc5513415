import type { Diagnostic } from "../core/diagnostic.ts";
import type { ProviderEntry, ProvidersFile } from "../core/lane.ts";
import type { Price, Rates } from "../core/money.ts";
import { hostOf, isLoopback, isSameOrigin, isTrusted, parseBaseUrl } from "./host.ts";
import { baseOf, type LaneDraft, toLane, type Wrong, withEntry } from "./lane-draft.ts";
import { entryProblem } from "./lane-problem.ts";
import type { PriceBook } from "./prices.ts";
import { theirName } from "./their-name.ts";

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
  const refusals = Object.entries(project.providers).flatMap(([id, entry]) => {
    const known = baseOf(id, entry, trust.drafts);
    return [
      ...hostRefusals(entry, known, trust),
      ...keyRefusals(entry, known, trust),
      ...nameRefusals(entry, trust.drafts.get(id) ?? null, trust),
      ...moneyRefusals(id, entry, trust),
    ].map((wrong) => entryProblem(project.path, id, entry, wrong));
  });
  return [...consents, ...refusals];
}

function hostRefusals(entry: ProviderEntry, known: LaneDraft | null, trust: ProjectTrust): readonly Wrong[] {
  const baseUrl = entry.baseUrl === undefined ? null : parseBaseUrl(entry.baseUrl);
  if (baseUrl === null || isTrusted(baseUrl, trust.trustedHosts)) return [];
  if (known !== null && (known.pinnedBy !== null || isSameOrigin(baseUrl, known.baseUrl))) return [];
  const named = [entry.keyEnv ?? []].flat().join(", ");
  const key = (known === null ? named : (known.keys[0]?.name ?? "")) || null;
  if (key === null && isLoopback(baseUrl)) return [];
  const host = (hostOf(baseUrl) ?? baseUrl).replace(/:443$/, "");
  const what =
    key === null
      ? `base_url would send this repository's content to ${host}`
      : `base_url points the key ${key} at ${host}`;
  return [[`${what}, which you have not allowed`, consentHint(host, trust), "base_url"]];
}

function keyRefusals(entry: ProviderEntry, known: LaneDraft | null, trust: ProjectTrust): readonly Wrong[] {
  if (known === null) return [];
  const hint = `say it in ${trust.userPath}, or define a provider of another name`;
  return [
    ...when(choosesKey(entry, known), "a project cannot choose which key is used (key_env)", hint, "key_env"),
    ...when(
      entry.scopedEnv !== undefined,
      "a project cannot choose which key is used (auth.scoped_env)",
      hint,
      "auth.scoped_env",
    ),
    ...when(
      entry.wire !== undefined && entry.wire !== known.wire && known.keys.length === 0,
      "a project cannot change how a provider is spoken to (wire)",
      hint,
      "wire",
    ),
    ...when(entry.auth !== undefined, "a project cannot choose how a key is sent (auth)", hint, "auth"),
    // An answer that is given up too early is paid for and asked for again.
    ...when(
      entry.waits !== undefined,
      "a project cannot choose how long it is waited for (first_event_timeout, silence_timeout)",
      hint,
      entry.waits?.firstEventMs === undefined ? "silence_timeout" : "first_event_timeout",
    ),
  ];
}

/** One that is made after a built-in provider may name the key that goes there anyway. */
function choosesKey({ keyEnv, via }: ProviderEntry, known: LaneDraft): boolean {
  if (keyEnv === undefined) return false;
  return via === undefined || [keyEnv].flat().some((wanted) => !known.keys.some(({ name }) => name === wanted));
}

/** What a person means by a model's name is not the project's to say. */
function nameRefusals(entry: ProviderEntry, known: LaneDraft | null, trust: ProjectTrust): readonly Wrong[] {
  if (known === null) return [];
  const hint = `say it in ${trust.userPath}, or define a provider of another name`;
  return Object.entries(entry.models ?? {}).flatMap(([model, { theirs = model }]) => {
    const isMoved = theirs !== (known.models[model]?.theirs ?? model);
    const what = `a project cannot have another model asked as "${model}" (model_map)`;
    return when(isMoved, what, hint, `model_map.${model}`);
  });
}

function moneyRefusals(id: string, entry: ProviderEntry, trust: ProjectTrust): readonly Wrong[] {
  const hint = `if it is so, say it in ${trust.userPath}`;
  const prices = costsNothingAnyway(id, entry, trust) ? [] : Object.entries(entry.models ?? {});
  return [
    ...when(entry.free === true, "a project cannot declare a provider free", hint, "free"),
    ...prices.flatMap(([model, { price }]) => {
      const isOurs = baseOf(id, entry, trust.drafts) !== null;
      const why = price === undefined ? null : priceRefusal(price, listedPrice(id, model, entry, trust), isOurs);
      return when(why !== null, `model "${model}": ${why}`, hint, `models.${model}.price`);
    }),
  ];
}

/** `isOurs`: the provider is there without the project, and so is the key that pays. */
function priceRefusal(price: Price, listed: Price | null, isOurs: boolean): string | null {
  if (listed !== null) return isLowerSomewhere(price, listed) ? "the price is below the known one" : null;
  if (isOurs) return "nobody knows its price, and a project cannot say it";
  return price.input <= 0 || price.output <= 0 ? "a project cannot declare a model free" : null;
}

function when(isWrong: boolean, message: string, hint: string, key: string): readonly Wrong[] {
  return isWrong ? [[message, hint, key]] : [];
}

/** Declared free by the user, or on this machine and without a key: a price can only make it dearer. */
function costsNothingAnyway(id: string, entry: ProviderEntry, trust: ProjectTrust): boolean {
  const known = baseOf(id, entry, trust.drafts) ?? undefined;
  if (known?.free === true) return true;
  const baseUrl = entry.baseUrl ?? known?.baseUrl ?? "";
  return isLoopback(baseUrl) && (known === undefined ? entry.keyEnv === undefined : known.keys.length === 0);
}

/** The price that holds without the project's word: the user's, else the catalogue's. */
function listedPrice(id: string, model: string, entry: ProviderEntry, trust: ProjectTrust): Price | null {
  const known = baseOf(id, entry, trust.drafts);
  const lane = toLane(withEntry(id, entry, known, false), {});
  const theirs = theirName(lane, model);
  const base = entry.via === undefined ? undefined : trust.drafts.get(entry.via);
  return known?.models[model]?.price ?? base?.models[theirs]?.price ?? trust.prices.priceOf(lane, theirs);
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
