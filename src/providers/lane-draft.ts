import { narrowerCeilings, type WindowCeilings } from "../core/budget.ts";
import type { Lane, LaneModel, Limits, ProviderEntry, Waits, Wire } from "../core/lane.ts";
import { didYouMean } from "../core/suggest.ts";
import type { ValueSources } from "../core/value-source.ts";
import { without } from "../core/without.ts";
import { type KeySource, OLLAMA_CONTEXT_TOKENS, SCRIPTED } from "./built-in-lanes.ts";
import { isLoopback, parseBaseUrl } from "./host.ts";

/** Variables of the user's environment, as they were handed in. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** A lane before its key is looked up. */
export interface LaneDraft {
  readonly id: string;
  /** The built-in lane that it was made after; missing: none. */
  readonly via?: string;
  readonly wire: Wire;
  readonly baseUrl: string;
  /** The variable that fixes `baseUrl`; files cannot move it then. */
  readonly pinnedBy: string | null;
  /** The user, not we or a project, said where it is. */
  readonly isUsersHost: boolean;
  readonly keys: readonly KeySource[];
  /** True: of these all that are set are used; else the first that is. */
  readonly usesAllKeys: boolean;
  /** As declared; null: nobody said. */
  readonly free: boolean | null;
  readonly contextTokens: number | null;
  readonly models: Readonly<Record<string, LaneModel>>;
  readonly waits?: Waits;
  readonly limits?: Limits;
  readonly quota?: WindowCeilings;
  /** The lane whose keys it takes over, and whose quota and limits with them; missing: it has keys of its own. */
  readonly account?: string;
  readonly sources: ValueSources;
}

/** What is wrong, what to do about it, and the key in the entry that says so; missing: the entry as a whole. */
export type Wrong = readonly [message: string, hint: string | null, key?: string];

/** What an entry builds on: the lane of its own name, else one like that which it names. Null: neither is there. */
export function baseOf(id: string, { via }: ProviderEntry, drafts: ReadonlyMap<string, LaneDraft>): LaneDraft | null {
  const own = drafts.get(id);
  const like = via === undefined ? undefined : drafts.get(via);
  if (own || !via || !like) return own ?? null;
  return { ...like, id, via, account: like.account ?? via, pinnedBy: null, free: null, models: {} };
}

/** What is wrong with an entry in itself, whoever wrote it. `known` is what it builds on; null: nothing. */
export function entryProblems(
  id: string,
  entry: ProviderEntry,
  known: LaneDraft | null,
  ids: readonly string[],
): readonly Wrong[] {
  if (id === SCRIPTED)
    return [["the scripted provider is as it is", "define one of another name, with wire: scripted"]];
  const wrong: Wrong[] = [];
  if (known !== null && entry.wire === "scripted" && known.wire !== "scripted") {
    const hint = "define one of another name, with wire: scripted";
    wrong.push(["a transcript cannot stand for a real provider", hint, "wire"]);
  }
  if (id === "" || id.includes("/")) wrong.push(["a provider's name has no slash in it", null]);
  if (entry.via !== undefined && known !== null && known.via !== entry.via) {
    wrong.push([`it is known already, and cannot be made after ${entry.via}`, "give it another name", "via"]);
  }
  if (entry.via !== undefined && entry.wire !== undefined) {
    wrong.push([
      `via: ${entry.via} says how it is spoken to`,
      "drop wire, or give wire and base_url without via",
      "wire",
    ]);
  }
  if (known === null && (entry.wire === undefined || entry.baseUrl === undefined)) {
    const near = didYouMean(id, ids);
    const hint = near === null ? `known: ${ids.join(", ")}` : `did you mean "${near}"?`;
    wrong.push(["it is not built in, so it needs wire and base_url", hint]);
  }
  if (entry.baseUrl !== undefined && addressOf(entry.baseUrl, entry.wire ?? known?.wire) === null) {
    wrong.push([
      "base_url is not a plain http(s) address",
      "leave out user name, password, query and fragment",
      "base_url",
    ]);
  }
  if (entry.auth === "none" && entry.keyEnv !== undefined) {
    wrong.push(["auth: none and key_env contradict each other", "drop one of them", "auth"]);
  }
  if (isKeyed(entry.auth) && entry.keyEnv === undefined && (known?.keys ?? []).length === 0) {
    wrong.push([`auth: ${entry.auth} needs a key`, "name its environment variable in key_env", "auth"]);
  }
  return wrong;
}

