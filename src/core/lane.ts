import type { WindowCeilings } from "./budget.ts";
import type { Capabilities, EditForm } from "./model.ts";
import type { Price } from "./money.ts";
import type { RoleName } from "./pipeline.ts";
import type { RouteRule } from "./route-rules.ts";
import type { ValueSource, ValueSources } from "./value-source.ts";

/** The dialects that ccp speaks. */
export type Wire = "anthropic-messages" | "openai-responses" | "openai-chat" | "ollama-chat" | "scripted";

/** An endpoint, a wire format and its credentials, one to a call. Credentials never cross lanes. The id is the `provider` of a model reference. */
export interface Lane {
  readonly id: string;
  /** The built-in lane that it was made after; missing: it is one itself, or was made after none. */
  readonly via?: string;
  readonly wire: Wire;
  /** Without a trailing slash; the path of a transcript for the scripted wire. */
  readonly baseUrl: string;
  readonly auth: "x-api-key" | "bearer" | "none";
  /** Null: none is set, or none is needed (`auth: none`). */
  readonly credential: string | null;
  /** Name of the environment variable that the credential comes from, or would come from; null: none is needed. */
  readonly credentialName: string | null;
  /** Costs nothing: on this machine, or declared so by the user. */
  readonly free: boolean;
  readonly local: boolean;
  /** Whose quota and limits it draws on: the lane whose keys it takes over. Missing: its own. */
  readonly account?: string;
  /** Tokens of context that Ollama is asked to allocate (`num_ctx`); null elsewhere. */
  readonly contextTokens: number | null;
  /** What the user says of single models; wins over the catalogue. */
  readonly models: Readonly<Record<string, LaneModel>>;
  /** Where several credentials are listed: each, in order, set or not. The first that is set is `credential`, too. */
  readonly keys?: readonly LaneKey[];
  /** Missing: as its wire needs. */
  readonly waits?: Waits;
  /** What may be sent with each credential; missing: as much as its provider takes. */
  readonly limits?: Limits;
  /** What all calls to it together may use of a day or a week; missing: no ceiling of its own. */
  readonly quota?: WindowCeilings;
  /** Who said what of it, for people who wonder; nothing is decided by it. */
  readonly sources?: ValueSources;
}

/** One of several credentials of a lane. */
export interface LaneKey {
  /** The environment variable that it comes from. */
  readonly name: string;
  /** Null: it is not set. */
  readonly credential: string | null;
}

/** What may be sent with one credential of a lane. A missing field has no limit of ours. */
export interface Limits {
  /** Calls at once. */
  readonly concurrency?: number;
  readonly requestsPerMinute?: number;
  /** Input and output; of calls under way the most that they can take. */
  readonly tokensPerMinute?: number;
}

/** What has to be known of a lane to look after it: no credential is in it. */
export interface LaneStanding {
  /** Names the endpoint among all of the user's: a provider of the same name may be elsewhere in another project. */
  readonly lane: string;
  /** In the order in which they are used. Never empty. */
  readonly credentials: readonly CredentialName[];
  readonly limits: Limits;
}

/** One credential, as others may speak of it. */
export interface CredentialName {
  /** The variable that holds it; null: the lane has only one, or needs none. */
  readonly name: string | null;
  /** Tells it from the one that was in the same variable before. Says nothing of its value. */
  readonly key: string;
}

/** All values that may be sent as this lane's key, and must never be shown. */
export function credentialsOf({ credential, keys = [] }: Pick<Lane, "credential" | "keys">): readonly string[] {
  const all = [credential, ...keys.map((key) => key.credential)].filter((value) => value !== null);
  return [...new Set(all)];
}

/** How long a provider may be silent, in milliseconds. */
export interface Waits {
  /** Before its answer begins. */
  readonly firstEventMs?: number;
  /** Within it. */
  readonly silenceMs?: number;
}

/** What a file says of one model of a lane; what is missing, the catalogue says. */
export interface LaneModel {
  readonly price?: Price;
  readonly contextWindow?: number;
  readonly maxOutputTokens?: number;
  readonly edits?: EditForm;
  /** True: it may write tool calls as text, which are read then. */
  readonly textCalls?: boolean;
  /** What it can do; what is not in it, ccp may know by its name. */
  readonly capabilities?: Capabilities;
  /** The name that its provider knows it by; missing: the same. */
  readonly theirs?: string;
  /** Roles that ask it first where nobody names a model for them. */
  readonly defaultFor?: readonly RoleName[];
}

/** Variables that hold keys. Several: all that are set are used. */
export type KeyNames = string | readonly string[];

/** One provider of a `providers.yaml`, checked; nothing in it is trusted yet. */
export interface ProviderEntry {
  /** The built-in lane whose wire, address and way to send a key it takes over. */
  readonly via?: string;
  readonly wire?: Wire;
  readonly baseUrl?: string;
  readonly keyEnv?: KeyNames;
  /** The same for profiles, in the place of `keyEnv` where one of them is chosen. */
  readonly scopedEnv?: Readonly<Record<string, KeyNames>>;
  readonly auth?: Lane["auth"];
  readonly free?: boolean;
  readonly contextTokens?: number;
  readonly models?: Readonly<Record<string, LaneModel>>;
  readonly waits?: Waits;
  readonly limits?: Limits;
  readonly quota?: WindowCeilings;
  /** Where each of its values stands. */
  readonly sources?: ValueSources;
}

/** A `providers.yaml`. Only the user's own file may hold consents. */
export interface ProvidersFile {
  /** As the user would name it. */
  readonly path: string;
  readonly providers: Readonly<Record<string, ProviderEntry>>;
  /** Hosts (`host` or `host:port`) to which a project's file may point one of the user's keys. */
  readonly trustedHosts: readonly string[];
  /** Rules on who is asked, in their order; missing: none. */
  readonly routing?: readonly WrittenRule[];
}

/** A rule as a file has it; whether its candidates are known is not looked at yet. */
export interface WrittenRule extends Omit<RouteRule, "name"> {
  /** Null: it has none. */
  readonly name: string | null;
  /** Where each of its candidates stands. */
  readonly useSources: readonly ValueSource[];
}
