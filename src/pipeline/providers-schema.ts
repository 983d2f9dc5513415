import type { Infer, JsonSchema } from "../core/json.ts";
import type { Wire } from "../core/lane.ts";
import { EDIT_FORMS } from "../core/model.ts";
import { ROLE_NAMES } from "../core/pipeline.ts";
import { VIA_NAMES } from "../core/via.ts";
import { DURATION_PATTERN, HOST_PATTERN, ID_PATTERN, PROVIDER_ID_PATTERN, VARIABLE_PATTERN } from "./patterns.ts";
import { CAPABILITY_LIST, RULE } from "./routing-schema.ts";
import { WINDOW_CEILINGS } from "./schema.ts";

/** The scripted provider is named on the command line, never in a file. */
const FILE_WIRES = [
  "anthropic-messages",
  "openai-responses",
  "openai-chat",
  "ollama-chat",
] as const satisfies readonly Wire[];

const rate = { type: "number", minimum: 0, maximum: 100_000 } as const satisfies JsonSchema;
const count = { type: "integer", minimum: 1 } as const satisfies JsonSchema;
const tokens = { type: "integer", minimum: 1 } as const satisfies JsonSchema;

const KEY_NAMES = [
  { type: "string", pattern: VARIABLE_PATTERN },
  { type: "array", minItems: 1, uniqueItems: true, items: { type: "string", pattern: VARIABLE_PATTERN } },
] as const satisfies readonly JsonSchema[];

const AUTH = {
  type: "object",
  additionalProperties: false,
  properties: {
    header: { type: "string", enum: ["x-api-key", "bearer"], description: "How the key is sent." },
    env: { description: "As `key_env`.", anyOf: KEY_NAMES },
    scoped_env: {
      type: "object",
      propertyNames: { pattern: ID_PATTERN },
      additionalProperties: { anyOf: KEY_NAMES },
      description: "By profile: the variables that count where `CCP_PROFILE` names it.",
    },
  },
} as const satisfies JsonSchema;

const MODEL = {
  type: "object",
  additionalProperties: false,
  properties: {
    price: {
      type: "object",
      additionalProperties: false,
      required: ["input", "output"],
      description: "US dollars per million tokens.",
      properties: {
        input: { ...rate, description: "Fresh input." },
        output: { ...rate, description: "Output, reasoning included." },
        cache_read: { ...rate, description: "Input read from a cache. Default: as `input`." },
        cache_write: {
          ...rate,
          description: "Input written to a cache. Default: as `input`, a quarter more on Anthropic's wire.",
        },
      },
    },
    context_window: { ...tokens, description: "Tokens that the model can hold." },
    max_output_tokens: { ...tokens, description: "Longest answer, in tokens." },
    edits: {
      type: "string",
      enum: EDIT_FORMS,
      description: "How it changes files best: by old and new text, by a patch, or by writing whole files.",
    },
    default_for: {
      type: "array",
      items: { type: "string", enum: ROLE_NAMES },
      uniqueItems: true,
      description: "Roles that ask it first where neither a flag nor the pipeline names a model.",
    },
    text_calls: { type: "boolean", description: "It may write tool calls as text: they are read as calls." },
    capabilities: { ...CAPABILITY_LIST, description: "What it can do; what is not in the list, it cannot." },
  },
} as const satisfies JsonSchema;

const PROVIDER = {
  type: "object",
  additionalProperties: false,
  properties: {
    via: {
      type: "string",
      enum: VIA_NAMES,
      description: "The built-in provider whose wire, address and key variable it takes over.",
    },
    wire: { type: "string", enum: FILE_WIRES, description: "The dialect that the endpoint speaks." },
    base_url: { type: "string", minLength: 1, description: "Where it is. Needed for a provider that is not built in." },
    key_env: {
      description:
        "Name of the environment variable that holds the key, or a list of several. Never the key itself. Of several all that are set are used, one after the other.",
      anyOf: KEY_NAMES,
    },
    auth: {
      description: "How the key is sent, or in full: how, and from which variables.",
      anyOf: [{ type: "string", enum: ["x-api-key", "bearer", "none"] }, AUTH],
    },
    free: { type: "boolean", description: "Calls cost nothing. Believed only in your own file, not in a project's." },
    context_tokens: { ...tokens, description: "Ollama: tokens of context to allocate (`num_ctx`)." },
    first_event_timeout: {
      type: "string",
      pattern: DURATION_PATTERN,
      description: "How long an answer may take to begin. Default: 2m; 5m on openai-chat, 10m on this machine.",
    },
    quota: {
      type: "object",
      additionalProperties: false,
      description:
        "What all your calls to it together may use. Where it is used up, the next model of a route is asked.",
      properties: WINDOW_CEILINGS,
    },
    silence_timeout: {
      type: "string",
      pattern: DURATION_PATTERN,
      description: "How long an answer may stop in the middle. Default: 2m; 5m on this machine.",
    },
    limits: {
      type: "object",
      additionalProperties: false,
      description: "What is sent with one key at most. A project's file can lower what yours says, never raise it.",
      properties: {
        concurrency: { ...count, description: "Calls at once." },
        requests_per_minute: { ...count, description: "Calls sent within a minute." },
        tokens_per_minute: {
          ...count,
          description: "Input and output of what is sent within a minute; of a call under way the most it can take.",
        },
      },
    },
    model_map: {
      type: "object",
      additionalProperties: { type: "string", minLength: 1 },
      description: "Names of your own for models: `ours: theirs`.",
    },
    models: {
      description: "What is known of single models; wins over the built-in catalogue.",
      anyOf: [
        { type: "object", additionalProperties: MODEL },
        { type: "array", items: { type: "string", minLength: 1 }, uniqueItems: true },
      ],
    },
  },
} as const satisfies JsonSchema;

/** A providers file: endpoints beside the built-in ones, or what differs from those. */
export const PROVIDERS_SCHEMA = {
  type: "object",
  additionalProperties: false,
  properties: {
    providers: {
      type: "object",
      propertyNames: { pattern: PROVIDER_ID_PATTERN },
      additionalProperties: PROVIDER,
      description: "By id: what stands before the slash in `provider/model`.",
    },
    routing: {
      type: "array",
      items: RULE,
      description: "Who is asked, and when: the first rule that holds counts.",
    },
    trusted_hosts: {
      type: "array",
      items: { type: "string", pattern: HOST_PATTERN },
      uniqueItems: true,
      description: "Hosts to which a project's file may point one of your keys. Only in your own file.",
    },
  },
} as const satisfies JsonSchema;

/** A providers file as it is written. */
export type RawProviders = Infer<typeof PROVIDERS_SCHEMA>;
/** One provider of it. */
export type RawProvider = Infer<typeof PROVIDER>;
/** One model of a provider. */
export type RawModel = Infer<typeof MODEL>;
