import { narrowerCeilings, type WindowCeilings } from "../core/budget.ts";
import type { Lane, LaneModel, ProviderEntry, Waits, Wire } from "../core/lane.ts";
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
  readonly wire: Wire;
  readonly baseUrl: string;
  /** The variable that fixes `baseUrl`; files cannot move it then. */
  readonly pinnedBy: string | null;
  /** The user, not we or a project, said where it is. */
  readonly isUsersHost: boolean;
  readonly keys: readonly KeySource[];
  /** As declared; null: nobody said. */
  readonly free: boolean | null;
  readonly contextTokens: number | null;
  readonly models: Readonly<Record<string, LaneModel>>;
  readonly waits?: Waits;
  readonly quota?: WindowCeilings;
  readonly sources: ValueSources;
}

/** What is wrong, and what to do about it. */
export type Wrong = readonly [message: string, hint: string | null];

/** What is wrong with an entry in itself, whoever wrote it. `known` is the lane it changes; null: it is a new one. */
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
    wrong.push(["a transcript cannot stand for a real provider", "define one of another name, with wire: scripted"]);
  }
  if (id === "" || id.includes("/")) wrong.push(["a provider's name has no slash in it", null]);
  if (known === null && (entry.wire === undefined || entry.baseUrl === undefined)) {
    const near = didYouMean(id, ids);
    const hint = near === null ? `known: ${ids.join(", ")}` : `did you mean "${near}"?`;
    wrong.push(["it is not built in, so it needs wire and base_url", hint]);
  }
  if (entry.baseUrl !== undefined && addressOf(entry.baseUrl, entry.wire ?? known?.wire) === null) {
    wrong.push(["base_url is not a plain http(s) address", "leave out user name, password, query and fragment"]);
  }
  if (entry.auth === "none" && entry.keyEnv !== undefined) {
    wrong.push(["auth: none and key_env contradict each other", "drop one of them"]);
  }
  if (isKeyed(entry.auth) && entry.keyEnv === undefined && (known?.keys ?? []).length === 0) {
    wrong.push([`auth: ${entry.auth} needs a key`, "name its environment variable in key_env"]);
  }
  return wrong;
}

/** The draft with an entry's word on top; what the entry leaves out stays as it was. */
export function withEntry(id: string, entry: ProviderEntry, known: LaneDraft | null, isUsers: boolean): LaneDraft {
  const wire = entry.wire ?? known?.wire ?? "openai-chat";
  const isPinned = known !== null && known.pinnedBy !== null;
  const moved = entry.baseUrl === undefined || isPinned ? null : addressOf(entry.baseUrl, wire);
  return {
    id,
    wire,
    baseUrl: moved ?? known?.baseUrl ?? "",
    pinnedBy: known?.pinnedBy ?? null,
    isUsersHost: moved === null ? (known?.isUsersHost ?? false) : isUsers,
    keys: keysOf(entry, wire, known?.keys ?? []),
    free: entry.free ?? known?.free ?? null,
    contextTokens:
      entry.contextTokens ?? known?.contextTokens ?? (wire === "ollama-chat" ? OLLAMA_CONTEXT_TOKENS : null),
    models: mergeModels(known?.models ?? {}, entry.models ?? {}),
    ...quotaOf(known?.quota, entry.quota, isUsers),
    ...(known?.waits || entry.waits ? { waits: { ...known?.waits, ...entry.waits } } : {}),
    sources: mergeSources(known, entry),
  };
}

/**
 * The lane of a draft: its key looked up, its standing decided. A lane without a key is free on this machine, and
 * where the user has an Ollama of their own; one with a key may stand for a paid service even on a loopback address.
 */
export function toLane(draft: LaneDraft, environment: Environment): Lane {
  const key = draft.keys.find(({ name }) => setting(environment, name) !== null) ?? draft.keys[0] ?? null;
  const local = isLoopback(draft.baseUrl);
  const unbilled =
    draft.wire === "scripted" || (key === null && (local || (draft.wire === "ollama-chat" && draft.isUsersHost)));
  return {
    id: draft.id,
    wire: draft.wire,
    baseUrl: draft.baseUrl,
    auth: key?.auth ?? "none",
    credential: key === null ? null : setting(environment, key.name),
    credentialName: key?.name ?? null,
    free: draft.free ?? unbilled,
    local,
    contextTokens: draft.contextTokens,
    models: draft.models,
    ...(draft.waits ? { waits: draft.waits } : {}),
    ...(draft.quota ? { quota: draft.quota } : {}),
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
  const auth = isKeyed(entry.auth) ? entry.auth : wire === "anthropic-messages" ? "x-api-key" : "bearer";
  if (entry.keyEnv !== undefined) return [{ name: entry.keyEnv, auth }];
  return entry.auth === undefined ? known : known.map((key) => ({ ...key, auth }));
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

/** The later word is the one that counts, but for those that an entry says in vain or makes meaningless. */
function mergeSources(known: LaneDraft | null, entry: ProviderEntry): ValueSources {
  const { base_url: movedBy, ...others } = entry.sources ?? {};
  const isMoved = movedBy !== undefined && (known === null || known.pinnedBy === null);
  const merged = { ...known?.sources, ...others, ...(isMoved ? { base_url: movedBy } : {}) };
  if (entry.auth === "none") return without(merged, "key_env");
  return entry.keyEnv !== undefined && entry.auth === undefined ? without(merged, "auth") : merged;
}