/** The draft with an entry's word on top; what the entry leaves out stays as it was. */
export function withEntry(id: string, entry: ProviderEntry, known: LaneDraft | null, isUsers: boolean): LaneDraft {
  const wire = entry.wire ?? known?.wire ?? "openai-chat";
  const isPinned = known !== null && known.pinnedBy !== null;
  const limits = mergeLimits(known?.limits ?? {}, entry.limits ?? {}, isUsers);
  const moved = entry.baseUrl === undefined || isPinned ? null : addressOf(entry.baseUrl, wire);
  const keys = keysOf(entry, wire, known?.keys ?? []);
  const areTheirs = keys.every(({ name }) => known?.keys.some((key) => key.name === name));
  return {
    id,
    ...(known?.account !== undefined && areTheirs ? { account: known.account } : {}),
    ...(known?.via === undefined ? {} : { via: known.via }),
    wire,
    baseUrl: moved ?? known?.baseUrl ?? "",
    pinnedBy: known?.pinnedBy ?? null,
    isUsersHost: moved === null ? (known?.isUsersHost ?? false) : isUsers,
    keys,
    usesAllKeys: entry.keyEnv === undefined ? (known?.usesAllKeys ?? false) : typeof entry.keyEnv !== "string",
    free: entry.free ?? known?.free ?? null,
    contextTokens:
      entry.contextTokens ?? known?.contextTokens ?? (wire === "ollama-chat" ? OLLAMA_CONTEXT_TOKENS : null),
    models: mergeModels(known?.models ?? {}, entry.models ?? {}),
    ...quotaOf(known?.quota, entry.quota, isUsers),
    ...(known?.waits || entry.waits ? { waits: { ...known?.waits, ...entry.waits } } : {}),
    ...(known?.limits || entry.limits ? { limits } : {}),
    sources: mergeSources(known, entry, limits),
  };
}

/**
 * The lane of a draft: its key looked up, its standing decided. A lane without a key is free on this machine, and
 * where the user has an Ollama of their own; one with a key may stand for a paid service even on a loopback address.
 */
export function toLane(draft: LaneDraft, environment: Environment): Lane {
  const keys = draft.keys.map((key) => ({ ...key, credential: setting(environment, key.name) }));
  const key = keys.find(({ credential }) => credential !== null) ?? keys[0] ?? null;
  const areSeveral = draft.usesAllKeys && keys.length > 1;
  const local = isLoopback(draft.baseUrl);
  const unbilled =
    draft.wire === "scripted" || (key === null && (local || (draft.wire === "ollama-chat" && draft.isUsersHost)));
  return {
    id: draft.id,
    ...(draft.via === undefined ? {} : { via: draft.via }),
    wire: draft.wire,
    baseUrl: draft.baseUrl,
    auth: key?.auth ?? "none",
    credential: key?.credential ?? null,
    credentialName: key?.name ?? null,
    ...(areSeveral ? { keys: keys.map(({ name, credential }) => ({ name, credential })) } : {}),
    free: draft.free ?? unbilled,
    local,
    contextTokens: draft.contextTokens,
    models: draft.models,
    ...(draft.waits ? { waits: draft.waits } : {}),
    ...(draft.limits ? { limits: draft.limits } : {}),
    ...(draft.quota ? { quota: draft.quota } : {}),
    ...(draft.account ? { account: draft.account } : {}),
    sources: draft.sources,
  };
}

