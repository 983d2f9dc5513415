import type { WindowCeilings } from "./budget.ts";
import type { EditForm } from "./model.ts";
import type { Price } from "./money.ts";
import type { ValueSources } from "./value-source.ts";

/** The dialects that ccp speaks. */
export type Wire = "anthropic-messages" | "openai-responses" | "openai-chat" | "ollama-chat" | "scripted";

/** An endpoint, a wire format and one credential. Credentials never cross lanes. The id is the `provider` of a model reference. */
export interface Lane {
  readonly id: string;
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
  /** Tokens of context that Ollama is asked to allocate (`num_ctx`); null elsewhere. */
  readonly contextTokens: number | null;
  /** What the user says of single models; wins over the catalogue. */
  readonly models: Readonly<Record<string, LaneModel>>;
  /** Missing: as its wire needs. */
  readonly waits?: Waits;
  /** What all calls to it together may use of a day or a week; missing: no ceiling of its own. */
  readonly quota?: WindowCeilings;
  /** Who said what of it, for people who wonder; nothing is decided by it. */
  readonly sources?: ValueSources;
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
}

/** One provider of a `providers.yaml`, checked; nothing in it is trusted yet. */
export interface ProviderEntry {
  readonly wire?: Wire;
  readonly baseUrl?: string;
  readonly keyEnv?: string;
  readonly auth?: Lane["auth"];
  readonly free?: boolean;
  readonly contextTokens?: number;
  readonly models?: Readonly<Record<string, LaneModel>>;
  readonly waits?: Waits;
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
}