/** Set and not empty; blanks around a value are a slip of the paste buffer. */
export function setting(environment: Environment, name: string): string | null {
  const value = environment[name]?.trim() ?? "";
  return value === "" ? null : value;
}

/** A base URL; for a transcript its path. */
function addressOf(baseUrl: string, wire: Wire | undefined): string | null {
  return wire === "scripted" ? baseUrl : parseBaseUrl(baseUrl);
}

function keysOf(entry: ProviderEntry, wire: Wire, known: readonly KeySource[]): readonly KeySource[] {
  if (entry.auth === "none") return [];
  // A variable that ccp knows goes the way that it knows: ANTHROPIC_AUTH_TOKEN is no x-api-key.
  const usual = (name: string) => known.find((key) => key.name === name)?.auth;
  const byWire = wire === "anthropic-messages" ? "x-api-key" : "bearer";
  const auth = isKeyed(entry.auth) ? entry.auth : null;
  if (entry.keyEnv !== undefined) {
    return [entry.keyEnv].flat().map((name) => ({ name, auth: auth ?? usual(name) ?? byWire }));
  }
  return auth === null ? known : known.map((key) => ({ ...key, auth }));
}

function isKeyed(auth: Lane["auth"] | undefined): auth is KeySource["auth"] {
  return auth === "bearer" || auth === "x-api-key";
}

/** A project can lower what the user lets a provider have, and never raise it. */
function quotaOf(
  known: WindowCeilings | undefined,
  said: WindowCeilings | undefined,
  isUsers: boolean,
): Pick<LaneDraft, "quota"> {
  if (said === undefined) return known === undefined ? {} : { quota: known };
  return { quota: isUsers || known === undefined ? { ...known, ...said } : narrowerCeilings(known, said) };
}

function mergeModels(known: LaneDraft["models"], said: LaneDraft["models"]): LaneDraft["models"] {
  const merged = Object.entries(said).map(([name, model]) => [name, { ...known[name], ...model }] as const);
  return { ...known, ...Object.fromEntries(merged) };
}

/** The words of a providers file for what is limited. */
export const LIMIT_WORDS = {
  concurrency: "limits.concurrency",
  requestsPerMinute: "limits.requests_per_minute",
  tokensPerMinute: "limits.tokens_per_minute",
} as const satisfies Readonly<Record<keyof Limits, string>>;

const LIMITS = Object.keys(LIMIT_WORDS) as readonly (keyof Limits)[];

/** The user's own word is taken as it is; a project's only where it is the lower one. */
function mergeLimits(known: Limits, said: Limits, isUsers: boolean): Limits {
  if (isUsers) return { ...known, ...said };
  const lower = LIMITS.flatMap((limit) => {
    const both = [known[limit], said[limit]].filter((value) => value !== undefined);
    return both.length === 0 ? [] : [[limit, Math.min(...both)] as const];
  });
  return Object.fromEntries(lower);
}

/** The later word is the one that counts, but for those that an entry says in vain or makes meaningless. */
function mergeSources(known: LaneDraft | null, entry: ProviderEntry, limits: Limits): ValueSources {
  const { base_url: movedBy, ...others } = entry.sources ?? {};
  const isMoved = movedBy !== undefined && (known === null || known.pinnedBy === null);
  const inVain = LIMITS.filter(
    (limit) => known?.limits?.[limit] !== undefined && entry.limits?.[limit] !== limits[limit],
  );
  const counting = inVain.reduce((left, limit) => without(left, LIMIT_WORDS[limit]), others);
  const merged = { ...known?.sources, ...counting, ...(isMoved ? { base_url: movedBy } : {}) };
  if (entry.auth === "none") return without(merged, "key_env");
  return entry.keyEnv !== undefined && entry.auth === undefined ? without(merged, "auth") : merged;
}
